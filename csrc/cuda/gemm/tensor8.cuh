// Products of int8 tiles on tensor cores, summed in 32 bits, which wrap around.
#pragma once

#include "cuda/device/ptx/matrix.cuh"
#include "cuda/gemm/shared_tile.cuh"
#include "cuda/gemm/warp_sums.cuh"

namespace pydl::cuda {
namespace {

// Tiles and warps as in tensor16.cuh, with twice the depth; limited by registers, of which turning bytes
// takes so many that one large block has an SM for itself. Where neighbours in depth are not
// neighbours in memory, ldmatrix transposes pairs of bytes, which leaves a thread with two neighbouring
// rows of A (columns of B): the fragment has the even ones first, and the sums lie accordingly.
template <int kOuter, bool kADepth, bool kBDepth>
class Tensor8 : public WarpSums<kOuter, uint32_t> {
 public:
  using T = int8_t;
  using Sum = uint32_t;
  static constexpr int kTileRows = kOuter, kTileColumns = kOuter, kDepth = 64, kStages = 4;
  static constexpr int kThreads = kOuter == 128 ? 256 : 128;
  static constexpr int kBlocks = kOuter == 64 ? 4 : kADepth && kBDepth ? 2 : 1;
  using TileA = SharedTile<T, kTileRows, kDepth, kADepth>;
  using TileB = SharedTile<T, kTileColumns, kDepth, kBDepth>;

  __device__ void multiply(const T* a_tile, const T* b_tile) {
#pragma unroll
    for (int k = 0; k < kDepth; k += 32) {
      uint32_t a[kWarpRows / 16][4];
#pragma unroll
      for (int i = 0; i < kWarpRows / 16; ++i) load<TileA>(a[i], a_tile, row_ + i * 16, k);
#pragma unroll
      for (int j = 0; j < kWarpColumns / 16; ++j) {
        uint32_t b[4];
        load<TileB>(b, b_tile, column_ + j * 16, k);
        const uint32_t first[2] = {b[0], b[2]}, second[2] = {b[1], b[3]};
#pragma unroll
        for (int i = 0; i < kWarpRows / 16; ++i) {
          ptx::multiply_int8(sums_[i][2 * j], a[i], first);
          ptx::multiply_int8(sums_[i][2 * j + 1], a[i], second);
        }
      }
    }
  }

  // Leaves the sums in shared memory.
  __device__ void store(uint32_t* to) const {
    const int g = lane_ / 4, t = lane_ % 4;
#pragma unroll
    for (int i = 0; i < kWarpRows / 16; ++i) {
#pragma unroll
      for (int j = 0; j < kWarpColumns / 8; ++j) {
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          const int row = row_ + i * 16 + place<kADepth>(e / 2, g);
          const int column = column_ + j / 2 * 16 + place<kBDepth>(j % 2, t * 2 + e % 2);
          to[sum_place<kOuter>(row, column)] = sums_[i][j][e];
        }
      }
    }
  }

 private:
  using Base = WarpSums<kOuter, uint32_t>;
  using Base::kWarpRows, Base::kWarpColumns, Base::lane_, Base::row_, Base::column_, Base::sums_;

  // Which of 16 rows (columns) is the i-th of a half of a fragment.
  template <bool kDepthContiguous>
  static __device__ int place(int half, int i) {
    return kDepthContiguous ? half * 8 + i : i * 2 + half;
  }

  // 16 rows of A (columns of B) at depths [depth, depth + 32): those of the first half at the first 16
  // depths, those of the second, and both at the others.
  template <class Tile>
  __device__ void load(uint32_t (&fragment)[4], const T* tile, int outer, int depth) const {
    const int matrix = lane_ / 8, r = lane_ % 8;
    if constexpr (Tile::kDepthContiguous) {
      const int chunk = depth / 16 + matrix / 2;
      ptx::load_matrices<false>(fragment, tile + Tile::offset(outer + matrix % 2 * 8 + r, chunk));
    } else {
      // A thread needs depths 4t to 4t + 3: the first matrix has rows 4t and 4t + 1, the second 4t + 2
      // and 4t + 3.
      const int row = depth + matrix / 2 * 16 + r / 2 * 4 + matrix % 2 * 2 + r % 2;
      uint32_t pairs[4];
      ptx::load_matrices<true>(pairs, tile + Tile::offset(row, outer / 16));
#pragma unroll
      for (int i = 0; i < 4; i += 2) {
        fragment[i] = __byte_perm(pairs[i], pairs[i + 1], 0x6420);
        fragment[i + 1] = __byte_perm(pairs[i], pairs[i + 1], 0x7531);
      }
    }
  }
};

}  // namespace
}  // namespace pydl::cuda
