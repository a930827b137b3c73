// Fragments of tiles for the tensor cores of one warp: 16-bit elements as they are, float32 in parts.
#pragma once

#include "cuda/gemm/shared_tile.cuh"
#include "cuda/gemm/tf32_parts.cuh"

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

template <int kHead>
struct Fragments<float, kHead> {
  static constexpr int kDepth = 8;
  using Tile = SharedTile<float, 1, kHead, true>;
  using Left = Tf32Parts<4>;
  struct Right {
    Tf32Parts<2> of[2];
  };

  static __device__ Left rows(const float* tile, int row, int depth) {
    const int g = lane_index() / 4, t = lane_index() % 4;
    Left a;
#pragma unroll
    for (int e = 0; e < 4; ++e) a.set(e, tile[Tile::element(row + e % 2 * 8 + g, depth + e / 2 * 4 + t)]);
    return a;
  }
  static __device__ Right columns(const float* tile, int column, int depth) {
    const int g = lane_index() / 4, t = lane_index() % 4;
    Right b;
#pragma unroll
    for (int e = 0; e < 4; ++e)
      b.of[e / 2].set(e % 2, tile[Tile::element(column + e / 2 * 8 + g, depth + e % 2 * 4 + t)]);
    return b;
  }
  // A thread's sums of a row are neighbours, 2t and 2t + 1: they pass for t and t + 4 on both sides.
  static __device__ Right depths(const float* tile, int depth, int column) {
    const int g = lane_index() / 4, t = lane_index() % 4;
    Right b;
#pragma unroll
    for (int e = 0; e < 4; ++e)
      b.of[e / 2].set(e % 2, tile[Tile::element(depth + 2 * t + e % 2, column + e / 2 * 8 + g)]);
    return b;
  }
  static __device__ Left of_sums(const float (*sums)[4]) {
    Left a;
#pragma unroll
    for (int e = 0; e < 4; ++e) a.set(e, sums[0][e % 2 * 2 + e / 2]);
    return a;
  }
  static __device__ void multiply(float (&left)[4], float (&right)[4], const Left& a,
                                  const Right& b) {
    multiply_parts(left, a, b.of[0]);
    multiply_parts(right, a, b.of[1]);
  }
};

}  // namespace
}  // namespace pydl::cuda
