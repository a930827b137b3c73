// Sorting in shared memory, for rows that fit there.
// Batcher, "Sorting networks and their applications", 1968.
#pragma once

#include "cuda/device/sort_keys.cuh"

namespace pydl::cuda {
namespace {

constexpr int kTileThreads = 256;
constexpr int kTile = 2048;  // elements in shared memory

// Sorts each run of `n`, a power of two, of the tile, ascending; equal keys by their positions,
// where there are any. All threads of the block take part.
template <class K, bool kPositions>
__device__ void sort_tile(K* keys, int32_t* positions, int n) {
  constexpr int kWarpReach = 32;  // pairs at this distance or less stay within a warp's elements
  int before = kTile;
  for (int size = 2; size <= n; size *= 2) {
    for (int stride = size / 2; stride > 0; before = stride, stride /= 2) {
      if (stride > kWarpReach || before > kWarpReach) {
        __syncthreads();
      } else {
        __syncwarp();
      }
      for (int pair = static_cast<int>(threadIdx.x); pair < kTile / 2; pair += kTileThreads) {
        const int i = 2 * pair - (pair & (stride - 1)), j = i + stride;
        const bool rising = (i & (n - 1) & size) == 0;
        const K a = keys[i], b = keys[j];
        bool swaps = rising ? b < a : a < b;
        if constexpr (kPositions) {
          if (a == b) swaps = (positions[j] < positions[i]) == rising;
        }
        if (!swaps) continue;
        keys[i] = b;
        keys[j] = a;
        if constexpr (kPositions) {
          const int32_t kept = positions[i];
          positions[i] = positions[j];
          positions[j] = kept;
        }
      }
    }
  }
  __syncthreads();
}

inline int power_of_two_from(int64_t columns) {
  int n = 1;
  while (n < columns) n *= 2;
  return n;
}

}  // namespace
}  // namespace pydl::cuda
