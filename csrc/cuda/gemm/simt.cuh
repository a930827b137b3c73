// Products on the ordinary arithmetic units: exact float32 and float64.
#pragma once

#include <cuda_runtime.h>

#include "cuda/gemm/shared_tile.cuh"

namespace pydl::cuda {
namespace {

// 16 x 16 threads; each has 8 x 8 sums of float or 4 x 4 of double. Limits: reading shared memory (a
// 16-byte load for every 16 products of float); 64 sums and 64 operand registers, one block to an SM.
template <class Element, bool kADepth, bool kBDepth>
struct Simt {
  using T = Element;
  using Sum = Element;
  static constexpr bool kSingle = sizeof(T) == 4;
  static constexpr int kTileRows = kSingle ? 128 : 64, kTileColumns = kTileRows;
  static constexpr int kDepth = kSingle ? 16 : 8, kStages = 3;
  static constexpr int kThreads = 256, kBlocks = 1;
  using TileA = SharedTile<T, kTileRows, kDepth, kADepth>;
  using TileB = SharedTile<T, kTileColumns, kDepth, kBDepth>;

  __device__ void multiply(const T* a_tile, const T* b_tile) {
#pragma unroll
    for (int k = 0; k < kDepth; k += kChunk) {
      T a[kPerThread][kChunk], b[kPerThread][kChunk];
      load<TileA>(a, a_tile, place_a(), k);
      load<TileB>(b, b_tile, place_b(), k);
#pragma unroll
      for (int l = 0; l < kChunk; ++l) {
#pragma unroll
        for (int i = 0; i < kPerThread; ++i) {
#pragma unroll
          for (int j = 0; j < kPerThread; ++j) sums_[i][j] += a[i][l] * b[j][l];
        }
      }
    }
  }

  __device__ void store(T* to) const {
#pragma unroll
    for (int i = 0; i < kPerThread; ++i) {
#pragma unroll
      for (int j = 0; j < kPerThread; ++j) {
        const int row = outer<TileA>(place_a(), i), column = outer<TileB>(place_b(), j);
        to[sum_place<kTileColumns>(row, column)] = sums_[i][j];
      }
    }
  }

 private:
  static constexpr int kSide = 16, kPerThread = kTileRows / kSide, kChunk = 16 / sizeof(T);

  static __device__ int place_a() { return static_cast<int>(threadIdx.x) / kSide; }
  static __device__ int place_b() { return static_cast<int>(threadIdx.x) % kSide; }

  // Which row of A (column of B) a thread's i-th is: neighbouring threads read neighbouring chunks.
  template <class Tile>
  static __device__ int outer(int place, int i) {
    return Tile::kDepthContiguous ? place + i * kSide
                                  : (place + i / kChunk * kSide) * kChunk + i % kChunk;
  }

  // values[i][l] is the thread's i-th at depth k + l.
  template <class Tile>
  static __device__ void load(T (&values)[kPerThread][kChunk], const T* tile, int place, int k) {
    struct alignas(16) Chunk {
      T of[kChunk];
    };
#pragma unroll
    for (int n = 0; n < kPerThread; ++n) {
      // Chunk n lies along depth, or along the thread's rows at one depth.
      const int row = Tile::kDepthContiguous ? outer<Tile>(place, n) : k + n % kChunk;
      const int chunk = Tile::kDepthContiguous ? k / kChunk : place + n / kChunk * kSide;
      const Chunk read = *reinterpret_cast<const Chunk*>(tile + Tile::offset(row, chunk));
#pragma unroll
      for (int e = 0; e < kChunk; ++e) {
        if constexpr (Tile::kDepthContiguous) {
          values[n][e] = read.of[e];
        } else {
          values[n / kChunk * kChunk + e][n % kChunk] = read.of[e];
        }
      }
    }
  }

  T sums_[kPerThread][kPerThread] = {};
};

}  // namespace
}  // namespace pydl::cuda
