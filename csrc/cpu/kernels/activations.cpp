// Activation functions and their gradients.
#include "cpu/simd/math.h"
#include "cpu/unary.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr double kSeluScale = 1.0507009873554804934, kSeluAlpha = 1.6732632423543772848;
constexpr double kGeluCubic = 0.044715;
constexpr double kSqrt2OverPi = M_SQRT2 * M_2_SQRTPI * 0.5;
constexpr double kNormalDensityAt0 = M_SQRT1_2 * M_2_SQRTPI * 0.5;

template <class T>
inline Vec<T> softplus(Vec<T> x) {
  return max(x, 0) + log1p_unit(exp(-abs(x)));
}
template <class T>
inline Vec<T> normal_cdf(Vec<T> x) {
  return fma(erf(x * static_cast<T>(M_SQRT1_2)), 0.5f, 0.5f);
}
// 0.5 (1 + tanh(u)) = sigmoid(2 u)
template <class T>
inline Vec<T> gelu_tanh_gate(Vec<T> x) {
  const Vec<T> cubic = fma(x * x, static_cast<T>(kGeluCubic), 1);
  return sigmoid(x * cubic * static_cast<T>(2 * kSqrt2OverPi));
}
// tanh(softplus(x)), where both exponentials cancel.
template <class T>
inline Vec<T> mish_gate(Vec<T> x) {
  const Vec<T> e = exp(select(x > 20, 20, x)), n = e * (e + 2);
  return n / (n + 2);
}

PYDL_UNARY_FUNCTION(relu, return select(x < 0, 0, x);)
PYDL_UNARY_FUNCTION(relu6, return min(max(x, 0), 6);)
PYDL_UNARY_FUNCTION(leaky_relu, return select(x < 0, x * alpha, x);)
PYDL_UNARY_FUNCTION(elu, return select(x < 0, expm1(x) * alpha, x);)
PYDL_UNARY_FUNCTION(selu,
                    return select(x < 0, expm1(x) * static_cast<T>(kSeluAlpha), x) *
                           static_cast<T>(kSeluScale);)
PYDL_UNARY_FUNCTION(celu, return select(x < 0, expm1(x / alpha) * alpha, x);)
PYDL_UNARY_FUNCTION(gelu, return x * normal_cdf(x);)
PYDL_UNARY_FUNCTION(gelu_tanh, return x * gelu_tanh_gate(x);)
PYDL_UNARY_FUNCTION(silu, return x * sigmoid(x);)
PYDL_UNARY_FUNCTION(softplus, return softplus(x);)
PYDL_UNARY_FUNCTION(softsign, return x / (abs(x) + 1);)
PYDL_UNARY_FUNCTION(hard_sigmoid, return min(max(x + 3, 0), 6) * static_cast<T>(1.0 / 6);)
PYDL_UNARY_FUNCTION(hard_silu, return x * min(max(x + 3, 0), 6) * static_cast<T>(1.0 / 6);)
PYDL_UNARY_FUNCTION(mish, return x * mish_gate(x);)
PYDL_UNARY_FUNCTION(log_sigmoid, return -softplus(-x);)

PYDL_UNARY_GRADIENT(relu, return select(x <= 0, 0, dy);)
PYDL_UNARY_GRADIENT(relu6, return select((x <= 0) | (x >= 6), 0, dy);)
PYDL_UNARY_GRADIENT(leaky_relu, return select(x < 0, dy * alpha, dy);)
PYDL_UNARY_GRADIENT(elu, return select(x < 0, dy * exp(x) * alpha, dy);)
PYDL_UNARY_GRADIENT(selu,
                    return select(x < 0, exp(x) * static_cast<T>(kSeluAlpha), 1) * dy *
                           static_cast<T>(kSeluScale);)
PYDL_UNARY_GRADIENT(celu, return select(x < 0, dy * exp(x / alpha), dy);)
PYDL_UNARY_GRADIENT(gelu,
                    const Vec<T> density = exp(x * x * -0.5f) * static_cast<T>(kNormalDensityAt0);
                    return dy * fma(x, density, normal_cdf(x));)
PYDL_UNARY_GRADIENT(gelu_tanh,
                    const Vec<T> gate = gelu_tanh_gate(x);
                    // Where the bound bites, the gate is flat: its slope below is 0.
                    const Vec<T> inner = fma(min(x * x, 100), static_cast<T>(3 * kGeluCubic), 1);
                    const Vec<T> slope = gate * (Vec<T>(1) - gate);
                    return dy * fma(x * slope, inner * static_cast<T>(2 * kSqrt2OverPi), gate);)
PYDL_UNARY_GRADIENT(silu, const Vec<T> s = sigmoid(x); return dy * s * fma(x, Vec<T>(1) - s, 1);)
PYDL_UNARY_GRADIENT(softplus, return dy * sigmoid(x);)
PYDL_UNARY_GRADIENT(softsign, const Vec<T> d = abs(x) + 1; return dy / (d * d);)
PYDL_UNARY_GRADIENT(hard_sigmoid, return select(abs(x) < 3, dy * static_cast<T>(1.0 / 6), 0);)
PYDL_UNARY_GRADIENT(hard_silu,
                    const Vec<T> inside = fma(x, static_cast<T>(1.0 / 3), 0.5f);
                    return dy * select(x <= -3, 0, select(x >= 3, 1, inside));)
PYDL_UNARY_GRADIENT(mish,
                    const Vec<T> gate = mish_gate(x);
                    return dy * fma(x * sigmoid(x), Vec<T>(1) - gate * gate, gate);)
PYDL_UNARY_GRADIENT(log_sigmoid, return dy * sigmoid(-x);)

#define PYDL_ACTIVATION_OPS(X)                                                              \
  X(relu) X(relu6) X(leaky_relu) X(elu) X(selu) X(celu) X(gelu) X(gelu_tanh) X(silu)        \
  X(softplus) X(softsign) X(hard_sigmoid) X(hard_silu) X(mish) X(log_sigmoid)

}  // namespace

RowKernel activation_row(PydlUnaryOp op, bool is_double) {
  switch (op) {
    PYDL_ACTIVATION_OPS(PYDL_FORWARD_CASE)
    default: return nullptr;
  }
}

RowKernel activation_backward_row(PydlUnaryOp op, bool is_double) {
  switch (op) {
    PYDL_ACTIVATION_OPS(PYDL_BACKWARD_CASE)
    default: return nullptr;
  }
}

}  // namespace pydl::cpu::PYDL_ISA
