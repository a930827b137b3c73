// Arithmetic and elementary functions of one argument, and their gradients.
#include "cpu/simd/math_wide.h"
#include "cpu/unary.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

PYDL_UNARY_FUNCTION(abs, return abs(x);)
PYDL_UNARY_FUNCTION(neg, return -x;)
PYDL_UNARY_FUNCTION(sign, return select(x > 0, 1, select(x < 0, -1, select(x == 0, 0, x)));)
PYDL_UNARY_FUNCTION(exp, return exp(x);)
PYDL_UNARY_FUNCTION(expm1, return expm1(x);)
PYDL_UNARY_FUNCTION(log, return log(x);)
PYDL_UNARY_FUNCTION(log1p, return log1p(x);)
PYDL_UNARY_FUNCTION(sqrt, return sqrt(x);)
PYDL_UNARY_FUNCTION(rsqrt, return Vec<T>(1) / sqrt(x);)
PYDL_UNARY_FUNCTION(square, return x * x;)
PYDL_UNARY_FUNCTION(reciprocal, return Vec<T>(1) / x;)
PYDL_UNARY_FUNCTION(sin, return sin(x);)
PYDL_UNARY_FUNCTION(cos, return cos(x);)
PYDL_UNARY_FUNCTION(tan, return tan(x);)
PYDL_UNARY_FUNCTION(tanh, return tanh(x);)
PYDL_UNARY_FUNCTION(sigmoid, return sigmoid(x);)
PYDL_UNARY_FUNCTION(erf, return erf(x);)
PYDL_UNARY_FUNCTION(floor, return floor(x);)
PYDL_UNARY_FUNCTION(ceil, return ceil(x);)
PYDL_UNARY_FUNCTION(round, return round(x);)
PYDL_UNARY_FUNCTION(clip, return min(max(x, alpha), beta);)

PYDL_UNARY_GRADIENT(abs, return dy * select(x > 0, 1, select(x < 0, -1, select(x == 0, 0, x)));)
PYDL_UNARY_GRADIENT(neg, return -dy;)
PYDL_UNARY_GRADIENT(exp, return dy * x;)
PYDL_UNARY_GRADIENT(expm1, return dy * (x + 1);)
PYDL_UNARY_GRADIENT(log, return dy / x;)
PYDL_UNARY_GRADIENT(log1p, return dy / (x + 1);)
PYDL_UNARY_GRADIENT(sqrt, return dy * 0.5f / x;)
PYDL_UNARY_GRADIENT(rsqrt, return dy * -0.5f * x * x * x;)
PYDL_UNARY_GRADIENT(square, return dy * (x + x);)
PYDL_UNARY_GRADIENT(reciprocal, return -dy * x * x;)
PYDL_UNARY_GRADIENT(sin, return dy * cos(x);)
PYDL_UNARY_GRADIENT(cos, return -dy * sin(x);)
PYDL_UNARY_GRADIENT(tan, return dy * (x * x + 1);)
PYDL_UNARY_GRADIENT(tanh, return dy * (Vec<T>(1) - x * x);)
PYDL_UNARY_GRADIENT(sigmoid, return dy * x * (Vec<T>(1) - x);)
PYDL_UNARY_GRADIENT(erf, return dy * exp(-x * x) * static_cast<T>(M_2_SQRTPI);)
PYDL_UNARY_GRADIENT(clip, return select((x < alpha) | (x > beta), 0, dy);)

#define PYDL_MATH_OPS(X)                                                                        \
  X(abs) X(neg) X(exp) X(expm1) X(log) X(log1p) X(sqrt) X(rsqrt) X(square) X(reciprocal) X(sin) \
  X(cos) X(tan) X(tanh) X(sigmoid) X(erf) X(clip)
#define PYDL_STEP_OPS(X) X(sign) X(floor) X(ceil) X(round)

}  // namespace

RowKernel math_row(PydlUnaryOp op, bool is_double) {
  switch (op) {
    PYDL_MATH_OPS(PYDL_FORWARD_CASE)
    PYDL_STEP_OPS(PYDL_FORWARD_CASE)
    default: return nullptr;
  }
}

RowKernel math_backward_row(PydlUnaryOp op, bool is_double) {
  switch (op) {
    PYDL_MATH_OPS(PYDL_BACKWARD_CASE)
    default: return nullptr;
  }
}

}  // namespace pydl::cpu::PYDL_ISA
