// Between float32 and the bits of 16-bit floats, one at a time or two packed into a register.
#pragma once

#include <cuda_runtime.h>
#include <stdint.h>

namespace pydl::cuda::ptx {

__device__ __forceinline__ float half_to_float(uint16_t bits) {
#ifdef PYDL_CUDA_EMULATED
  return static_cast<float>(__builtin_bit_cast(_Float16, bits));
#else
  float x;
  asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
  return x;
#endif
}

__device__ __forceinline__ uint16_t float_to_half(float x) {
#ifdef PYDL_CUDA_EMULATED
  return __builtin_bit_cast(uint16_t, static_cast<_Float16>(x));
#else
  uint16_t bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
#endif
}

__device__ __forceinline__ float bfloat16_to_float(uint16_t bits) {
  return __uint_as_float(static_cast<uint32_t>(bits) << 16);
}

__device__ __forceinline__ uint16_t float_to_bfloat16(float x) {
#if defined(PYDL_CUDA_EMULATED) || (defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800)
  const uint32_t bits = __float_as_uint(x);
  if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fff;  // the NaN of the instruction
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
#else
  uint16_t bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
#endif
}

__device__ __forceinline__ uint32_t pack_half(float low, float high) {
#if defined(PYDL_CUDA_EMULATED) || (defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800)
  return float_to_half(low) | static_cast<uint32_t>(float_to_half(high)) << 16;
#else
  uint32_t bits;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
#endif
}

__device__ __forceinline__ uint32_t pack_bfloat16(float low, float high) {
#if defined(PYDL_CUDA_EMULATED) || (defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800)
  return float_to_bfloat16(low) | static_cast<uint32_t>(float_to_bfloat16(high)) << 16;
#else
  uint32_t bits;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
#endif
}

}  // namespace pydl::cuda::ptx
