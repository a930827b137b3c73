// Running sums of unsigned integers over the threads of a warp or a block.
#pragma once

#include <cuda_runtime.h>
#include <stdint.h>

namespace pydl::cuda {
namespace {

// The sum over the lanes up to this one.
__device__ inline uint32_t warp_running_sum(uint32_t value) {
  const int lane = static_cast<int>(threadIdx.x % 32);
#pragma unroll
  for (int distance = 1; distance < 32; distance *= 2) {
    const uint32_t other = __shfl_up_sync(0xffffffffu, value, distance);
    if (lane >= distance) value += other;
  }
  return value;
}

// The sum over the threads before this one, of a block of kSize; `total` becomes that of all.
template <int kSize>
__device__ inline uint32_t block_sum_before(uint32_t value, uint32_t& total) {
  __shared__ uint32_t sums[kSize / 32];
  const uint32_t running = warp_running_sum(value);
  __syncthreads();  // the last call may still be reading
  if (threadIdx.x % 32 == 31) sums[threadIdx.x / 32] = running;
  __syncthreads();
  uint32_t before = 0;
  total = 0;
#pragma unroll
  for (int warp = 0; warp < kSize / 32; ++warp) {
    if (warp < static_cast<int>(threadIdx.x / 32)) before += sums[warp];
    total += sums[warp];
  }
  return before + running - value;
}

}  // namespace
}  // namespace pydl::cuda
