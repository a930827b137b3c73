#include "pydl/kernels/conv.h"

#include "cpu/conv/dense.h"
#include "cpu/conv/depthwise_gradient.h"
#include "cpu/conv/groups.h"
#include "cpu/conv/scatter.h"
#include "cpu/simd/dtype.h"
#include "pydl/shared/conv.h"

namespace pydl::cpu::PYDL_ISA {

PydlStatus gemm(const PydlContext* context, const PydlGemmArgs* args);  // in gemm.cpp

namespace {

template <class S>
bool works_by_channel(const Geometry& g) {
  return is_depthwise(g) || has_narrow_groups<S>(g);
}

int64_t pixels(const Geometry& g) { return g.batch * g.height * g.width; }

}  // namespace

PydlStatus conv(const PydlContext* context, const PydlConvArgs* args) {
  const Geometry& g = args->geometry;
  if (is_product(g)) {
    PydlGemmArgs of =
        with_epilogue(product(args->dtype, pixels(g), g.out_channels, g.channels, args->input, false,
                              args->kernel, false, args->result),
                      *args);
    of.prepared_b = args->prepared_kernel;
    of.residual = args->residual;
    return gemm(context, &of);
  }
  return visit_floating(context, "conv", args->dtype, [&](auto zero) {
    using S = decltype(zero);
    return works_by_channel<S>(g) ? depthwise_conv<S>(context, *args)
                                  : grouped_conv<S>(context, *args);
  });
}

PydlStatus conv_data_gradient(const PydlContext* context, const PydlConvDataGradientArgs* args) {
  const Geometry& g = args->geometry;
  if (is_product(g)) {
    const PydlGemmArgs of =
        with_epilogue(product(args->dtype, pixels(g), g.channels, g.out_channels,
                              args->result_gradient, false, args->kernel, true,
                              args->input_gradient),
                      *args);
    return gemm(context, &of);
  }
  return visit_floating(context, "conv", args->dtype, [&](auto zero) {
    using S = decltype(zero);
    if (works_by_channel<S>(g)) return depthwise_data_gradient<S>(context, *args);
    if (ScatteredGradient<S>::worthwhile(g)) return ScatteredGradient<S>(*args).run(context);
    return grouped_data_gradient<S>(context, *args);
  });
}

PydlStatus conv_kernel_gradient(const PydlContext* context,
                                const PydlConvKernelGradientArgs* args) {
  const Geometry& g = args->geometry;
  if (is_product(g)) {
    const PydlGemmArgs of = product(args->dtype, g.channels, g.out_channels, pixels(g), args->input,
                                    true, args->result_gradient, false, args->kernel_gradient);
    return gemm(context, &of);
  }
  return visit_floating(context, "conv", args->dtype, [&](auto zero) {
    using S = decltype(zero);
    return works_by_channel<S>(g) ? depthwise_kernel_gradient<S>(context, *args)
                                  : grouped_kernel_gradient<S>(context, *args);
  });
}

}  // namespace pydl::cpu::PYDL_ISA
