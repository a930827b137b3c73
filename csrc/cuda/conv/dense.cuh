// Convolutions as matrix products on the main loop of any GPU. Groups are a batch.
#pragma once

#include "cuda/conv/products.cuh"
#include "cuda/gemm/choose.cuh"
#include "cuda/gemm/run.cuh"

namespace pydl::cuda {
namespace {

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
