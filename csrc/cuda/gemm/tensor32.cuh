// Products of float32 tiles on tensor cores, in parts (tf32_parts.cuh).
#pragma once

#include "cuda/gemm/shared_tile.cuh"
#include "cuda/gemm/tf32_parts.cuh"
#include "cuda/gemm/warp_sums.cuh"

namespace pydl::cuda {
namespace {

// Tiles and warps as in tensor16.cuh; limited by tensor cores (3 products a pair; splitting costs a
// quarter of their time). 64 (32) sums and 24 fragment registers; with the addresses more than the 128
// that would let two large blocks share an SM, so one does, and three small ones.
template <int kOuter, bool kADepth, bool kBDepth>
class Tensor32 : public WarpSums<kOuter> {
 public:
  using T = float;
  using Sum = float;
  static constexpr int kTileRows = kOuter, kTileColumns = kOuter, kDepth = 16, kStages = 4;
  static constexpr int kThreads = kOuter == 128 ? 256 : 128, kBlocks = kOuter == 128 ? 1 : 3;
  using TileA = SharedTile<T, kTileRows, kDepth, kADepth>;
  using TileB = SharedTile<T, kTileColumns, kDepth, kBDepth>;

  __device__ void multiply(const float* a_tile, const float* b_tile) {
    const int g = lane_ / 4, t = lane_ % 4;
#pragma unroll
    for (int k = 0; k < kDepth; k += 8) {
      Tf32Parts<2> b[kWarpColumns / 8];
#pragma unroll
      for (int j = 0; j < kWarpColumns / 8; ++j) {
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          b[j].set(e, b_tile[TileB::element(column_ + j * 8 + g, k + e * 4 + t)]);
        }
      }
#pragma unroll
      for (int i = 0; i < kWarpRows / 16; ++i) {
        Tf32Parts<4> a;
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          a.set(e, a_tile[TileA::element(row_ + i * 16 + e % 2 * 8 + g, k + e / 2 * 4 + t)]);
        }
#pragma unroll
        for (int j = 0; j < kWarpColumns / 8; ++j) {
          multiply_parts(sums_[i][j], a, b[j]);
        }
      }
    }
  }

 private:
  using WarpSums<kOuter>::kWarpRows, WarpSums<kOuter>::kWarpColumns;
  using WarpSums<kOuter>::lane_, WarpSums<kOuter>::row_, WarpSums<kOuter>::column_;
  using WarpSums<kOuter>::sums_;
};

}  // namespace
}  // namespace pydl::cuda
