#include "ops/linalg.h"

#include "ops/elementwise_plan.h"
#include "ops/op.h"
#include "ops/ops.h"

namespace pydl {
namespace {

// gemm takes a matrix with rows or columns contiguous; anything else is copied.
Tensor with_unit_stride(const Tensor& x) {
  int r = x.rank();
  bool usable = x.strides()[r - 1] == 1 || x.strides()[r - 2] == 1 || x.size(r - 1) == 1 ||
                x.size(r - 2) == 1;
  return usable ? x : contiguous(x);
}

Tensor matmul_forward(const Op& op, const Tensor& a_in, const Tensor& b_in) {
  Tensor a = with_unit_stride(a_in), b = with_unit_stride(b_in);
  int ra = a.rank(), rb = b.rank();
  Dims batch = op.broadcast(Dims(a.shape().begin(), a.shape().end() - 2),
                            Dims(b.shape().begin(), b.shape().end() - 2));
  Dims shape = batch;
  shape.push_back(a.size(ra - 2));
  shape.push_back(b.size(rb - 1));
  Tensor c = Tensor::empty(shape, a.dtype(), op.device());
  int rc = c.rank();
  PydlGemmArgs args = {};
  args.dtype = args.out_dtype = static_cast<PydlDType>(a.dtype());
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
  args.batch_rank = batch.size();
  auto batch_strides = [&](const Tensor& x, int64_t* strides) {
    int shift = batch.size() - (x.rank() - 2);
    for (int i = 0; i < x.rank() - 2; ++i)
      strides[i + shift] = x.size(i) == 1 ? 0 : x.strides()[i];
  };
  std::copy(batch.begin(), batch.end(), args.batch_shape);
  batch_strides(a, args.a_batch_strides);
  batch_strides(b, args.b_batch_strides);
  batch_strides(c, args.c_batch_strides);
  op.launch(&PydlKernelTable::gemm, args);
  return c;
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  Op op("matmul", a, b);
  op.check<ShapeError>(a.rank() >= 1 && b.rank() >= 1,
                       "expected operands of at least 1 dimension, got shapes ", a.shape(), " and ",
                       b.shape());
  DType dtype = promote(a.dtype(), b.dtype());
  if (a.dtype() != dtype || b.dtype() != dtype) return matmul(cast(a, dtype), cast(b, dtype));
  if (a.rank() == 1 || b.rank() == 1) {
    Dims a_shape = a.shape(), b_shape = b.shape();
    if (a.rank() == 1) a_shape.insert(0, 1);
    if (b.rank() == 1) b_shape.push_back(1);
    Tensor c = matmul(reshape(a, a_shape), reshape(b, b_shape));
    Dims shape = c.shape();
    if (b.rank() == 1) shape.pop_back();
    if (a.rank() == 1) shape.erase(shape.size() - (b.rank() == 1 ? 1 : 2));
    return reshape(c, shape);
  }
  op.check<ShapeError>(a.shape().back() == b.size(b.rank() - 2),
                       "expected the last axis of the first operand to equal the second-to-last of the "
                       "second, got shapes ", a.shape(), " and ", b.shape());
  Tensor c = matmul_forward(op, a, b);
  if (needs_grad(a, b))
    record("matmul", {&c}, {&a, &b}, [a = Saved(a), b = Saved(b)](Backward& g) {
      const Tensor &a_in = g[a], &b_in = g[b];
      if (g.needs(0))
        g.give(0, gradient_for(matmul(g.grad(), swap_last(b_in)), a_in.shape(), a_in.dtype()));
      if (g.needs(1))
        g.give(1, gradient_for(matmul(swap_last(a_in), g.grad()), b_in.shape(), b_in.dtype()));
    });
  return c;
}

}  // namespace pydl
