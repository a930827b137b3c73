#include "ops/elementwise_plan.h"
#include "ops/op.h"
#include "ops/ops.h"

namespace pydl {
namespace {

Tensor unary(const Op& op, PydlUnaryOp kind, const Tensor& x, DType out_dtype, double alpha = 0,
             double beta = 0) {
  Tensor out = Tensor::empty(x.shape(), out_dtype, op.device());
  auto plan = plan_elementwise<2>(x.shape(), {&x, &out});
  PydlUnaryArgs args = {};
  plan.fill(args);
  args.op = kind;
  args.dtype = static_cast<PydlDType>(x.dtype());
  args.x = x.data();
  args.out = out.data();
  std::copy(plan.strides[0], plan.strides[0] + PYDL_MAX_RANK, args.x_strides);
  std::copy(plan.strides[1], plan.strides[1] + PYDL_MAX_RANK, args.out_strides);
  args.alpha = alpha;
  args.beta = beta;
  op.launch(&PydlKernelTable::unary, args);
  return out;
}

}  // namespace

Tensor neg(const Tensor& x) {
  Op op("neg", x);
  Tensor y = unary(op, PYDL_UNARY_neg, x, x.dtype());
  if (needs_grad(x)) record("neg", {&y}, {&x}, [](Backward& b) { b.give(0, neg(b.grad())); });
  return y;
}

}  // namespace pydl
