// What the attention kernels on tensor cores share: tiles of rows of a head in shared memory, and
// products of them that stay in a warp's registers.
//
// A warp has 16 rows of a product, or 16 kM. With g = lane / 4 and t = lane % 4 its sums[i][j][e] are row
// 16 i + g + 8 (e / 2), column 8 j + 2t + e % 2.
#pragma once

#include "cuda/attention/fragments.cuh"
#include "cuda/attention/scores.cuh"
#include "cuda/device/ptx/copy_async.cuh"
#include "cuda/device/ptx/exponential.cuh"
#include "cuda/kernel.h"
#include "pydl/cuda/vector.cuh"

namespace pydl::cuda {
namespace {

constexpr float kLog2E = 1.44269504088896340736f, kLn2 = 0.69314718055994530942f;

// One head of an operand.
template <class T>
struct HeadRows {
  const T* data;
  int64_t stride, count;
  int size;
  bool aligned;  // 16-byte loads will do

  __device__ HeadRows(const void* all, const int64_t (&strides)[3], int64_t batch, int64_t head,
                      int64_t rows, int64_t columns)
      : data(head_of<T>(all, strides, batch, head)),
        stride(strides[1]),
        count(rows),
        size(static_cast<int>(columns)) {
    constexpr int64_t kElements = 16 / sizeof(T);
    aligned = reinterpret_cast<uintptr_t>(data) % 16 == 0 && stride % kElements == 0;
  }
};

// Starts to bring rows [first, first + kRows) into a tile of kHead columns; 0 past the ends.
template <int kHead, int kRows, int kThreads, class T>
__device__ void copy_rows(const HeadRows<T>& from, int64_t first, T* tile) {
  using Tile = typename Fragments<T, kHead>::Tile;
  constexpr int kStep = kThreads / Tile::kChunks;
  static_assert(kThreads % Tile::kChunks == 0 && kRows % kStep == 0, "whole copies");
  const int chunk = static_cast<int>(threadIdx.x) % Tile::kChunks;
  const int begin = static_cast<int>(threadIdx.x) / Tile::kChunks;
  const int rest = from.size - chunk * Tile::kChunk;
  const int columns = rest < 0 ? 0 : rest < Tile::kChunk ? rest : Tile::kChunk;
  const T* at = from.data + (first + begin) * from.stride + chunk * Tile::kChunk;
  const int64_t rows = from.count - first;
  if (from.aligned) {
#pragma unroll
    for (int row = begin; row < kRows; row += kStep, at += kStep * from.stride) {
      const bool inside = row < rows && columns > 0;
      ptx::copy_async<16>(tile + Tile::offset(row, chunk), inside ? at : from.data,
                          inside ? columns * static_cast<int>(sizeof(T)) : 0);
    }
  } else {
#pragma unroll 1
    for (int row = begin; row < kRows; row += kStep, at += kStep * from.stride) {
      T* to = tile + Tile::offset(row, chunk);
#pragma unroll 1
      for (int e = 0; e < Tile::kChunk; ++e) to[e] = row < rows && e < columns ? at[e] : T{};
    }
  }
}

// How far the loops over a head are unrolled: the code of large heads shall not grow without end.
template <int kSteps>
constexpr int kUnrolled = kSteps <= 8 ? kSteps : 4;

// sums += rows [row, row + 16 kM) of `left` times all 4 kBlocks rows of `right`.
template <int kHead, int kM, int kBlocks, class T>
__device__ void multiply_rows(const T* left, int row, const T* right,
                              float (&sums)[kM][kBlocks][4]) {
  using F = Fragments<T, kHead>;
#pragma unroll kUnrolled<kHead / F::kDepth>
  for (int depth = 0; depth < kHead; depth += F::kDepth) {
    typename F::Left a[kM];
#pragma unroll
    for (int i = 0; i < kM; ++i) a[i] = F::rows(left, row + 16 * i, depth);
#pragma unroll
    for (int j = 0; j < kBlocks; j += 2) {
      const typename F::Right b = F::columns(right, 8 * j, depth);
#pragma unroll
      for (int i = 0; i < kM; ++i) F::multiply(sums[i][j], sums[i][j + 1], a[i], b);
    }
  }
}

// sums += weights times columns [column, column + 8 kBlocks) of the rows of a tile.
template <int kHead, int kM, int kDepths, int kBlocks, class T>
__device__ void add_products(const float (&weights)[kM][kDepths][4], const T* tile, int column,
                             float (&sums)[kM][kBlocks][4]) {
  using F = Fragments<T, kHead>;
#pragma unroll
  for (int depth = 0; depth < 8 * kDepths; depth += F::kDepth) {
    typename F::Left a[kM];
#pragma unroll
    for (int i = 0; i < kM; ++i) a[i] = F::of_sums(weights[i] + depth / 8);
#pragma unroll
    for (int j = 0; j < kBlocks; j += 2) {
      const typename F::Right b = F::depths(tile, depth, column + 8 * j);
#pragma unroll
      for (int i = 0; i < kM; ++i) F::multiply(sums[i][j], sums[i][j + 1], a[i], b);
    }
  }
}

// Where a result goes: rows of one head, of `size` columns.
template <class T>
struct HeadResult {
  T* data;
  int64_t stride, count;
  int size;
};

// Writes a warp's sums[i][j][e] * factors[i][e / 2] to rows [first + row, ...) and columns
// [column, column + 8 kBlocks), through its rows of a tile that no other warp needs.
template <int kHead, int kM, int kBlocks, class T>
__device__ void store_sums(const float (&sums)[kM][kBlocks][4], const float (&factors)[kM][2],
                           T* tile, int row, const HeadResult<T>& to, int64_t first, int column) {
  using Tile = typename Fragments<T, kHead>::Tile;
  const int lane = lane_index();
#pragma unroll
  for (int i = 0; i < kM; ++i)
#pragma unroll
    for (int j = 0; j < kBlocks; ++j)
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const T pair[2] = {from_float<T>(sums[i][j][2 * h] * factors[i][h]),
                           from_float<T>(sums[i][j][2 * h + 1] * factors[i][h])};
        store_pack<2>(pair, tile + Tile::element(row + 16 * i + 8 * h + lane / 4,
                                                 8 * j + lane % 4 * 2));
      }
  __syncwarp();
  constexpr int kChunks = 8 * kBlocks / Tile::kChunk;
  const bool aligned = to.size % Tile::kChunk == 0 && reinterpret_cast<uintptr_t>(to.data) % 16 == 0;
#pragma unroll 1
  for (int n = lane; n < 16 * kM * kChunks; n += 32) {
    const int of = row + n / kChunks, at = column + n % kChunks * Tile::kChunk;
    if (first + of >= to.count || at >= to.size) continue;
    const T* from = tile + Tile::offset(of, n % kChunks);
    T* out = to.data + (first + of) * to.stride + at;
    if (aligned) {
      using Chunk = Pack<T, Tile::kChunk>;
      *reinterpret_cast<Chunk*>(out) = *reinterpret_cast<const Chunk*>(from);
    } else {
      for (int e = 0; e < Tile::kChunk && at + e < to.size; ++e) out[e] = from[e];
    }
  }
}

// --- scores whose rows are queries and whose columns are keys

// Hides the keys that come after row's query, or do not exist.
template <int kM, int kBlocks>
__device__ void hide_keys(const PydlAttentionGeometry& g, int64_t query, int64_t key,
                          float (&scores)[kM][kBlocks][4]) {
#pragma unroll
  for (int i = 0; i < kM; ++i)
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const int64_t row = query + 16 * i + 8 * h + lane_index() / 4;
      const int64_t last = g.causal && row < g.keys ? row + 1 : g.keys;
      const int left = static_cast<int>(last - key < 8 * kBlocks ? last - key : 8 * kBlocks);
#pragma unroll
      for (int j = 0; j < kBlocks; ++j)
#pragma unroll
        for (int e = 0; e < 2; ++e)
          if (8 * j + lane_index() % 4 * 2 + e >= left) scores[i][j][2 * h + e] = -INFINITY;
    }
}

