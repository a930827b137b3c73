// The activations that kernels fuse, on one number in registers (float or double).
#pragma once

#include <cuda_runtime.h>
#include <math.h>

#include "pydl/kernels/activation.h"

namespace pydl::cuda {
namespace {

template <class C>
__device__ inline C sigmoid_of(C x) {
  return C(1) / (C(1) + exp(-x));
}

template <class C>
__device__ inline C activate(PydlActivation activation, C x) {
  switch (activation) {
    case PYDL_ACTIVATION_RELU: return x < C(0) ? C(0) : x;  // NaN stays NaN
    case PYDL_ACTIVATION_RELU6: return x < C(0) ? C(0) : x > C(6) ? C(6) : x;
    case PYDL_ACTIVATION_SIGMOID: return sigmoid_of(x);
    case PYDL_ACTIVATION_TANH: return tanh(x);
    case PYDL_ACTIVATION_SILU: return x * sigmoid_of(x);
    case PYDL_ACTIVATION_GELU: return x * C(0.5) * (erf(x * C(M_SQRT1_2)) + C(1));
    case PYDL_ACTIVATION_GELU_TANH: {
      const C inner = x * (x * x * C(0.044715) + C(1)) * C(M_SQRT2 * M_2_SQRTPI / 2);
      return x * C(0.5) * (tanh(inner) + C(1));
    }
    default: return x;
  }
}

}  // namespace
}  // namespace pydl::cuda
