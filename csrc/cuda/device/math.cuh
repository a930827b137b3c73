// Elementary functions of float and double beyond those of math.h, right for 0, infinities and NaN.
#pragma once

#include <cuda_runtime.h>
#include <math.h>

namespace pydl::cuda {
namespace {

// NaN if one of them is.
template <class T>
__device__ inline T maximum(T a, T b) {
  return a > b || a != a ? a : b;
}
template <class T>
__device__ inline T minimum(T a, T b) {
  return a < b || a != a ? a : b;
}

template <class T>
__device__ inline T sign(T x) {
  return x > 0 ? T(1) : x < 0 ? T(-1) : x == 0 ? T(0) : x;
}

// Never takes the exponential of a large number.
template <class T>
__device__ inline T sigmoid(T x) {
  const T e = ::exp(-::fabs(x));
  return (x < 0 ? e : T(1)) / (T(1) + e);
}

template <class T>
__device__ inline T softplus(T x) {
  return maximum(x, T(0)) + ::log1p(::exp(-::fabs(x)));
}

template <class T>
__device__ inline T normal_cdf(T x) {
  return T(0.5) * ::erf(x * T(0.70710678118654752440)) + T(0.5);
}

// 0.5 (1 + tanh(u)) = sigmoid(2 u)
constexpr double kGeluCubic = 0.044715, kTwiceSqrt2OverPi = 1.5957691216057307118;
template <class T>
__device__ inline T gelu_tanh_gate(T x) {
  return sigmoid(x * (x * x * T(kGeluCubic) + T(1)) * T(kTwiceSqrt2OverPi));
}

// tanh(softplus(x)), where both exponentials cancel.
template <class T>
__device__ inline T mish_gate(T x) {
  const T e = ::exp(x > 20 ? T(20) : x), n = e * (e + T(2));
  return n / (n + T(2));
}

}  // namespace
}  // namespace pydl::cuda
