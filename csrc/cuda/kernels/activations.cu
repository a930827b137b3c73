// Activation functions and their gradients.
#include "cuda/device/unary.cuh"

namespace pydl::cuda {
namespace {

constexpr double kSeluScale = 1.0507009873554804934, kSeluAlpha = 1.6732632423543772848;
constexpr double kNormalDensityAt0 = 0.39894228040143267794;

template <class T>
__device__ inline T hard_gate(T x) {  // times 6
  return minimum(maximum(x + T(3), T(0)), T(6));
}

PYDL_UNARY_FUNCTION(relu, return x < 0 ? T(0) : x;)
PYDL_UNARY_FUNCTION(relu6, return minimum(maximum(x, T(0)), T(6));)
PYDL_UNARY_FUNCTION(leaky_relu, return x < 0 ? x * alpha : x;)
PYDL_UNARY_FUNCTION(elu, return x < 0 ? ::expm1(x) * alpha : x;)
PYDL_UNARY_FUNCTION(selu, return (x < 0 ? ::expm1(x) * T(kSeluAlpha) : x) * T(kSeluScale);)
PYDL_UNARY_FUNCTION(celu, return x < 0 ? ::expm1(x / alpha) * alpha : x;)
PYDL_UNARY_FUNCTION(gelu, return x * normal_cdf(x);)
PYDL_UNARY_FUNCTION(gelu_tanh, return x * gelu_tanh_gate(x);)
PYDL_UNARY_FUNCTION(silu, return x * sigmoid(x);)
PYDL_UNARY_FUNCTION(softplus, return softplus(x);)
PYDL_UNARY_FUNCTION(softsign, return x / (::fabs(x) + 1);)
PYDL_UNARY_FUNCTION(hard_sigmoid, return hard_gate(x) * T(1.0 / 6);)
PYDL_UNARY_FUNCTION(hard_silu, return x * hard_gate(x) * T(1.0 / 6);)
PYDL_UNARY_FUNCTION(mish, return x * mish_gate(x);)
PYDL_UNARY_FUNCTION(log_sigmoid, return -softplus(-x);)

PYDL_UNARY_GRADIENT(relu, return x <= 0 ? T(0) : dy;)
PYDL_UNARY_GRADIENT(relu6, return x <= 0 || x >= 6 ? T(0) : dy;)
PYDL_UNARY_GRADIENT(leaky_relu, return x < 0 ? dy * alpha : dy;)
PYDL_UNARY_GRADIENT(elu, return x < 0 ? dy * ::exp(x) * alpha : dy;)
PYDL_UNARY_GRADIENT(selu, return (x < 0 ? ::exp(x) * T(kSeluAlpha) : T(1)) * dy * T(kSeluScale);)
PYDL_UNARY_GRADIENT(celu, return x < 0 ? dy * ::exp(x / alpha) : dy;)
PYDL_UNARY_GRADIENT(gelu,
                    const T density = ::exp(x * x * T(-0.5)) * T(kNormalDensityAt0);
                    return dy * (x * density + normal_cdf(x));)
PYDL_UNARY_GRADIENT(gelu_tanh,
                    const T gate = gelu_tanh_gate(x);
                    // Where the bound bites, the gate is flat: its slope below is 0.
                    const T inner = minimum(x * x, T(100)) * T(3 * kGeluCubic) + T(1);
                    const T slope = gate * (T(1) - gate);
                    return dy * (x * slope * inner * T(kTwiceSqrt2OverPi) + gate);)
PYDL_UNARY_GRADIENT(silu, const T s = sigmoid(x); return dy * s * (x * (T(1) - s) + T(1));)
PYDL_UNARY_GRADIENT(softplus, return dy * sigmoid(x);)
PYDL_UNARY_GRADIENT(softsign, const T d = ::fabs(x) + 1; return dy / (d * d);)
PYDL_UNARY_GRADIENT(hard_sigmoid, return ::fabs(x) < 3 ? dy * T(1.0 / 6) : T(0);)
PYDL_UNARY_GRADIENT(hard_silu,
                    const T inside = x * T(1.0 / 3) + T(0.5);
                    return dy * (x <= -3 ? T(0) : x >= 3 ? T(1) : inside);)
PYDL_UNARY_GRADIENT(mish,
                    const T gate = mish_gate(x);
                    return dy * (x * sigmoid(x) * (T(1) - gate * gate) + gate);)
PYDL_UNARY_GRADIENT(log_sigmoid, return dy * sigmoid(-x);)

#define PYDL_ACTIVATION_OPS(X)                                                              \
  X(relu) X(relu6) X(leaky_relu) X(elu) X(selu) X(celu) X(gelu) X(gelu_tanh) X(silu)        \
  X(softplus) X(softsign) X(hard_sigmoid) X(hard_silu) X(mish) X(log_sigmoid)

PYDL_UNARY_BODY(ActivationBody, PYDL_ACTIVATION_OPS)
PYDL_UNARY_BACKWARD_BODY(ActivationBackwardBody, PYDL_ACTIVATION_OPS)

}  // namespace

PydlStatus run_activation(const PydlContext* context, const PydlUnaryArgs* args) {
  return run_unary<ActivationBody>(context, args);
}

PydlStatus run_activation_backward(const PydlContext* context, const PydlUnaryBackwardArgs* args) {
  return run_unary_backward<ActivationBackwardBody>(context, args);
}

}  // namespace pydl::cuda
