#include "ops/elementwise_plan.h"
#include "ops/op.h"
#include "ops/ops.h"

namespace pydl {
namespace {

Tensor binary(const Op& op, PydlBinaryOp kind, const Tensor& a_in, const Tensor& b_in, DType out_dtype) {
  DType dtype = promote(a_in.dtype(), b_in.dtype());
  Tensor a = cast(a_in.dtype() == dtype ? a_in : a_in.detach(), dtype);
  Tensor b = cast(b_in.dtype() == dtype ? b_in : b_in.detach(), dtype);
  Tensor out = Tensor::empty(op.broadcast(a.shape(), b.shape()), out_dtype, op.device());
  auto plan = plan_elementwise<3>(out.shape(), {&a, &b, &out});
  PydlBinaryArgs args = {};
  plan.fill(args);
  args.op = kind;
  args.dtype = static_cast<PydlDType>(dtype);
  args.a = a.data();
  args.b = b.data();
  args.out = out.data();
  std::copy(plan.strides[0], plan.strides[0] + PYDL_MAX_RANK, args.a_strides);
  std::copy(plan.strides[1], plan.strides[1] + PYDL_MAX_RANK, args.b_strides);
  std::copy(plan.strides[2], plan.strides[2] + PYDL_MAX_RANK, args.out_strides);
  op.launch(&PydlKernelTable::binary, args);
  return out;
}

Tensor arithmetic(const Op& op, PydlBinaryOp kind, const Tensor& a, const Tensor& b) {
  return binary(op, kind, a, b, promote(a.dtype(), b.dtype()));
}

// What the gradient of an input must look like.
struct Like {
  Dims shape;
  DType dtype;
  Like(const Tensor& x) : shape(x.shape()), dtype(x.dtype()) {}
  Tensor operator()(const Tensor& grad) const { return gradient_for(grad, shape, dtype); }
};

}  // namespace

Tensor gradient_for(const Tensor& grad, const Dims& shape, DType dtype) {
  Tensor result = grad;
  if (grad.shape() != shape) {
    int extra = grad.rank() - shape.size();
    Dims axes;
    for (int i = 0; i < grad.rank(); ++i)
      if (i < extra || (shape[i - extra] == 1 && grad.size(i) != 1)) axes.push_back(i);
    result = reshape(sum(grad, axes, false), shape);
  }
  return cast(result, dtype);
}

Tensor add(const Tensor& a, const Tensor& b) {
  Op op("add", a, b);
  Tensor out = arithmetic(op, PYDL_BINARY_add, a, b);
  if (needs_grad(a, b))
    record("add", {&out}, {&a, &b}, [like_a = Like(a), like_b = Like(b)](Backward& g) {
      if (g.needs(0)) g.give(0, like_a(g.grad()));
      if (g.needs(1)) g.give(1, like_b(g.grad()));
    });
  return out;
}

Tensor subtract(const Tensor& a, const Tensor& b) {
  Op op("subtract", a, b);
  Tensor out = arithmetic(op, PYDL_BINARY_subtract, a, b);
  if (needs_grad(a, b))
    record("subtract", {&out}, {&a, &b}, [like_a = Like(a), like_b = Like(b)](Backward& g) {
      if (g.needs(0)) g.give(0, like_a(g.grad()));
      if (g.needs(1)) g.give(1, like_b(neg(g.grad())));
    });
  return out;
}

Tensor multiply(const Tensor& a, const Tensor& b) {
  Op op("multiply", a, b);
  Tensor out = arithmetic(op, PYDL_BINARY_multiply, a, b);
  if (needs_grad(a, b))
    record("multiply", {&out}, {&a, &b}, [a = Saved(a), b = Saved(b)](Backward& g) {
      if (g.needs(0)) g.give(0, Like(g[a])(multiply(g.grad(), g[b])));
      if (g.needs(1)) g.give(1, Like(g[b])(multiply(g.grad(), g[a])));
    });
  return out;
}

}  // namespace pydl
