#include <cmath>

#include "ops/elementwise_plan.h"
#include "ops/op.h"
#include "ops/ops.h"

namespace pydl {
namespace {

Tensor binary(const Op& op, PydlBinaryOp kind, const Tensor& a_in, const Tensor& b_in, DType dtype,
              DType out_dtype) {
  Tensor cast_a, cast_b;  // for operands of another dtype only: counting references takes time too
  const Tensor& a = a_in.dtype() == dtype ? a_in : cast_a = cast(a_in.detach(), dtype);
  const Tensor& b = b_in.dtype() == dtype ? b_in : cast_b = cast(b_in.detach(), dtype);
  Dims shape = op.broadcast(a.shape(), b.shape());
  Tensor out = empty_result(shape, out_dtype, op.device(), {&a, &b});
  auto plan = plan_elementwise<3>(out.shape(), {&a, &b, &out});
  PydlBinaryArgs args = {};
  plan.fill(args);
  plan.copy_strides(0, args.a_strides);
  plan.copy_strides(1, args.b_strides);
  plan.copy_strides(2, args.out_strides);
  args.op = kind;
  args.dtype = static_cast<PydlDType>(dtype);
  args.a = a.data();
  args.b = b.data();
  args.out = out.data();
  op.launch(&PydlKernelTable::binary, args);
  return out;
}

Tensor arithmetic(const Op& op, PydlBinaryOp kind, const Tensor& a, const Tensor& b) {
  DType dtype = promote(a.dtype(), b.dtype());
  return binary(op, kind, a, b, dtype, dtype);
}

Tensor comparison(const char* name, PydlBinaryOp kind, const Tensor& a, const Tensor& b) {
  Op op(name, a, b);
  return binary(op, kind, a, b, promote(a.dtype(), b.dtype()), DType::boolean);
}

// What the gradient of an input must look like.
struct Like {
  Dims shape;
  DType dtype;
  Like(const Tensor& x) : shape(x.shape()), dtype(x.dtype()) {}
  Tensor operator()(const Tensor& grad) const { return gradient_for(grad, shape, dtype); }
};

Tensor zeros_like(const Tensor& x) { return full(x.shape(), 0, x.dtype(), x.device()); }

// An op whose gradient is 0 wherever it has one.
Tensor step_op(const char* name, PydlBinaryOp kind, const Tensor& a, const Tensor& b) {
  Op op(name, a, b);
  Tensor out = arithmetic(op, kind, a, b);
  if (needs_grad(a, b))
    record(name, {&out}, {&a, &b}, [like_a = Like(a), like_b = Like(b)](Backward& g) {
      if (g.needs(0)) g.give(0, like_a(zeros_like(g.grad())));
      if (g.needs(1)) g.give(1, like_b(zeros_like(g.grad())));
    });
  return out;
}

// maximum or minimum: the gradient goes where the result came from, half to each on a tie.
Tensor extremum(const char* name, PydlBinaryOp kind, const Tensor& a, const Tensor& b) {
  Op op(name, a, b);
  Tensor out = arithmetic(op, kind, a, b);
  if (needs_grad(a, b))
    record(name, {&out}, {&a, &b}, [a = Saved(a), b = Saved(b), kind](Backward& g) {
      const Tensor &x = g[a], &y = g[b], &dy = g.grad();
      Tensor wins = kind == PYDL_BINARY_maximum ? greater(x, y) : less(x, y);
      Tensor half = multiply(dy, constant(0.5, dy));
      Tensor dx = where(wins, dy, where(equal(x, y), half, constant(0, dy)));
      if (g.needs(0)) g.give(0, Like(x)(dx));
      if (g.needs(1)) g.give(1, Like(y)(subtract(dy, dx)));
    });
  return out;
}

DType real_dtype(const Tensor& a, const Tensor& b) {
  DType dtype = promote(a.dtype(), b.dtype());
  return is_floating(dtype) ? dtype : DType::float32;
}

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
    record("multiply", {&out}, {&a, &b},
           [like_a = Like(a), like_b = Like(b), a = saved_for(b, a),
            b = saved_for(a, b)](Backward& g) {
             if (g.needs(0)) g.give(0, like_a(multiply(g.grad(), g[b])));
             if (g.needs(1)) g.give(1, like_b(multiply(g.grad(), g[a])));
           });
  return out;
}

Tensor divide(const Tensor& a, const Tensor& b) {
  Op op("divide", a, b);
  DType dtype = real_dtype(a, b);
  Tensor out = binary(op, PYDL_BINARY_divide, a, b, dtype, dtype);
  if (needs_grad(a, b))
    record("divide", {&out}, {&a, &b},
           [like_a = Like(a), like_b = Like(b), b = Saved(b), out = SavedOutput(out)](Backward& g) {
             Tensor da = divide(g.grad(), g[b]);
             if (g.needs(1)) g.give(1, like_b(neg(multiply(da, g[out]))));
             if (g.needs(0)) g.give(0, like_a(da));
           });
  return out;
}

// a - b floor(a / b)
Tensor mod(const Tensor& a, const Tensor& b) {
  Op op("mod", a, b);
  Tensor out = arithmetic(op, PYDL_BINARY_mod, a, b);
  if (needs_grad(a, b))
    record("mod", {&out}, {&a, &b}, [a = Saved(a), b = Saved(b)](Backward& g) {
      const Tensor &x = g[a], &y = g[b];
      if (g.needs(0)) g.give(0, Like(x)(g.grad()));
      if (g.needs(1)) g.give(1, Like(y)(neg(multiply(g.grad(), floor_divide(x, y)))));
    });
  return out;
}

Tensor power(const Tensor& a, const Tensor& b) {
  Op op("power", a, b);
  Tensor out = arithmetic(op, PYDL_BINARY_power, a, b);
  if (needs_grad(a, b))
    record("power", {&out}, {&a, &b},
           [a = Saved(a), b = Saved(b), out = SavedOutput(out)](Backward& g) {
             const Tensor &base = g[a], &exponent = g[b], &dy = g.grad();
             Tensor zero = constant(0, dy);
             if (g.needs(0)) {
               // 0 where the exponent is 0, though base^-1 may be infinite there.
               Tensor lower = power(base, subtract(exponent, constant(1, exponent)));
               Tensor da = multiply(dy, multiply(exponent, lower));
               g.give(0, Like(base)(where(equal(exponent, constant(0, exponent)), zero, da)));
             }
             if (g.needs(1)) {
               Tensor db = multiply(dy, multiply(g[out], log(base)));
               g.give(1, Like(exponent)(where(equal(base, constant(0, base)), zero, db)));
             }
           });
  return out;
}

Tensor power(const Tensor& base, double exponent) {
  bool real = is_floating(base.dtype());
  if (!real && exponent < 0)
    fail<ValueError>("[power] expected an exponent of at least 0 for integers, got ", exponent,
                     ". Hint: cast the base to float32");
  if (exponent == 2) return square(base);
  if (exponent == 3) return multiply(square(base), base);
  if (exponent == 0.5 && real) return sqrt(base);
  if (exponent == -0.5 && real) return rsqrt(base);
  if (exponent == -1 && real) return reciprocal(base);
  return power(base, constant(exponent, base));
}

Tensor maximum(const Tensor& a, const Tensor& b) {
  return extremum("maximum", PYDL_BINARY_maximum, a, b);
}
Tensor minimum(const Tensor& a, const Tensor& b) {
  return extremum("minimum", PYDL_BINARY_minimum, a, b);
}
Tensor floor_divide(const Tensor& a, const Tensor& b) {
  return step_op("floor_divide", PYDL_BINARY_floor_divide, a, b);
}

#define PYDL_COMPARISON(name)                             \
  Tensor name(const Tensor& a, const Tensor& b) {         \
    return comparison(#name, PYDL_BINARY_##name, a, b);   \
  }
PYDL_BINARY_PREDICATES(PYDL_COMPARISON)
#undef PYDL_COMPARISON

Tensor where(const Tensor& condition_in, const Tensor& a_in, const Tensor& b_in) {
  Op op("where", condition_in, a_in, b_in);
  DType dtype = promote(a_in.dtype(), b_in.dtype());
  Tensor condition = cast(condition_in, DType::boolean);
  Tensor a = cast(a_in.detach(), dtype), b = cast(b_in.detach(), dtype);
  Dims shape = op.broadcast(condition.shape(), op.broadcast(a.shape(), b.shape()));
  Tensor out = empty_result(shape, dtype, op.device(), {&a, &b, &condition});
  auto plan = plan_elementwise<4>(shape, {&condition, &a, &b, &out});
  PydlWhereArgs args = {};
  plan.fill(args);
  plan.copy_strides(0, args.condition_strides);
  plan.copy_strides(1, args.a_strides);
  plan.copy_strides(2, args.b_strides);
  plan.copy_strides(3, args.out_strides);
  args.item_size = static_cast<int32_t>(item_size(dtype));
  args.condition = condition.data();
  args.a = a.data();
  args.b = b.data();
  args.out = out.data();
  op.launch(&PydlKernelTable::where, args);
  if (needs_grad(a_in, b_in))
    record("where", {&out}, {&a_in, &b_in},
           [like_a = Like(a_in), like_b = Like(b_in), condition = Saved(condition)](Backward& g) {
             Tensor zero = constant(0, g.grad());
             if (g.needs(0)) g.give(0, like_a(where(g[condition], g.grad(), zero)));
             if (g.needs(1)) g.give(1, like_b(where(g[condition], zero, g.grad())));
           });
  return out;
}

}  // namespace pydl
