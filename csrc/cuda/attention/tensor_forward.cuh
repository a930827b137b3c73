// Attention forward on tensor cores, after Dao (2023), "FlashAttention-2": a warp keeps whole rows of
// scores in registers, where the weights become the left operand of the product with the values.
#pragma once

#include "cuda/attention/tensor_tiles.cuh"
#include "cuda/device/strided.cuh"
#include "pydl/cuda/warp.cuh"

namespace pydl::cuda {
namespace {

// Limits: registers (4 sums and 2 scores for each 8 of a thread's 32 or 64 columns) let 2 blocks share an
// SM; the tiles of queries, keys and values take 16 to 96 KiB, or 64 where kSmall.
// kPlain: without a mask or dropout, and with a positive scale, which largest scores can be taken before.
template <class T_, int kHead_, bool kPlain_, bool kSmall = false>
struct ForwardShape {
  using T = T_;
  using Smaller = ForwardShape<T, kHead_, kPlain_, true>;
  static constexpr bool kPlain = kPlain_;
  static constexpr int kHead = kHead_, kRowBytes = kHead * static_cast<int>(sizeof(T));
  static constexpr int kWarps = 4, kThreads = 32 * kWarps;
  static constexpr int kM = kRowBytes < (kPlain ? 512 : 256) ? 2 : 1;  // blocks of 16 queries to a warp
  static constexpr int kWarpRows = 16 * kM, kQueries = kWarps * kWarpRows;
  // As far as registers reach.
  static constexpr int kKeys = kSmall || (kM == 2 && kRowBytes == 256) ? 32 : 64;
  static constexpr int kKeyBlocks = kKeys / 8, kHeadBlocks = kHead / 8;
  static constexpr int kSharedBytes = (kQueries + 2 * kKeys) * kRowBytes;
};

// The running softmax of a thread's rows, in units of log2(e) / unit; four lanes share a row.
template <class Shape>
struct RowSums {
  static constexpr int kM = Shape::kM;
  float tops[kM][2], totals[kM][2] = {}, sums[kM][Shape::kHeadBlocks][4] = {};

  __device__ RowSums() {
#pragma unroll
    for (int i = 0; i < kM; ++i) tops[i][0] = tops[i][1] = -INFINITY;
  }
  // Turns scores into weights relative to the largest score so far; the sums are yet to be brought to
  // the same measure, by what this returns in `shrinks`.
  __device__ void weigh(float (&scores)[kM][Shape::kKeyBlocks][4], float unit,
                        float (&shrinks)[kM][2]) {
#pragma unroll
    for (int i = 0; i < kM; ++i)
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        float top = tops[i][h];
#pragma unroll
        for (int j = 0; j < Shape::kKeyBlocks; ++j)
          top = fmaxf(top, fmaxf(scores[i][j][2 * h], scores[i][j][2 * h + 1]));
        top = reduce_lanes<4>(top, Larger());
        const float origin = top == -INFINITY ? 0 : top * unit;
        shrinks[i][h] = ptx::exp2(tops[i][h] * unit - origin);
        tops[i][h] = top;
        float total = totals[i][h] * shrinks[i][h];
#pragma unroll
        for (int j = 0; j < Shape::kKeyBlocks; ++j)
#pragma unroll
          for (int e = 2 * h; e < 2 * h + 2; ++e) {
            scores[i][j][e] = ptx::exp2(scores[i][j][e] * unit - origin);
            total += scores[i][j][e];
          }
        totals[i][h] = total;
      }
  }
  __device__ void shrink(const float (&shrinks)[kM][2]) {
#pragma unroll
    for (int i = 0; i < kM; ++i)
#pragma unroll
      for (int j = 0; j < Shape::kHeadBlocks; ++j)
#pragma unroll
        for (int e = 0; e < 4; ++e) sums[i][j][e] *= shrinks[i][e / 2];
  }
  __device__ void take(float (&scores)[kM][Shape::kKeyBlocks][4], float unit) {
    float shrinks[kM][2];
    weigh(scores, unit, shrinks);
    shrink(shrinks);
  }
  // Writes the logarithms of the totals, and turns the tops into what the sums are to be multiplied by.
  __device__ void finish(const ScoreHead& of, int64_t query, float unit, float kept_factor,
                         float* log_sums) {
#pragma unroll
    for (int i = 0; i < kM; ++i)
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const float total = reduce_lanes<4>(totals[i][h], Add());
        const bool nothing = tops[i][h] == -INFINITY && total == 0;
        const int64_t row = query + 16 * i + 8 * h + lane_index() / 4;
        if (lane_index() % 4 == 0 && row < of.g.queries)
          log_sums[of.row_index(row)] =
              nothing ? INFINITY : (tops[i][h] * unit + ::log2f(total)) * kLn2;
        tops[i][h] = nothing ? 0 : kept_factor / total;
      }
  }
};

