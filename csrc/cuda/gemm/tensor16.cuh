// Products of float16 or bfloat16 tiles on tensor cores, summed in float32.
#pragma once

#include "cuda/device/ptx/matrix.cuh"
#include "cuda/gemm/shared_tile.cuh"
#include "cuda/gemm/warp_sums.cuh"

namespace pydl::cuda {
namespace {

// kOuter is the extent of the block's tile in both directions: 128 with 8 warps of 64 x 32, or 64 with
// 4 warps of 32 x 32. Limits: 64 (32) sums, 16 + 8 fragment registers; 4 stages of 16 (8) KiB, so that
// registers and shared memory both allow two (six) blocks to an SM of sm_80.
template <class Element, int kOuter, bool kADepth, bool kBDepth>
class Tensor16 : public WarpSums<kOuter> {
 public:
  using T = Element;
  using Sum = float;
  static constexpr int kTileRows = kOuter, kTileColumns = kOuter, kDepth = 32, kStages = 4;
  static constexpr int kThreads = kOuter == 128 ? 256 : 128, kBlocks = kOuter == 128 ? 2 : 4;
  using TileA = SharedTile<T, kTileRows, kDepth, kADepth>;
  using TileB = SharedTile<T, kTileColumns, kDepth, kBDepth>;

  __device__ void multiply(const T* a_tile, const T* b_tile) {
#pragma unroll
    for (int k = 0; k < kDepth; k += 16) {
      uint32_t a[kWarpRows / 16][4], b[kWarpColumns / 16][4];
      const int second = lane_ / 16 * 8, first = lane_ / 8 % 2 * 8;
#pragma unroll
      for (int i = 0; i < kWarpRows / 16; ++i) {
        load<TileA>(a[i], a_tile, row_ + i * 16 + first, k + second);
      }
#pragma unroll
      for (int j = 0; j < kWarpColumns / 16; ++j) {
        load<TileB>(b[j], b_tile, column_ + j * 16 + second, k + first);
      }
#pragma unroll
      for (int i = 0; i < kWarpRows / 16; ++i) {
#pragma unroll
        for (int j = 0; j < kWarpColumns / 8; ++j) {
          const uint32_t pair[2] = {b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]};
          ptx::multiply<T>(sums_[i][j], a[i], pair);
        }
      }
    }
  }

 private:
  using WarpSums<kOuter>::kWarpRows, WarpSums<kOuter>::kWarpColumns;
  using WarpSums<kOuter>::lane_, WarpSums<kOuter>::row_, WarpSums<kOuter>::column_;
  using WarpSums<kOuter>::sums_;

  // Four matrices of 8 by 8; outer and depth are this lane's matrix.
  template <class Tile>
  __device__ void load(uint32_t (&fragment)[4], const T* tile, int outer, int depth) const {
    const int row = (Tile::kDepthContiguous ? outer : depth) + lane_ % 8;
    const int chunk = (Tile::kDepthContiguous ? depth : outer) / 8;
    ptx::load_matrices<!Tile::kDepthContiguous>(fragment, tile + Tile::offset(row, chunk));
  }
};

}  // namespace
}  // namespace pydl::cuda
