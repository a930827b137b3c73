#include "pydl/kernels/conv.h"

#include "cuda/conv/dense.cuh"
#include "cuda/conv/depthwise.cuh"
#include "cuda/conv/warpgroup.h"
#include "pydl/shared/conv.h"

namespace pydl::cuda {

PydlStatus gemm(const PydlContext* context, const PydlGemmArgs* args);  // in gemm.cu

namespace {

// Kernels count pixels and columns of patches in 32 bits.
PydlStatus check_extents(const PydlContext* context, const Geometry& g) {
  const ConvExtents of(g);
  const int64_t most = INT32_MAX / 2, channels = of.group_channels > of.group_out
                                                     ? of.group_channels
                                                     : of.group_out;
  if (of.pixels <= most && of.out_pixels <= most && of.taps * channels <= most) return PYDL_OK;
  return context->fail(context, PYDL_ERROR_SHAPE,
                       "[conv] expected fewer than 2^30 pixels and weights for a channel");
}

}  // namespace

PydlStatus conv(const PydlContext* context, const PydlConvArgs* args) {
  if (args->residual) {
    return context->fail(context, PYDL_ERROR_VALUE, "[conv] expected no residual on a GPU");
  }
  const Geometry& g = args->geometry;
  const ConvExtents of(g);
  if (is_product(g)) {
    const PydlGemmArgs pixels = with_epilogue(
        product(args->dtype, of.pixels, g.out_channels, g.channels, args->input, false, args->kernel,
                false, args->result),
        *args);
    return gemm(context, &pixels);
  }
  PydlStatus status = check_extents(context, g);
  if (status != PYDL_OK) return status;
  if (is_depthwise(g)) {
    return visit_floating(context, "conv", args->dtype, [&](auto zero) {
      return depthwise_conv<decltype(zero)>(context, *args);
    });
  }
  bool done = false;
  status = conv_with_warpgroups(context, *args, &done);
  if (done || status != PYDL_OK) return status;
  const bool large = worth_large_tiles(of.out_pixels, of.group_out, g.groups);
  return choose_multiplier<true, false>(context, "conv", args->dtype, large, [&](auto type) {
    return dense_conv<typename decltype(type)::type>(context, *args);
  });
}

PydlStatus conv_data_gradient(const PydlContext* context, const PydlConvDataGradientArgs* args) {
  const Geometry& g = args->geometry;
  const ConvExtents of(g);
  if (is_product(g)) {
    const PydlGemmArgs pixels = with_epilogue(
        product(args->dtype, of.pixels, g.channels, g.out_channels, args->result_gradient, false,
                args->kernel, true, args->input_gradient),
        *args);
    return gemm(context, &pixels);
  }
  PydlStatus status = check_extents(context, g);
  if (status != PYDL_OK) return status;
  if (is_depthwise(g)) {
    return visit_floating(context, "conv", args->dtype, [&](auto zero) {
      return run_depthwise_data_gradient<decltype(zero)>(context, *args);
    });
  }
  bool done = false;
  status = conv_data_gradient_with_warpgroups(context, *args, &done);
  if (done || status != PYDL_OK) return status;
  const bool large = worth_large_tiles(of.pixels, of.group_channels, g.groups);
  return choose_multiplier<true, true>(context, "conv", args->dtype, large, [&](auto type) {
    return dense_data_gradient<typename decltype(type)::type>(context, *args);
  });
}

PydlStatus conv_kernel_gradient(const PydlContext* context,
                                const PydlConvKernelGradientArgs* args) {
  const Geometry& g = args->geometry;
  const ConvExtents of(g);
  if (is_product(g)) {
    const PydlGemmArgs pixels = product(args->dtype, g.channels, g.out_channels, of.pixels,
                                        args->input, true, args->result_gradient, false,
                                        args->kernel_gradient);
    return gemm(context, &pixels);
  }
  PydlStatus status = check_extents(context, g);
  if (status != PYDL_OK) return status;
  if (is_depthwise(g)) {
    return visit_floating(context, "conv", args->dtype, [&](auto zero) {
      return run_depthwise_kernel_gradient<decltype(zero)>(context, *args);
    });
  }
  bool done = false;
  status = conv_kernel_gradient_with_warpgroups(context, *args, &done);
  if (done || status != PYDL_OK) return status;
  const bool large = worth_large_tiles(of.taps * of.group_channels, of.group_out, g.groups);
  return choose_multiplier<false, false>(context, "conv", args->dtype, large, [&](auto type) {
    return dense_kernel_gradient<typename decltype(type)::type>(context, *args);
  });
}

}  // namespace pydl::cuda
