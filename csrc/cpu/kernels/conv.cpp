#include "pydl/kernels/conv.h"

#include "cpu/conv/dense.h"
#include "cpu/conv/depthwise_gradient.h"
#include "cpu/conv/groups.h"
#include "cpu/conv/scatter.h"
#include "cpu/simd/dtype.h"
#include "pydl/kernels/gemm.h"

namespace pydl::cpu::PYDL_ISA {

PydlStatus gemm(const PydlContext* context, const PydlGemmArgs* args);  // in gemm.cpp

namespace {

template <class S>
bool works_by_channel(const Geometry& g) {
  return is_depthwise(g) || has_narrow_groups<S>(g);
}

// A 1x1 convolution that reads every pixel once is a matrix product of pixels and channels.
bool is_product(const Geometry& g) {
  return g.kernel_height == 1 && g.kernel_width == 1 && g.groups == 1 && g.stride_height == 1 &&
         g.stride_width == 1 && g.pad_top == 0 && g.pad_left == 0 && g.height == g.out_height &&
         g.width == g.out_width;
}

// c (m, n) = a (m, k) @ b (k, n), all contiguous before transposition.
PydlGemmArgs product(PydlDType dtype, int64_t m, int64_t n, int64_t k, const void* a,
                     bool a_transposed, const void* b, bool b_transposed, void* c) {
  PydlGemmArgs args = {};
  args.dtype = args.out_dtype = dtype;
  args.m = m;
  args.n = n;
  args.k = k;
  args.a = a;
  args.a_row_stride = a_transposed ? 1 : k;
  args.a_col_stride = a_transposed ? m : 1;
  args.b = b;
  args.b_row_stride = b_transposed ? 1 : n;
  args.b_col_stride = b_transposed ? k : 1;
  args.c = c;
  args.c_row_stride = n;
  return args;
}

int64_t pixels(const Geometry& g) { return g.batch * g.height * g.width; }

}  // namespace

PydlStatus conv(const PydlContext* context, const PydlConvArgs* args) {
  const Geometry& g = args->geometry;
  if (is_product(g)) {
    PydlGemmArgs of = product(args->dtype, pixels(g), g.out_channels, g.channels, args->input,
                              false, args->kernel, false, args->result);
    of.bias = args->bias;
    of.activation = args->activation;
    of.pre_activation = args->pre_activation;
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
    PydlGemmArgs of =
        product(args->dtype, pixels(g), g.channels, g.out_channels, args->result_gradient, false,
                args->kernel, true, args->input_gradient);
    of.bias = args->bias;
    of.activation = args->activation;
    of.pre_activation = args->pre_activation;
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
