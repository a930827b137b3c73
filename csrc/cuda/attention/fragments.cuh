// Fragments of tiles of 16-bit elements for the tensor cores of one warp.
#pragma once

#include "cuda/device/ptx/matrix.cuh"
#include "cuda/gemm/shared_tile.cuh"

namespace pydl::cuda {
namespace {

__device__ inline int lane_index() { return static_cast<int>(threadIdx.x) % 32; }

// kDepth: that of one product. Left has 16 rows, Right 16 columns. kHead: columns of the tiles.
template <class T, int kHead>
struct Fragments {
  static constexpr int kDepth = 16;
  using Tile = SharedTile<T, 1, kHead, true>;
  struct Left {
    uint32_t x[4];
  };
  using Right = Left;

  // Rows [row, row + 16) of a tile at columns [depth, depth + kDepth).
  static __device__ Left rows(const T* tile, int row, int depth) {
    const int lane = lane_index();
    Left a;
    ptx::load_matrices<false>(a.x, tile + Tile::offset(row + lane % 16, depth / 8 + lane / 16));
    return a;
  }
  // The same, transposed.
  static __device__ Right columns(const T* tile, int column, int depth) {
    const int lane = lane_index();
    Right b;
    ptx::load_matrices<false>(b.x, tile + Tile::offset(column + lane / 16 * 8 + lane % 8,
                                                       depth / 8 + lane / 8 % 2));
    return b;
  }
  // Rows [depth, depth + kDepth) of a tile at columns [column, column + 16), for a Left of sums.
  static __device__ Right depths(const T* tile, int depth, int column) {
    const int lane = lane_index();
    Right b;
    ptx::load_matrices<true>(b.x, tile + Tile::offset(depth + lane % 16, column / 8 + lane / 16));
    return b;
  }
  // Sums of kDepth / 8 neighbouring blocks of 16 x 8, as the left operand of the next product.
  static __device__ Left of_sums(const float (*sums)[4]) {
    return {pack(sums[0][0], sums[0][1]), pack(sums[0][2], sums[0][3]),
            pack(sums[1][0], sums[1][1]), pack(sums[1][2], sums[1][3])};
  }
  static __device__ void multiply(float (&left)[4], float (&right)[4], const Left& a,
                                  const Right& b) {
    const uint32_t first[2] = {b.x[0], b.x[1]}, second[2] = {b.x[2], b.x[3]};
    ptx::multiply<T>(left, a.x, first);
    ptx::multiply<T>(right, a.x, second);
  }

  static __device__ uint32_t pack(float low, float high) {
    if constexpr (std::is_same_v<T, bfloat16>) return ptx::pack_bfloat16(low, high);
    return ptx::pack_half(low, high);
  }
};

}  // namespace
}  // namespace pydl::cuda
