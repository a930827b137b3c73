// Powers of two as the special function units make them.
#pragma once

#include <cuda_runtime.h>
#include <math.h>

namespace pydl::cuda::ptx {
namespace {

// Relative error 2^-22; results below 2^-126 are 0.
__device__ inline float exp2(float x) {
#ifdef PYDL_CUDA_EMULATED
  return ::exp2f(x);
#else
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#endif
}

}  // namespace
}  // namespace pydl::cuda::ptx
