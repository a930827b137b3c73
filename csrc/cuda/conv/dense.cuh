// Convolutions as matrix products without a copy of the patches. Groups are a batch.
#pragma once

#include "cuda/conv/patch.cuh"
#include "cuda/gemm/choose.cuh"
#include "cuda/gemm/run.cuh"

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

template <class OperandA, class OperandB>
Product<OperandA, OperandB> product_of(const OperandA& a, const OperandB& b, int64_t m, int64_t n,
                                       int64_t k) {
  Product<OperandA, OperandB> product = {};
  product.a = a;
  product.b = b;
  product.m = static_cast<int>(m);
  product.n = static_cast<int>(n);
  product.k = static_cast<int>(k);
  return product;
}

// (pixels of the result, taps * channels) @ (taps * channels, channels of the result)
template <class Multiplier>
PydlStatus dense_conv(const PydlContext* context, const PydlConvArgs& args) {
  using T = typename Multiplier::T;
  const Geometry& g = args.geometry;
  const ConvExtents of(g);
  const MatrixOperand<T> kernel = {static_cast<const T*>(args.kernel), g.out_channels,
                                   whole_chunks<T>(args.kernel, of.group_out)};
  auto product = product_of(patches<T>(g, args.input), kernel, of.out_pixels, of.group_out,
                            of.taps * of.group_channels);
  product.batch = groups_of(g, of.group_channels, of.group_out, of.group_out);
  product.out = conv_output<T>(args.result, g.out_channels, of.group_out, args.bias, args.activation,
                               args.pre_activation);
  return run_product<Multiplier>(context, product);
}

// (pixels of the input, taps * channels of the result) @ (taps * channels of the result, channels)
template <class Multiplier>
PydlStatus dense_data_gradient(const PydlContext* context, const PydlConvDataGradientArgs& args) {
  using T = typename Multiplier::T;
  const Geometry& g = args.geometry;
  const ConvExtents of(g);
  const KernelOperand<T> kernel = {static_cast<const T*>(args.kernel),
                                   whole_chunks<T>(args.kernel, of.group_out),
                                   static_cast<int>(g.out_channels),
                                   of.group_channels * g.out_channels, divisor(of.group_out)};
  auto product = product_of(gradient_patches<T>(g, args.result_gradient), kernel, of.pixels,
                            of.group_channels, of.taps * of.group_out);
  product.batch = groups_of(g, of.group_out, of.group_out, of.group_channels);
  product.out = conv_output<T>(args.input_gradient, g.channels, of.group_channels, args.bias,
                               args.activation, args.pre_activation);
  return run_product<Multiplier>(context, product);
}

// (taps * channels, pixels of the result) @ (pixels of the result, channels of the result)
template <class Multiplier>
PydlStatus dense_kernel_gradient(const PydlContext* context, const PydlConvKernelGradientArgs& args) {
  using T = typename Multiplier::T;
  const Geometry& g = args.geometry;
  const ConvExtents of(g);
  const MatrixOperand<T> gradient = {static_cast<const T*>(args.result_gradient), g.out_channels,
                                     whole_chunks<T>(args.result_gradient, of.group_out)};
  auto product = product_of(patches<T>(g, args.input), gradient, of.taps * of.group_channels,
                            of.group_out, of.out_pixels);
  product.batch = groups_of(g, of.group_channels, of.group_out, of.group_out);
  product.out = conv_output<T>(args.kernel_gradient, g.out_channels, of.group_out, nullptr,
                               PYDL_ACTIVATION_NONE, nullptr);
  return run_product<Multiplier>(context, product);
}

}  // namespace
}  // namespace pydl::cuda
