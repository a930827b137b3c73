#include <cmath>

#include "ops/unary.h"

namespace pydl {
namespace {

constexpr double kSeluScale = 1.0507009873554804934, kSeluAlpha = 1.6732632423543772848;
constexpr double kGeluCubic = 0.044715;
constexpr double kSqrt2OverPi = M_SQRT2 * M_2_SQRTPI * 0.5;

// 1 where the condition holds, else 0.
Tensor indicator(const Tensor& condition, const Tensor& like) {
  return cast(condition, like.dtype());
}

// exp(x), kept finite where x > 0 and the result is not used.
Tensor exp_of_negative(const Tensor& x) { return exp(minimum(x, constant(0, x))); }

// `slope` where x < 0, else 1.
Tensor below_zero(const Tensor& x, const Tensor& slope) {
  return where(less(x, constant(0, x)), slope, constant(1, x));
}

Tensor relu_slope(const Tensor& y) { return indicator(greater(y, constant(0, y)), y); }

Tensor relu6_slope(const Tensor& y) {
  return indicator(logical_and(greater(y, constant(0, y)), less(y, constant(6, y))), y);
}

Tensor selu_slope(const Tensor& x) {
  return below_zero(x, exp_of_negative(x) * kSeluAlpha) * kSeluScale;
}

Tensor gelu_slope(const Tensor& x) {
  Tensor cdf = (erf(x * M_SQRT1_2) + 1) * 0.5;
  Tensor density = exp(square(x) * -0.5) * (M_SQRT1_2 * M_2_SQRTPI * 0.5);
  return cdf + x * density;
}

// With s = sigmoid(2 u): s + x s (1 - s) 2 u'.
Tensor gelu_tanh_slope(const Tensor& x) {
  Tensor square_x = square(x);
  Tensor s = sigmoid(x * (square_x * kGeluCubic + 1) * (2 * kSqrt2OverPi));
  Tensor inner = (square_x * (3 * kGeluCubic) + 1) * (2 * kSqrt2OverPi);
  return s + x * s * (1 - s) * inner;
}

Tensor silu_slope(const Tensor& x) {
  Tensor s = sigmoid(x);
  return s + x * s * (1 - s);
}

Tensor hard_sigmoid_slope(const Tensor& x) {
  return indicator(less(abs(x), constant(3, x)), x) * (1.0 / 6);
}

Tensor hard_silu_slope(const Tensor& x) {
  Tensor inside = indicator(less(abs(x), constant(3, x)), x);
  Tensor above = indicator(greater_equal(x, constant(3, x)), x);
  return inside * (x * (1.0 / 3) + 0.5) + above;
}

Tensor mish_slope(const Tensor& x) {
  Tensor t = tanh(softplus(x));
  return t + x * (1 - square(t)) * sigmoid(x);
}

}  // namespace

Slope fusable_slope(PydlUnaryOp kind) {
  switch (kind) {
    case PYDL_UNARY_relu: return relu_slope;
    case PYDL_UNARY_relu6: return relu6_slope;
    case PYDL_UNARY_sigmoid: return [](const Tensor& y) { return y * (1 - y); };
    case PYDL_UNARY_tanh: return [](const Tensor& y) { return 1 - square(y); };
    case PYDL_UNARY_silu: return silu_slope;
    case PYDL_UNARY_gelu: return gelu_slope;
    default: return gelu_tanh_slope;
  }
}

Tensor relu(const Tensor& x) { return unary_op("relu", PYDL_UNARY_relu, x, relu_slope); }
Tensor relu6(const Tensor& x) { return real_op("relu6", PYDL_UNARY_relu6, x, relu6_slope); }
Tensor selu(const Tensor& x) { return real_op("selu", PYDL_UNARY_selu, x, selu_slope); }
Tensor gelu(const Tensor& x) { return real_op("gelu", PYDL_UNARY_gelu, x, gelu_slope); }
Tensor gelu_tanh(const Tensor& x) {
  return real_op("gelu_tanh", PYDL_UNARY_gelu_tanh, x, gelu_tanh_slope);
}
Tensor silu(const Tensor& x) { return real_op("silu", PYDL_UNARY_silu, x, silu_slope); }
Tensor softplus(const Tensor& x) {
  return real_op("softplus", PYDL_UNARY_softplus, x, [](const Tensor& x) { return sigmoid(x); });
}
Tensor softsign(const Tensor& x) {
  return real_op("softsign", PYDL_UNARY_softsign, x,
                 [](const Tensor& x) { return square(reciprocal(abs(x) + 1)); });
}
Tensor hard_sigmoid(const Tensor& x) {
  return real_op("hard_sigmoid", PYDL_UNARY_hard_sigmoid, x, hard_sigmoid_slope);
}
Tensor hard_silu(const Tensor& x) {
  return real_op("hard_silu", PYDL_UNARY_hard_silu, x, hard_silu_slope);
}
Tensor mish(const Tensor& x) { return real_op("mish", PYDL_UNARY_mish, x, mish_slope); }
Tensor log_sigmoid(const Tensor& x) {
  return real_op("log_sigmoid", PYDL_UNARY_log_sigmoid, x,
                 [](const Tensor& x) { return sigmoid(neg(x)); });
}

Tensor leaky_relu(const Tensor& x, double negative_slope) {
  Slope slope = [=](const Tensor& x) { return below_zero(x, constant(negative_slope, x)); };
  return real_op("leaky_relu", PYDL_UNARY_leaky_relu, x, slope, negative_slope);
}
Tensor elu(const Tensor& x, double alpha) {
  Slope slope = [=](const Tensor& x) { return below_zero(x, exp_of_negative(x) * alpha); };
  return real_op("elu", PYDL_UNARY_elu, x, slope, alpha);
}
Tensor celu(const Tensor& x, double alpha) {
  Slope slope = [=](const Tensor& x) { return below_zero(x, exp_of_negative(x * (1 / alpha))); };
  return real_op("celu", PYDL_UNARY_celu, x, slope, alpha);
}

}  // namespace pydl
