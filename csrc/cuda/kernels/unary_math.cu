// Arithmetic and elementary functions of one argument, and their gradients.
#include "cuda/device/unary.cuh"

namespace pydl::cuda {
namespace {

PYDL_UNARY_FUNCTION(abs, return ::fabs(x);)
PYDL_UNARY_FUNCTION(neg, return -x;)
PYDL_UNARY_FUNCTION(sign, return sign(x);)
PYDL_UNARY_FUNCTION(exp, return ::exp(x);)
PYDL_UNARY_FUNCTION(expm1, return ::expm1(x);)
PYDL_UNARY_FUNCTION(log, return ::log(x);)
PYDL_UNARY_FUNCTION(log1p, return ::log1p(x);)
PYDL_UNARY_FUNCTION(sqrt, return ::sqrt(x);)
PYDL_UNARY_FUNCTION(rsqrt, return T(1) / ::sqrt(x);)
PYDL_UNARY_FUNCTION(square, return x * x;)
PYDL_UNARY_FUNCTION(reciprocal, return T(1) / x;)
PYDL_UNARY_FUNCTION(sin, return ::sin(x);)
PYDL_UNARY_FUNCTION(cos, return ::cos(x);)
PYDL_UNARY_FUNCTION(tan, return ::tan(x);)
PYDL_UNARY_FUNCTION(tanh, return ::tanh(x);)
PYDL_UNARY_FUNCTION(sigmoid, return sigmoid(x);)
PYDL_UNARY_FUNCTION(erf, return ::erf(x);)
PYDL_UNARY_FUNCTION(floor, return ::floor(x);)
PYDL_UNARY_FUNCTION(ceil, return ::ceil(x);)
PYDL_UNARY_FUNCTION(round, return ::rint(x);)
PYDL_UNARY_FUNCTION(clip, return minimum(maximum(x, alpha), beta);)

PYDL_UNARY_GRADIENT(abs, return dy * sign(x);)
PYDL_UNARY_GRADIENT(neg, return -dy;)
PYDL_UNARY_GRADIENT(exp, return dy * x;)
PYDL_UNARY_GRADIENT(expm1, return dy * (x + 1);)
PYDL_UNARY_GRADIENT(log, return dy / x;)
PYDL_UNARY_GRADIENT(log1p, return dy / (x + 1);)
PYDL_UNARY_GRADIENT(sqrt, return dy * T(0.5) / x;)
PYDL_UNARY_GRADIENT(rsqrt, return dy * T(-0.5) * x * x * x;)
PYDL_UNARY_GRADIENT(square, return dy * (x + x);)
PYDL_UNARY_GRADIENT(reciprocal, return -dy * x * x;)
PYDL_UNARY_GRADIENT(sin, return dy * ::cos(x);)
PYDL_UNARY_GRADIENT(cos, return -dy * ::sin(x);)
PYDL_UNARY_GRADIENT(tan, return dy * (x * x + 1);)
PYDL_UNARY_GRADIENT(tanh, return dy * (1 - x * x);)
PYDL_UNARY_GRADIENT(sigmoid, return dy * x * (1 - x);)
PYDL_UNARY_GRADIENT(erf, return dy * ::exp(-x * x) * T(1.12837916709551257390);)
PYDL_UNARY_GRADIENT(clip, return x < alpha || x > beta ? T(0) : dy;)

// Large angles need an array on the stack, which would slow down the others: two kernels.
#define PYDL_TRIGONOMETRY_OPS(X) X(sin) X(cos) X(tan)
#define PYDL_SMOOTH_OPS(X)                                                                      \
  X(abs) X(neg) X(exp) X(expm1) X(log) X(log1p) X(sqrt) X(rsqrt) X(square) X(reciprocal)        \
  X(tanh) X(sigmoid) X(erf) X(clip)
#define PYDL_STEP_OPS(X) X(sign) X(floor) X(ceil) X(round)
#define PYDL_PLAIN_OPS(X) PYDL_SMOOTH_OPS(X) PYDL_STEP_OPS(X)
#define PYDL_YES(name) case PYDL_UNARY_##name: return true;

PYDL_UNARY_BODY(PlainBody, PYDL_PLAIN_OPS)
PYDL_UNARY_BACKWARD_BODY(PlainBackwardBody, PYDL_SMOOTH_OPS)
PYDL_UNARY_BODY(TrigonometryBody, PYDL_TRIGONOMETRY_OPS)
PYDL_UNARY_BACKWARD_BODY(TrigonometryBackwardBody, PYDL_TRIGONOMETRY_OPS)

bool is_trigonometric(PydlUnaryOp op) {
  switch (op) {
    PYDL_TRIGONOMETRY_OPS(PYDL_YES)
    default: return false;
  }
}

}  // namespace

bool is_math(PydlUnaryOp op) {
  switch (op) {
    PYDL_PLAIN_OPS(PYDL_YES)
    default: return is_trigonometric(op);
  }
}

PydlStatus run_math(const PydlContext* context, const PydlUnaryArgs* args) {
  return is_trigonometric(args->op) ? run_unary<TrigonometryBody>(context, args)
                                    : run_unary<PlainBody>(context, args);
}

bool has_math_gradient(PydlUnaryOp op) {
  switch (op) {
    PYDL_SMOOTH_OPS(PYDL_YES)
    default: return is_trigonometric(op);
  }
}

PydlStatus run_math_backward(const PydlContext* context, const PydlUnaryBackwardArgs* args) {
  return is_trigonometric(args->op) ? run_unary_backward<TrigonometryBackwardBody>(context, args)
                                    : run_unary_backward<PlainBackwardBody>(context, args);
}

}  // namespace pydl::cuda
