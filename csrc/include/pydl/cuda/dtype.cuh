// The 16-bit storage types, and the wider type that arithmetic on them is done in.
#pragma once

#include <cuda_runtime.h>
#include <stdint.h>

#include <type_traits>

#include "pydl/abi.h"
#include "pydl/cuda/ptx/convert.cuh"

namespace pydl::cuda {

struct float16 {
  static constexpr PydlDType kDType = PYDL_FLOAT16;
  uint16_t bits;
};
struct bfloat16 {
  static constexpr PydlDType kDType = PYDL_BFLOAT16;
  uint16_t bits;
};

template <class T>
struct ComputeOf {
  using type = T;
};
template <>
struct ComputeOf<float16> {
  using type = float;
};
template <>
struct ComputeOf<bfloat16> {
  using type = float;
};
template <class T>
using Compute = typename ComputeOf<T>::type;

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(float16 x) { return ptx::half_to_float(x.bits); }
__device__ __forceinline__ float to_float(bfloat16 x) { return ptx::bfloat16_to_float(x.bits); }

// Rounds to the nearest, ties to even.
template <class T>
__device__ __forceinline__ T from_float(float x) {
  if constexpr (std::is_same_v<T, float16>) {
    return T{ptx::float_to_half(x)};
  } else if constexpr (std::is_same_v<T, bfloat16>) {
    return T{ptx::float_to_bfloat16(x)};
  } else {
    return static_cast<T>(x);
  }
}

template <class T>
__device__ __forceinline__ Compute<T> to_compute(T x) {
  if constexpr (std::is_same_v<T, Compute<T>>) {
    return x;
  } else {
    return to_float(x);
  }
}
template <class T>
__device__ __forceinline__ T from_compute(Compute<T> x) {
  if constexpr (std::is_same_v<T, Compute<T>>) {
    return x;
  } else {
    return from_float<T>(x);
  }
}

}  // namespace pydl::cuda
