#include "ops/linalg.h"

#include "ops/gemm.h"

namespace pydl {
namespace {

Tensor matmul_forward(const Op& op, const Tensor& a_in, const Tensor& b_in) {
  Tensor a = with_unit_stride(a_in), b = with_unit_stride(b_in);
  Dims batch = op.broadcast(Dims(a.shape().begin(), a.shape().end() - 2),
                            Dims(b.shape().begin(), b.shape().end() - 2));
  Dims shape = batch;
  shape.push_back(a.size(a.rank() - 2));
  shape.push_back(b.size(b.rank() - 1));
  Tensor c = Tensor::empty(shape, a.dtype(), op.device());
  PydlGemmArgs args = gemm_args(a, b, c);
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

// matmul of a 1-D operand.
Tensor matmul_vector(const Tensor& a, const Tensor& b) {
  Dims a_shape = a.shape(), b_shape = b.shape();
  if (a.rank() == 1) a_shape.insert(0, 1);
  if (b.rank() == 1) b_shape.push_back(1);
  Tensor c = matmul(reshape(a, a_shape), reshape(b, b_shape));
  Dims shape = c.shape();
  if (b.rank() == 1) shape.pop_back();
  if (a.rank() == 1) shape.erase(shape.size() - (b.rank() == 1 ? 1 : 2));
  return reshape(c, shape);
}

Tensor with_shape(const Tensor& x, const Dims& shape) {
  return x.shape() == shape ? x : reshape(x, shape);
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  Op op("matmul", a, b);
  op.check<ShapeError>(a.rank() >= 1 && b.rank() >= 1,
                       "expected operands of at least 1 dimension, got shapes ", a.shape(), " and ",
                       b.shape());
  DType dtype = promote(a.dtype(), b.dtype());
  if (a.dtype() != dtype || b.dtype() != dtype) return matmul(cast(a, dtype), cast(b, dtype));
  op.check<ShapeError>(a.shape().back() == b.size(b.rank() == 1 ? 0 : b.rank() - 2),
                       "expected the last axis of the first operand to equal the second-to-last of the "
                       "second, got shapes ", a.shape(), " and ", b.shape());
  if (a.rank() == 1 || b.rank() == 1) return matmul_vector(a, b);
  if (b.rank() == 2 && a.rank() > 2 && a.is_contiguous()) {  // one product of the rows of all batches
    Dims shape = a.shape();
    shape.back() = b.size(1);
    return reshape(matmul(as_rows(a), b), shape);
  }
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

Tensor tensordot(const Tensor& a, const Tensor& b, const Dims& a_axes, const Dims& b_axes) {
  Op op("tensordot", a, b);
  op.check(a_axes.size() == b_axes.size(), "expected as many axes of the first operand as of the ",
           "second, got ", a_axes, " and ", b_axes);
  Dims a_order, b_order, shape, sum_a, sum_b;
  int64_t rows = 1, inner = 1, columns = 1;
  for (int i = 0; i < a_axes.size(); ++i) {
    sum_a.push_back(op.axis(a_axes[i], a.rank()));
    sum_b.push_back(op.axis(b_axes[i], b.rank()));
    inner *= a.size(sum_a.back());
    op.check<ShapeError>(a.size(sum_a.back()) == b.size(sum_b.back()),
                         "expected summed axes of equal extents, got axes ", a_axes, " of ", a.shape(),
                         " and ", b_axes, " of ", b.shape());
  }
  op.axes(sum_a, a.rank());  // refuses duplicates
  op.axes(sum_b, b.rank());
  for (int i = 0; i < a.rank(); ++i) {
    if (sum_a.contains(i)) continue;
    a_order.push_back(i);
    shape.push_back(a.size(i));
    rows *= a.size(i);
  }
  for (int64_t axis : sum_a) a_order.push_back(axis);
  for (int64_t axis : sum_b) b_order.push_back(axis);
  for (int i = 0; i < b.rank(); ++i) {
    if (sum_b.contains(i)) continue;
    b_order.push_back(i);
    shape.push_back(b.size(i));
    columns *= b.size(i);
  }
  Tensor left = with_shape(permute(a, a_order), {rows, inner});
  Tensor right = with_shape(permute(b, b_order), {inner, columns});
  return reshape(matmul(left, right), shape);
}

Tensor dot(const Tensor& a, const Tensor& b) {
  if (a.rank() == 0 || b.rank() == 0) return multiply(a, b);
  if (a.rank() <= 2 && b.rank() <= 2) return matmul(a, b);
  return tensordot(a, b, {-1}, {b.rank() == 1 ? -1 : -2});
}

Tensor outer(const Tensor& a, const Tensor& b) {
  return multiply(reshape(a, {a.count(), 1}), reshape(b, {1, b.count()}));
}

}  // namespace pydl
