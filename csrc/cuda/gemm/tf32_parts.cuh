// float32 on tensor cores: x = big + small, both tf32, keeps 22 bits of mantissa; small * big +
// big * small + big * big leaves out only what is below 2^-22 of a product. Infinite operands make NaN
// (infinity times a small part of 0): where they matter the SIMT product is for them.
#pragma once

#include "cuda/device/ptx/matrix.cuh"

namespace pydl::cuda {
namespace {

// The registers of a fragment.
template <int kCount>
struct Tf32Parts {
  uint32_t big[kCount], small[kCount];

  __device__ void set(int i, float x) {
    big[i] = ptx::to_tf32(x);
    small[i] = ptx::to_tf32(x - __uint_as_float(big[i]));
  }
};

// sums (16, 8) += a (16, 8) @ b (8, 8)
__device__ inline void multiply_parts(float (&sums)[4], const Tf32Parts<4>& a,
                                      const Tf32Parts<2>& b) {
  ptx::multiply_tf32(sums, a.small, b.big);
  ptx::multiply_tf32(sums, a.big, b.small);
  ptx::multiply_tf32(sums, a.big, b.big);
}

}  // namespace
}  // namespace pydl::cuda
