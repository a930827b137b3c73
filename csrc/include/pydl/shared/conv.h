// Convolutions that are something simpler, for the kernels of every backend.
#pragma once

#include "pydl/kernels/conv.h"
#include "pydl/kernels/gemm.h"

namespace pydl {
namespace {

inline bool is_depthwise(const PydlConvGeometry& g) {
  return g.groups == g.channels && g.groups > 1;
}

// A 1x1 convolution that reads every pixel once is a matrix product of pixels and channels.
inline bool is_product(const PydlConvGeometry& g) {
  return g.kernel_height == 1 && g.kernel_width == 1 && g.groups == 1 && g.stride_height == 1 &&
         g.stride_width == 1 && g.pad_top == 0 && g.pad_left == 0 && g.height == g.out_height &&
         g.width == g.out_width;
}

// c (m, n) = a (m, k) @ b (k, n), all contiguous before transposition.
inline PydlGemmArgs product(PydlDType dtype, int64_t m, int64_t n, int64_t k, const void* a,
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

// With bias and activation of a convolution's arguments.
template <class Args>
inline PydlGemmArgs with_epilogue(PydlGemmArgs of, const Args& args) {
  of.bias = args.bias;
  of.activation = args.activation;
  of.pre_activation = args.pre_activation;
  return of;
}

}  // namespace
}  // namespace pydl
