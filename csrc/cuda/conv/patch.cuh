// The operands of a convolution as a matrix product. Rows of a patch operand are pixels, columns
// (kernel row, kernel column, channel) with the channels of one group contiguous.
#pragma once

#include "cuda/gemm/operand.cuh"
#include "pydl/kernels/conv.h"

namespace pydl::cuda {
namespace {

// Splits a column into tap (kernel row, kernel column) and channel, a row into image, y and x.
struct PatchIndex {
  FastDivisor channels, kernel_width, pixels, width;

  __device__ void column(int j, int& kernel_y, int& kernel_x, int& channel) const {
    const int tap = channels.quotient(j);
    channel = j - tap * static_cast<int>(channels.divisor);
    kernel_y = kernel_width.quotient(tap);
    kernel_x = tap - kernel_y * static_cast<int>(kernel_width.divisor);
  }
  __device__ void row(int i, int& image, int& y, int& x) const {
    image = pixels.quotient(i);
    const int rest = i - image * static_cast<int>(pixels.divisor);
    y = width.quotient(rest);
    x = rest - y * static_cast<int>(width.divisor);
  }
};

// What a pixel of the result sees of the input: padding is zero.
template <class Element>
struct PatchOperand {
  using T = Element;
  struct Row {
    int64_t offset;  // of the window's first pixel, which may lie outside
    int y, x;
  };
  struct Column {
    int y, x;
    int64_t offset;
  };
  const T* data;
  bool aligned;
  int height, width, channels;
  int stride_y, stride_x, dilation_y, dilation_x, pad_y, pad_x;
  PatchIndex index;  // of pixels of the result and channels of a group

  __device__ Row row(int i) const {
    int image, y, x;
    index.row(i, image, y, x);
    Row row;
    row.y = y * stride_y - pad_y;
    row.x = x * stride_x - pad_x;
    row.offset = ((int64_t{image} * height + row.y) * width + row.x) * channels;
    return row;
  }
  __device__ Column column(int j) const {
    int y, x, channel;
    index.column(j, y, x, channel);
    Column column;
    column.y = y * dilation_y;
    column.x = x * dilation_x;
    column.offset = (int64_t{column.y} * width + column.x) * channels + channel;
    return column;
  }
  __device__ const T* find(const Row& row, const Column& column) const {
    const unsigned y = static_cast<unsigned>(row.y + column.y);
    const unsigned x = static_cast<unsigned>(row.x + column.x);
    const bool inside = y < static_cast<unsigned>(height) && x < static_cast<unsigned>(width);
    return inside ? data + row.offset + column.offset : nullptr;
  }
};

// Which pixels of the result see a pixel of the input, through which tap: the same matrix for the
// gradient. With strides most taps of a pixel lead nowhere.
template <class Element>
struct GradientPatchOperand {
  using T = Element;
  struct Row {
    int64_t offset;  // of the image
    int y, x;
  };
  struct Column {
    int y, x, channel;
  };
  const T* data;
  bool aligned;
  int height, width, channels;  // of the result
  FastDivisor stride_y, stride_x;
  int dilation_y, dilation_x, pad_y, pad_x;
  PatchIndex index;  // of pixels of the input and channels of a group of the result

  __device__ Row row(int i) const {
    int image, y, x;
    index.row(i, image, y, x);
    return {int64_t{image} * height * width * channels, y + pad_y, x + pad_x};
  }
  __device__ Column column(int j) const {
    Column column;
    index.column(j, column.y, column.x, column.channel);
    column.y *= dilation_y;
    column.x *= dilation_x;
    return column;
  }
  __device__ const T* find(const Row& row, const Column& column) const {
    const int across = row.x - column.x, down = row.y - column.y;
    if (across < 0 || down < 0) return nullptr;
    const int y = stride_y.quotient(down), x = stride_x.quotient(across);
    const bool inside = y * static_cast<int>(stride_y.divisor) == down && y < height &&
                        x * static_cast<int>(stride_x.divisor) == across && x < width;
    return inside ? data + row.offset + (int64_t{y} * width + x) * channels + column.channel : nullptr;
  }
};

// The kernel as the right operand of the data gradient: rows are input channels, columns
// (kernel row, kernel column, channel of the result).
template <class Element>
struct KernelOperand {
  using T = Element;
  using Row = int64_t;
  using Column = int64_t;
  const T* data;
  bool aligned;
  int out_channels;      // of all groups: a row of the kernel
  int64_t tap;           // elements to a tap
  FastDivisor channels;  // of a group of the result

  __device__ Row row(int i) const { return int64_t{i} * out_channels; }
  __device__ Column column(int j) const {
    const int at = channels.quotient(j);
    return at * tap + (j - at * static_cast<int>(channels.divisor));
  }
  __device__ const T* find(Row row, Column column) const { return data + row + column; }
};

}  // namespace
}  // namespace pydl::cuda
