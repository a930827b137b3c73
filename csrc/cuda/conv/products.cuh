// Convolutions as matrix products without a copy of the patches: operands, results, batches of groups.
#pragma once

#include "cuda/conv/patch.cuh"
#include "cuda/gemm/product.cuh"

namespace pydl::cuda {
namespace {

using Geometry = PydlConvGeometry;

// The extents that products are made of.
struct ConvExtents {
  int64_t pixels, out_pixels, taps;
  int64_t group_channels, group_out;  // channels of a group

  explicit ConvExtents(const Geometry& g)
      : pixels(g.batch * g.height * g.width),
        out_pixels(g.batch * g.out_height * g.out_width),
        taps(g.kernel_height * g.kernel_width),
        group_channels(g.channels / g.groups),
        group_out(g.out_channels / g.groups) {}
};

inline FastDivisor divisor(int64_t by) { return FastDivisor(by > 0 ? by : 1); }

// Whether chunks of 16 bytes never cross a multiple of `channels` elements.
template <class T>
bool whole_chunks(const void* data, int64_t channels) {
  return reinterpret_cast<uintptr_t>(data) % 16 == 0 &&
         channels * static_cast<int64_t>(sizeof(T)) % 16 == 0;
}

template <class T>
PatchOperand<T> patches(const Geometry& g, const void* input) {
  const ConvExtents of(g);
  PatchOperand<T> operand = {};
  operand.data = static_cast<const T*>(input);
  operand.aligned = whole_chunks<T>(input, of.group_channels);
  operand.height = static_cast<int>(g.height);
  operand.width = static_cast<int>(g.width);
  operand.channels = static_cast<int>(g.channels);
  operand.stride_y = static_cast<int>(g.stride_height);
  operand.stride_x = static_cast<int>(g.stride_width);
  operand.dilation_y = static_cast<int>(g.dilation_height);
  operand.dilation_x = static_cast<int>(g.dilation_width);
  operand.pad_y = static_cast<int>(g.pad_top);
  operand.pad_x = static_cast<int>(g.pad_left);
  operand.index = {divisor(of.group_channels), divisor(g.kernel_width),
                   divisor(g.out_height * g.out_width), divisor(g.out_width)};
  return operand;
}

template <class T>
GradientPatchOperand<T> gradient_patches(const Geometry& g, const void* result_gradient) {
  const ConvExtents of(g);
  GradientPatchOperand<T> operand = {};
  operand.data = static_cast<const T*>(result_gradient);
  operand.aligned = whole_chunks<T>(result_gradient, of.group_out);
  operand.height = static_cast<int>(g.out_height);
  operand.width = static_cast<int>(g.out_width);
  operand.channels = static_cast<int>(g.out_channels);
  operand.stride_y = divisor(g.stride_height);
  operand.stride_x = divisor(g.stride_width);
  operand.dilation_y = static_cast<int>(g.dilation_height);
  operand.dilation_x = static_cast<int>(g.dilation_width);
  operand.pad_y = static_cast<int>(g.pad_top);
  operand.pad_x = static_cast<int>(g.pad_left);
  operand.index = {divisor(of.group_out), divisor(g.kernel_width), divisor(g.height * g.width),
                   divisor(g.width)};
  return operand;
}

// The result of a convolution or its transpose, or the gradient of the kernel.
template <class T>
Output conv_output(void* data, int64_t row, int64_t group, const void* bias,
                   PydlActivation activation, void* pre_activation) {
  Output out = {data, pre_activation, bias, row, activation, false, false, false};
  const size_t four = 4 * sizeof(T);
  out.aligned = row % 4 == 0 && group % 4 == 0 && reinterpret_cast<uintptr_t>(data) % four == 0 &&
                reinterpret_cast<uintptr_t>(pre_activation) % four == 0;
  return out;
}

// Groups lie a, b and c elements apart in the operands and the result.
inline Batch groups_of(const Geometry& g, int64_t a, int64_t b, int64_t c) {
  Batch batch;
  batch.append(g.groups, a, b, c);
  batch.bias = c;
  return batch;
}

}  // namespace
}  // namespace pydl::cuda
