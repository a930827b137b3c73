#include "ops/unary.h"

#include <cmath>

#include "ops/elementwise_plan.h"

namespace pydl {
namespace {

bool gradient_from_output(PydlUnaryOp kind) {
  switch (kind) {
#define PYDL_CASE(name) case PYDL_UNARY_##name:
    PYDL_UNARY_GRADIENT_FROM_OUTPUT(PYDL_CASE)
#undef PYDL_CASE
    return true;
    default: return false;
  }
}

}  // namespace

Tensor unary_gradient(const char* name, PydlUnaryOp kind, const Tensor& saved, const Tensor& dy,
                      const Slope& slope, double alpha, double beta) {
  if (needs_grad(saved, dy)) return dy * slope(saved);
  Op op(name, saved, dy);
  Tensor dx = empty_result(saved.shape(), saved.dtype(), op.device(), {&saved, &dy});
  auto plan = plan_elementwise<3>(dx.shape(), {&saved, &dy, &dx});
  PydlUnaryBackwardArgs args = {};
  plan.fill(args);
  plan.copy_strides(0, args.x_strides);
  plan.copy_strides(1, args.dy_strides);
  plan.copy_strides(2, args.dx_strides);
  args.op = kind;
  args.dtype = static_cast<PydlDType>(saved.dtype());
  args.x = saved.data();
  args.dy = dy.data();
  args.dx = dx.data();
  args.alpha = alpha;
  args.beta = beta;
  op.launch(&PydlKernelTable::unary_backward, args);
  return dx;
}

namespace {

// An op that is constant between its jumps.
Tensor step_op(const char* name, PydlUnaryOp kind, const Tensor& x) {
  Op op(name, x);
  Tensor y = run_unary(op, kind, x, x.dtype());
  if (needs_grad(x))
    record(name, {&y}, {&x}, [](Backward& b) {
      const Tensor& dy = b.grad();
      b.give(0, full(dy.shape(), 0, dy.dtype(), dy.device()));
    });
  return y;
}

Tensor predicate_op(const char* name, PydlUnaryOp kind, const Tensor& x) {
  Op op(name, x);
  return run_unary(op, kind, x, DType::boolean);
}

}  // namespace

Tensor run_unary(const Op& op, PydlUnaryOp kind, const Tensor& x, DType out_dtype, double alpha,
                 double beta) {
  Tensor out = empty_result(x.shape(), out_dtype, op.device(), {&x});
  auto plan = plan_elementwise<2>(x.shape(), {&x, &out});
  PydlUnaryArgs args = {};
  plan.fill(args);
  plan.copy_strides(0, args.x_strides);
  plan.copy_strides(1, args.out_strides);
  args.op = kind;
  args.dtype = static_cast<PydlDType>(x.dtype());
  args.x = x.data();
  args.out = out.data();
  args.alpha = alpha;
  args.beta = beta;
  op.launch(&PydlKernelTable::unary, args);
  return out;
}

Tensor unary_op(const char* name, PydlUnaryOp kind, const Tensor& x, const Slope& slope,
                double alpha, double beta) {
  Op op(name, x);
  Tensor y = run_unary(op, kind, x, x.dtype(), alpha, beta);
  if (!needs_grad(x)) return y;
  if (gradient_from_output(kind)) {
    record(name, {&y}, {&x}, [=, y = SavedOutput(y)](Backward& b) {
      b.give(0, unary_gradient(name, kind, b[y], b.grad(), slope, alpha, beta));
    });
  } else {
    record(name, {&y}, {&x}, [=, x = Saved(x)](Backward& b) {
      b.give(0, unary_gradient(name, kind, b[x], b.grad(), slope, alpha, beta));
    });
  }
  return y;
}

Tensor real_op(const char* name, PydlUnaryOp kind, const Tensor& x, const Slope& slope,
               double alpha, double beta) {
  Tensor real = is_floating(x.dtype()) ? x : cast(x, DType::float32);
  return unary_op(name, kind, real, slope, alpha, beta);
}

Tensor neg(const Tensor& x) {
  Op op("neg", x);
  Tensor y = run_unary(op, PYDL_UNARY_neg, x, x.dtype());
  if (needs_grad(x)) record("neg", {&y}, {&x}, [](Backward& b) { b.give(0, neg(b.grad())); });
  return y;
}

// `name` on any dtype, or on floating ones, with dy/dx as an expression of what is saved.
#define PYDL_NUMERIC(name, saved, expression)                                                 \
  Tensor name(const Tensor& x) {                                                              \
    return unary_op(#name, PYDL_UNARY_##name, x, [](const Tensor& saved) { return expression; }); \
  }
#define PYDL_REAL(name, saved, expression)                                                    \
  Tensor name(const Tensor& x) {                                                              \
    return real_op(#name, PYDL_UNARY_##name, x, [](const Tensor& saved) { return expression; });  \
  }
PYDL_NUMERIC(abs, x, sign(x))
PYDL_NUMERIC(square, x, x * 2)
PYDL_REAL(exp, y, y)
PYDL_REAL(expm1, y, y + 1)
PYDL_REAL(log, x, reciprocal(x))
PYDL_REAL(log1p, x, reciprocal(x + 1))
PYDL_REAL(sqrt, y, reciprocal(y * 2))
PYDL_REAL(rsqrt, y, y * square(y) * -0.5)
PYDL_REAL(reciprocal, y, neg(square(y)))
PYDL_REAL(sin, x, cos(x))
PYDL_REAL(cos, x, neg(sin(x)))
PYDL_REAL(tan, y, square(y) + 1)
PYDL_REAL(tanh, y, 1 - square(y))
PYDL_REAL(sigmoid, y, y * (1 - y))
PYDL_REAL(erf, x, exp(neg(square(x))) * M_2_SQRTPI)
#undef PYDL_NUMERIC
#undef PYDL_REAL

Tensor clip(const Tensor& x, double low, double high) {
  Slope inside = [low, high](const Tensor& x) {
    Tensor above = greater_equal(x, constant(low, x)), below = less_equal(x, constant(high, x));
    return cast(logical_and(above, below), x.dtype());
  };
  return unary_op("clip", PYDL_UNARY_clip, x, inside, low, high);
}

#define PYDL_STEP(name) \
  Tensor name(const Tensor& x) { return step_op(#name, PYDL_UNARY_##name, x); }
PYDL_STEP(sign)
PYDL_STEP(floor)
PYDL_STEP(ceil)
PYDL_STEP(round)
#undef PYDL_STEP

#define PYDL_PREDICATE(name) \
  Tensor name(const Tensor& x) { return predicate_op(#name, PYDL_UNARY_##name, x); }
PYDL_UNARY_PREDICATES(PYDL_PREDICATE)
#undef PYDL_PREDICATE

}  // namespace pydl
