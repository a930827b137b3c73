// The sums of a warp's part of a block's tile, as tensor cores leave them: a square tile of kOuter, in
// parts of kOuter / 2 by 32.
#pragma once

#include <cuda_runtime.h>
#include <stdint.h>

#include "cuda/gemm/shared_tile.cuh"

namespace pydl::cuda {
namespace {

template <int kOuter, class Number = float>
class WarpSums {
 public:
  // Leaves the sums in shared memory.
  __device__ void store(float* to) const {
#pragma unroll
    for (int i = 0; i < kWarpRows / 16; ++i) {
#pragma unroll
      for (int j = 0; j < kWarpColumns / 8; ++j) {
        const int row = row_ + i * 16 + lane_ / 4, column = column_ + j * 8 + lane_ % 4 * 2;
        float* at = to + sum_place<kOuter>(row, column);
        *reinterpret_cast<float2*>(at) = make_float2(sums_[i][j][0], sums_[i][j][1]);
        *reinterpret_cast<float2*>(at + 8 * kOuter) = make_float2(sums_[i][j][2], sums_[i][j][3]);
      }
    }
  }

 protected:
  static constexpr int kWarpRows = kOuter / 2, kWarpColumns = 32;

  __device__ WarpSums() {
    constexpr int kWarpsAcross = kOuter / kWarpColumns;
    const int warp = static_cast<int>(threadIdx.x) / 32;
    lane_ = static_cast<int>(threadIdx.x) % 32;
    row_ = warp / kWarpsAcross * kWarpRows;
    column_ = warp % kWarpsAcross * kWarpColumns;
  }

  int lane_, row_, column_;
  Number sums_[kWarpRows / 16][kWarpColumns / 8][4] = {};
};

}  // namespace
}  // namespace pydl::cuda
