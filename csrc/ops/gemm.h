// Tensors as arguments of the gemm kernel.
#pragma once

#include "ops/op.h"
#include "ops/ops.h"
#include "pydl/kernels/gemm.h"

namespace pydl {

// The kernel takes a matrix with rows or columns contiguous; anything else is copied.
inline Tensor with_unit_stride(const Tensor& x) {
  int r = x.rank();
  bool usable = x.strides()[r - 1] == 1 || x.strides()[r - 2] == 1 || x.size(r - 1) == 1 ||
                x.size(r - 2) == 1;
  return usable ? x : contiguous(x.detach());
}

// All axes but the last as one.
inline Tensor as_rows(const Tensor& x) {
  int64_t rows = 1;
  for (int i = 0; i + 1 < x.rank(); ++i) rows *= x.size(i);
  return x.rank() == 2 ? x : reshape(x, {rows, x.shape().back()});
}

// One product of the last two axes of a and b into those of c, which is dense.
inline PydlGemmArgs gemm_args(const Tensor& a, const Tensor& b, const Tensor& c) {
  int ra = a.rank(), rb = b.rank(), rc = c.rank();
  PydlGemmArgs args = {};
  args.dtype = static_cast<PydlDType>(a.dtype());
  args.out_dtype = static_cast<PydlDType>(c.dtype());
  args.m = a.size(ra - 2);
  args.k = a.size(ra - 1);
  args.n = b.size(rb - 1);
  args.a = a.data();
  args.a_row_stride = a.strides()[ra - 2];
  args.a_col_stride = a.strides()[ra - 1];
  args.b = b.data();
  args.b_row_stride = b.strides()[rb - 2];
  args.b_col_stride = b.strides()[rb - 1];
  args.c = c.data();
  args.c_row_stride = c.strides()[rc - 2];
  return args;
}

}  // namespace pydl
