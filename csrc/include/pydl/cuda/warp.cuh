// Reductions within teams of neighbouring threads: parts of a warp, or whole blocks. Every thread of
// the team gets the result, and the order of the additions is always the same.
#pragma once

#include <cuda_runtime.h>
#include <math.h>

namespace pydl::cuda {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;

struct Add {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};
// Passes over NaN.
struct Larger {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return b > a ? b : a;
  }
};

// All threads of a warp take part, kTeam <= 32 of them in each reduction.
template <int kTeam, class T, class Combine>
__device__ inline T reduce_lanes(T value, Combine combine) {
#pragma unroll
  for (int step = kTeam / 2; step > 0; step /= 2)
    value = combine(value, __shfl_xor_sync(kAllLanes, value, step));
  return value;
}

// kTeam is a power of two up to 32, or the number of threads of the block.
template <int kTeam, class T, class Combine>
__device__ inline T reduce_team(T value, Combine combine) {
  if constexpr (kTeam <= kWarp) {
    return reduce_lanes<kTeam>(value, combine);
  } else {
    constexpr int kWarps = kTeam / kWarp;
    __shared__ T parts[kWarps];
    value = reduce_lanes<kWarp>(value, combine);
    __syncthreads();  // the last reduction may still be reading
    if (threadIdx.x % kWarp == 0) parts[threadIdx.x / kWarp] = value;
    __syncthreads();
    value = parts[threadIdx.x % kWarps];
    return reduce_lanes<kWarps>(value, combine);
  }
}

}  // namespace pydl::cuda