// The tiles of a block's work, in turn: the keys come while the values before them are multiplied, the
// values while softmax is taken.
template <class Shape>
__device__ void run_keys(const ScoreHead& scores_of, const AttentionDropout& dropout,
                         const HeadRows<typename Shape::T>& keys,
                         const HeadRows<typename Shape::T>& values, int64_t first, float unit,
                         typename Shape::T* query_tile, RowSums<Shape>& rows) {
  const PydlAttentionGeometry& g = scores_of.g;
  auto* key_tile = query_tile + Shape::kQueries * Shape::kHead;
  auto* value_tile = key_tile + Shape::kKeys * Shape::kHead;
  const int row = static_cast<int>(threadIdx.x) / 32 * Shape::kWarpRows;
  const int64_t query = first + row, last = first + Shape::kQueries;
  const int64_t end = g.causal && last < g.keys ? last : g.keys;
  copy_rows<Shape::kHead, Shape::kKeys, Shape::kThreads>(keys, 0, key_tile);
  ptx::commit_copies();
  for (int64_t key = 0; key < end; key += Shape::kKeys) {
    ptx::wait_for_copies<0>();
    __syncthreads();  // the keys have come for all; none reads the values before any more
    copy_rows<Shape::kHead, Shape::kKeys, Shape::kThreads>(values, key, value_tile);
    ptx::commit_copies();
    float scores[Shape::kM][Shape::kKeyBlocks][4] = {};
    multiply_rows<Shape::kHead>(query_tile, row, key_tile, scores);
    if constexpr (Shape::kPlain) {
      if (key + Shape::kKeys > (g.causal && query < g.keys ? query + 1 : g.keys))
        hide_keys(g, query, key, scores);
      rows.take(scores, unit);
    } else {
      scale_scores(unit, scores);
      apply_mask(scores_of, query, key, scores);
      rows.take(scores, 1);
      if (dropout.threshold > 0) drop_weights(dropout, scores_of, query, key, scores);
    }
    ptx::wait_for_copies<0>();
    __syncthreads();
    if (key + Shape::kKeys < end)
      copy_rows<Shape::kHead, Shape::kKeys, Shape::kThreads>(keys, key + Shape::kKeys, key_tile);
    ptx::commit_copies();
    add_products<Shape::kHead>(scores, value_tile, 0, rows.sums);
  }
  ptx::wait_for_copies<0>();
  __syncthreads();
}

template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads)
    attend_kernel(const __grid_constant__ PydlAttentionArgs args,
                  const __grid_constant__ AttentionDropout dropout) {
  using T = typename Shape::T;
  const PydlAttentionGeometry& g = args.geometry;
  const int64_t tiles = divide_up(g.queries, Shape::kQueries);
  const int64_t all = blockIdx.x / tiles, batch = all / g.heads, head = all % g.heads;
  // The last queries first: with causality they take longest.
  const int64_t first = (tiles - 1 - blockIdx.x % tiles) * Shape::kQueries;
  const int64_t key_head = head / (g.heads / g.key_heads);
  const HeadRows<T> queries(args.query, args.query_strides, batch, head, g.queries, g.head_size);
  const HeadRows<T> keys(args.key, args.key_strides, batch, key_head, g.keys, g.head_size);
  const HeadRows<T> values(args.value, args.value_strides, batch, key_head, g.keys, g.value_size);
  T* query_tile = dynamic_shared<T>();
  copy_rows<Shape::kHead, Shape::kQueries, Shape::kThreads>(queries, first, query_tile);
  const ScoreHead scores_of = {g, batch, head};
  const float unit = static_cast<float>(g.scale) * kLog2E;
  RowSums<Shape> rows;
  run_keys<Shape>(scores_of, dropout, keys, values, first, unit, query_tile, rows);

  const int row = static_cast<int>(threadIdx.x) / 32 * Shape::kWarpRows;
  rows.finish(scores_of, first + row, Shape::kPlain ? unit : 1,
              Shape::kPlain ? 1 : static_cast<float>(dropout.kept_factor),
              static_cast<float*>(args.log_sums));
  T* out = static_cast<T*>(args.out) + (batch * g.queries * g.heads + head) * g.value_size;
  const HeadResult<T> to = {out, g.heads * g.value_size, g.queries, static_cast<int>(g.value_size)};
  store_sums<Shape::kHead>(rows.sums, rows.tops, query_tile, row, to, first, 0);
}

}  // namespace
}  // namespace pydl::cuda