// Applies causality, lengths and the mask to scores in units of log2(e).
template <int kM, int kBlocks>
__device__ void apply_mask(const ScoreHead& of, int64_t query, int64_t key,
                           float (&scores)[kM][kBlocks][4]) {
#pragma unroll
  for (int i = 0; i < kM; ++i)
#pragma unroll
    for (int j = 0; j < kBlocks; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e)
        scores[i][j][e] = of.masked(query + 16 * i + e / 2 * 8 + lane_index() / 4,
                                    key + 8 * j + lane_index() % 4 * 2 + e % 2, scores[i][j][e],
                                    kLog2E);
}

// Bit 4 j + e says whether dropout keeps the weight of row `query` + 8 (e / 2) and of key
// `key` + 8 j + e % 2, where `key` is the thread's first.
template <int kBlocks>
__device__ uint32_t kept_weights(const AttentionDropout& dropout, const ScoreHead& of, int64_t query,
                                 int64_t key) {
  uint32_t kept = 0;
#pragma unroll 1
  for (int n = 0; n < 8; ++n) {  // row, block of keys, key
    const int h = n / 4, j = n / 2 % 2, e = n % 2;
    const DropoutWords words(dropout, of, query + 8 * h, key + 8 * j + e);
#pragma unroll
    for (int w = 0; w < kBlocks / 2; ++w)
      kept |= static_cast<uint32_t>(words.keeps(w)) << (8 * w + 4 * j + 2 * h + e);
  }
  return kept;
}

template <int kM, int kBlocks>
__device__ void drop_weights(const AttentionDropout& dropout, const ScoreHead& of, int64_t query,
                             int64_t key, float (&weights)[kM][kBlocks][4]) {
#pragma unroll
  for (int i = 0; i < kM; ++i) {
    const uint32_t kept = kept_weights<kBlocks>(
        dropout, of, query + 16 * i + lane_index() / 4, key + lane_index() % 4 * 2);
#pragma unroll
    for (int j = 0; j < kBlocks; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e)
        if (!(kept >> (4 * j + e) & 1)) weights[i][j][e] = 0;
  }
}

template <int kM, int kBlocks>
__device__ void scale_scores(float factor, float (&scores)[kM][kBlocks][4]) {
#pragma unroll
  for (int i = 0; i < kM; ++i)
#pragma unroll
    for (int j = 0; j < kBlocks; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) scores[i][j][e] *= factor;
}

}  // namespace
}  // namespace pydl::cuda
