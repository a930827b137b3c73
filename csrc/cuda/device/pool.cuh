// What the pooling kernels share: pixels, and the range of pixels that each one meets. A thread
// takes some neighbouring channels of one pixel.
#pragma once

#include "cuda/device/rows.cuh"
#include "cuda/kernel.h"
#include "pydl/cuda/vector.cuh"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/pool.h"

namespace pydl::cuda {
namespace {

struct Range {
  int begin, end;
  __device__ int count() const { return end - begin; }
};

// One axis of the pooled plane.
struct PoolAxis {
  int size, out_size, window, stride, padding;

  template <class Args>
  PoolAxis(const Args& args, int axis)
      : size(static_cast<int>(args.size[axis])),
        out_size(static_cast<int>(args.out_size[axis])),
        window(static_cast<int>(args.window[axis])),
        stride(static_cast<int>(args.strides[axis])),
        padding(static_cast<int>(args.padding[axis])) {}

  // The inputs of an output's window.
  __device__ Range inputs(int out) const {
    const int begin = out * stride - padding, end = begin + window;
    return {begin > 0 ? begin : 0, end < size ? end : size};
  }
  // The outputs whose windows hold an input.
  __device__ Range outputs(int in) const {
    const int first = in + padding - window, last = (in + padding) / stride + 1;
    return {first < 0 ? 0 : first / stride + 1, last < out_size ? last : out_size};
  }
  __device__ int position(int in, int out) const { return in + padding - out * stride; }
};

struct PoolPlane {
  PoolAxis rows, columns;
  int64_t batch, channels;

  template <class Args>
  explicit PoolPlane(const Args& args)
      : rows(args, 0), columns(args, 1), batch(args.batch), channels(args.channels) {}

  int64_t in_pixels() const { return batch * rows.size * columns.size; }
  int64_t out_pixels() const { return batch * rows.out_size * columns.out_size; }
  // The number of a pixel in x or y.
  __device__ int64_t in_pixel(int64_t image, int h, int w) const {
    return (image * rows.size + h) * columns.size + w;
  }
  __device__ int64_t out_pixel(int64_t image, int h, int w) const {
    return (image * rows.out_size + h) * columns.out_size + w;
  }
};

struct Pixel {
  int64_t image;
  int h, w;

  __device__ Pixel(int64_t number, int height, int width) {
    int64_t row, column;
    image = divide(divide(number, width, column), height, row);
    h = static_cast<int>(row);
    w = static_cast<int>(column);
  }
};

// visitor(zero, std::integral_constant<int, width>()): channels move in packs where arrays allow.
template <class Args, class Visitor>
PydlStatus visit_packs(const PydlContext* context, const char* op, const Args& args, bool aligned,
                       Visitor&& visitor) {
  constexpr int64_t kMost = 1 << 30;  // sums of two are still numbers of 32 bits
  for (int d = 0; d < 2; ++d) {
    if (args.size[d] < kMost && args.out_size[d] < kMost && args.window[d] < kMost &&
        args.strides[d] < kMost && args.padding[d] < kMost)
      continue;
    return context->fail(context, PYDL_ERROR_VALUE,
                         "expected extents, windows and strides below 2^30 on a GPU");
  }
  return visit_floating(context, op, args.dtype, [&](auto zero) -> PydlStatus {
    constexpr int kWidth = kVectorBytes / sizeof(zero);
    if (aligned && args.channels % kWidth == 0)
      return visitor(zero, std::integral_constant<int, kWidth>());
    return visitor(zero, std::integral_constant<int, 1>());
  });
}

template <class... P>
bool all_aligned(const P*... arrays) {
  return (is_aligned(arrays) && ...);  // NULL is
}

}  // namespace
}  // namespace pydl::cuda
