// The activations that kernels fuse, on one register.
#pragma once

#include "cpu/simd/math.h"
#include "pydl/kernels/activation.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

template <class T>
inline Vec<T> silu(Vec<T> x) {
  return x * sigmoid(x);
}
template <class T>
inline Vec<T> gelu(Vec<T> x) {
  return x * T(0.5) * (erf(x * T(M_SQRT1_2)) + T(1));
}
template <class T>
inline Vec<T> gelu_tanh(Vec<T> x) {
  const Vec<T> inner = x * fma(x * x, T(0.044715), T(1)) * T(M_SQRT2 * M_2_SQRTPI / 2);
  return x * T(0.5) * (tanh(inner) + T(1));
}

// Calls body(f), f being the activation as a function of one register.
template <class T, class Body>
inline void with_activation(PydlActivation activation, Body&& body) {
  switch (activation) {
    case PYDL_ACTIVATION_RELU: return body([](Vec<T> x) { return max(x, T(0)); });
    case PYDL_ACTIVATION_RELU6: return body([](Vec<T> x) { return min(max(x, T(0)), T(6)); });
    case PYDL_ACTIVATION_SIGMOID: return body([](Vec<T> x) { return sigmoid(x); });
    case PYDL_ACTIVATION_TANH: return body([](Vec<T> x) { return tanh(x); });
    case PYDL_ACTIVATION_SILU: return body([](Vec<T> x) { return silu(x); });
    case PYDL_ACTIVATION_GELU: return body([](Vec<T> x) { return gelu(x); });
    case PYDL_ACTIVATION_GELU_TANH: return body([](Vec<T> x) { return gelu_tanh(x); });
    default: return body([](Vec<T> x) { return x; });
  }
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
