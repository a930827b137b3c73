// The gradient of attention on tensor cores; what it computes is in kernels/attention_backward.cu. One
// kernel goes along the keys of a tile of queries for dQ, another along the queries of a tile of keys for
// dK and dV: there scores lie transposed, so that in both a warp's weights and their gradients are the
// left operands of the next products without leaving its registers.
#pragma once

#include "cuda/attention/tensor_tiles.cuh"
#include "cuda/device/strided.cuh"

namespace pydl::cuda {
namespace {

// Limits: registers (for dK and dV 8 sums for each 8 of kPart columns); two tiles that stay and a ring of
// two pairs that pass take 16 (head of 32) to 128 KiB of shared memory, or 48 where kSmall.
template <class T_, int kHead_, bool kSmall = false>
struct BackwardShape {
  using T = T_;
  using Smaller = BackwardShape<T, kHead_, true>;
  static constexpr int kHead = kHead_, kRowBytes = kHead * static_cast<int>(sizeof(T));
  static constexpr int kWarps = kSmall && kHead == 256 ? 1 : 4, kThreads = 32 * kWarps;
  static constexpr int kRows = 16 * kWarps;                                  // that stay
  static constexpr int kPassing = kSmall ? 16 : kRowBytes <= 128 ? 64 : 32;  // that pass
  static constexpr int kBlocks = kPassing / 8;
  static constexpr int kPart = kHead < 128 ? kHead : 128;  // columns of dK and dV for one block
  static constexpr int kParts = kHead / kPart;
  static constexpr int kStay = kRows * kHead, kPass = kPassing * kHead;
  // Two pairs of tiles, and the log-sums and dots of the rows of each pair.
  static constexpr int kTileBytes = 2 * (kStay + 2 * kPass) * static_cast<int>(sizeof(T));
  static constexpr int kSharedBytes = kTileBytes + 2 * 2 * kPassing * static_cast<int>(sizeof(float));
};

// The ring of pairs of tiles in shared memory.
template <class Shape>
struct BackwardTiles {
  using T = typename Shape::T;
  T *first, *second;  // that stay

  __device__ BackwardTiles() : first(dynamic_shared<T>()), second(first + Shape::kStay) {}
  __device__ T* passing(int64_t step) const {
    return second + Shape::kStay + step % 2 * 2 * Shape::kPass;
  }
  __device__ float* row_facts(int64_t step) const {
    return reinterpret_cast<float*>(first + Shape::kTileBytes / sizeof(T)) +
           step % 2 * 2 * Shape::kPassing;
  }
};

// Turns scores into weights, given minus the log-sum of each in units of log2(e), and, where dropout
// keeps them, gradients of weights into gradients of scores.
__device__ inline void differentiate(float unit, float log_sum, float dot, bool kept,
                                     float kept_factor, float& score, float& d_weight) {
  const float weight = ptx::exp2(score * unit - log_sum);
  const float d_score = weight * ((kept ? d_weight * kept_factor : 0) - dot);
  d_weight = weight == 0 ? 0 : d_score;  // whatever the gradient of a weight that cannot be
  score = kept ? weight : 0;
}

// --- dQ

// The gradients of the scores of one tile of keys.
template <class Shape>
__device__ void make_query_gradients(const ScoreHead& scores_of, const AttentionDropout& dropout,
                                     const BackwardTiles<Shape>& tiles, int64_t step, int64_t first,
                                     const float (&log_sums)[2], const float (&dots)[2],
                                     float (&d_scores)[1][Shape::kBlocks][4]) {
  const PydlAttentionGeometry& g = scores_of.g;
  const int row = static_cast<int>(threadIdx.x) / 32 * 16;
  const int64_t query = first + row, key = step * Shape::kPassing;
  float scores[1][Shape::kBlocks][4] = {};
  const auto* passing = tiles.passing(step);
  multiply_rows<Shape::kHead>(tiles.first, row, passing, scores);
  multiply_rows<Shape::kHead>(tiles.second, row, passing + Shape::kPass, d_scores);
  float unit = static_cast<float>(g.scale) * kLog2E;
  if (g.mask) {
    scale_scores(unit, scores);
    apply_mask(scores_of, query, key, scores);
    unit = 1;
  } else if (key + Shape::kPassing > (g.causal && query < g.keys ? query + 1 : g.keys)) {
    scale_scores(unit, scores);
    hide_keys(g, query, key, scores);
    unit = 1;
  }
  uint32_t kept = ~0u;
  if (dropout.threshold > 0)
    kept = kept_weights<Shape::kBlocks>(dropout, scores_of, query + lane_index() / 4,
                                        key + lane_index() % 4 * 2);
#pragma unroll
  for (int j = 0; j < Shape::kBlocks; ++j)
#pragma unroll
    for (int e = 0; e < 4; ++e)
      differentiate(unit, log_sums[e / 2], dots[e / 2], kept >> (4 * j + e) & 1,
                    static_cast<float>(dropout.kept_factor), scores[0][j][e], d_scores[0][j][e]);
}

template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads)
    query_tiles_kernel(const __grid_constant__ PydlAttentionBackwardArgs args,
                       const __grid_constant__ AttentionDropout dropout, const float* dots) {
  using T = typename Shape::T;
  const PydlAttentionGeometry& g = args.geometry;
  const int64_t count = divide_up(g.queries, Shape::kRows), all = blockIdx.x / count;
  const int64_t batch = all / g.heads, head = all % g.heads;
  const int64_t key_head = head / (g.heads / g.key_heads);
  const int64_t first = (count - 1 - blockIdx.x % count) * Shape::kRows;
  const HeadRows<T> queries(args.query, args.query_strides, batch, head, g.queries, g.head_size);
  const HeadRows<T> d_outs(args.out_gradient, args.out_gradient_strides, batch, head, g.queries,
                           g.value_size);
  const HeadRows<T> keys(args.key, args.key_strides, batch, key_head, g.keys, g.head_size);
  const HeadRows<T> values(args.value, args.value_strides, batch, key_head, g.keys, g.value_size);
  const ScoreHead scores_of = {g, batch, head};
  const BackwardTiles<Shape> tiles;
  const int64_t last = first + Shape::kRows;
  const int64_t steps = divide_up(g.causal && last < g.keys ? last : g.keys, Shape::kPassing);
  const auto load = [&](int64_t step) {
    if (step < steps) {
      T* to = tiles.passing(step);
      const int64_t key = step * Shape::kPassing;
      copy_rows<Shape::kHead, Shape::kPassing, Shape::kThreads>(keys, key, to);
      copy_rows<Shape::kHead, Shape::kPassing, Shape::kThreads>(values, key, to + Shape::kPass);
    }
    ptx::commit_copies();
  };
  copy_rows<Shape::kHead, Shape::kRows, Shape::kThreads>(queries, first, tiles.first);
  copy_rows<Shape::kHead, Shape::kRows, Shape::kThreads>(d_outs, first, tiles.second);
  load(0);
  const int row = static_cast<int>(threadIdx.x) / 32 * 16;
  float row_log_sums[2], row_dots[2];
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    const int64_t query = first + row + 8 * h + lane_index() / 4;
    const int64_t at = scores_of.row_index(query < g.queries ? query : 0);
    row_log_sums[h] = static_cast<const float*>(args.log_sums)[at] * kLog2E;
    row_dots[h] = dots[at];
  }
  float sums[1][Shape::kHead / 8][4] = {};
#pragma unroll 1
  for (int64_t step = 0; step < steps; ++step) {
    ptx::wait_for_copies<0>();
    __syncthreads();  // the tiles have come for all; none reads those before any more
    load(step + 1);
    float d_scores[1][Shape::kBlocks][4] = {};
    make_query_gradients<Shape>(scores_of, dropout, tiles, step, first, row_log_sums, row_dots,
                                d_scores);
    add_products<Shape::kHead>(d_scores, tiles.passing(step), 0, sums);
  }
  ptx::wait_for_copies<0>();
  __syncthreads();
  const float scale = static_cast<float>(g.scale), factors[1][2] = {{scale, scale}};
  T* out = static_cast<T*>(args.query_gradient) + (batch * g.queries * g.heads + head) * g.head_size;
  const HeadResult<T> to = {out, g.heads * g.head_size, g.queries, static_cast<int>(g.head_size)};
  store_sums<Shape::kHead>(sums, factors, tiles.first, row, to, first, 0);
}

// --- dK and dV

// Which of a warp's transposed weights dropout keeps, as kept_weights; rows are keys here.
template <int kBlocks>
__device__ uint32_t kept_transposed(const AttentionDropout& dropout, const ScoreHead& of, int64_t key,
                                    int64_t query) {
  uint32_t kept = 0;
#pragma unroll 1
  for (int n = 0; n < 4 * kBlocks; ++n) {
    const DropoutWords words(dropout, of, query + n / 4 * 8 + n % 2, key + n / 2 % 2 * 8);
    kept |= static_cast<uint32_t>(words.keeps(0)) << n;
  }
  return kept;
}

// Applies causality and the mask to transposed scores in units of log2(e).
template <int kBlocks>
__device__ void mask_transposed(const ScoreHead& of, int64_t key, int64_t query,
                                float (&scores)[1][kBlocks][4]) {
#pragma unroll
  for (int j = 0; j < kBlocks; ++j)
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      const int64_t row = key + e / 2 * 8 + lane_index() / 4;
      const int64_t column = query + 8 * j + lane_index() % 4 * 2 + e % 2;
      if (of.g.mask) {
        scores[0][j][e] = of.masked(column, row, scores[0][j][e], kLog2E);
      } else if (of.g.causal && row > column) {
        scores[0][j][e] = -INFINITY;
      }
    }
}

// The weights of one tile of queries, and the gradients of their scores, both transposed.
template <class Shape>
__device__ void make_key_gradients(const ScoreHead& scores_of, const AttentionDropout& dropout,
                                   const BackwardTiles<Shape>& tiles, int64_t step, int64_t first,
                                   int64_t query, float (&weights)[1][Shape::kBlocks][4],
                                   float (&d_scores)[1][Shape::kBlocks][4]) {
  const PydlAttentionGeometry& g = scores_of.g;
  const int row = static_cast<int>(threadIdx.x) / 32 * 16, column = lane_index() % 4 * 2;
  const int64_t key = first + row;
  const auto* passing = tiles.passing(step);
  multiply_rows<Shape::kHead>(tiles.first, row, passing, weights);
  multiply_rows<Shape::kHead>(tiles.second, row, passing + Shape::kPass, d_scores);
  float unit = static_cast<float>(g.scale) * kLog2E;
  if (g.mask || (g.causal && query < key + 16)) {
    scale_scores(unit, weights);
    mask_transposed(scores_of, key, query, weights);
    unit = 1;
  }
  uint32_t kept = ~0u;
  if (dropout.threshold > 0)
    kept = kept_transposed<Shape::kBlocks>(dropout, scores_of, key + lane_index() / 4,
                                           query + column);
  const float* log_sums = tiles.row_facts(step);
#pragma unroll
  for (int j = 0; j < Shape::kBlocks; ++j)
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      const int at = 8 * j + column + e % 2;
      differentiate(unit, log_sums[at] * kLog2E, log_sums[Shape::kPassing + at],
                    kept >> (4 * j + e) & 1, static_cast<float>(dropout.kept_factor),
                    weights[0][j][e], d_scores[0][j][e]);
    }
}

// Brings the queries from `query` on of a head, the gradients of their results, log-sums and dots.
template <class Shape>
__device__ void copy_queries(const PydlAttentionBackwardArgs& args, const float* dots,
                             const BackwardTiles<Shape>& tiles, int64_t step, int64_t batch,
                             int64_t head, int64_t query) {
  using T = typename Shape::T;
  const PydlAttentionGeometry& g = args.geometry;
  const HeadRows<T> queries(args.query, args.query_strides, batch, head, g.queries, g.head_size);
  const HeadRows<T> d_outs(args.out_gradient, args.out_gradient_strides, batch, head, g.queries,
                           g.value_size);
  T* to = tiles.passing(step);
  copy_rows<Shape::kHead, Shape::kPassing, Shape::kThreads>(queries, query, to);
  copy_rows<Shape::kHead, Shape::kPassing, Shape::kThreads>(d_outs, query, to + Shape::kPass);
  const int n = static_cast<int>(threadIdx.x);
  if (n < 2 * Shape::kPassing) {
    const float* from = n < Shape::kPassing ? static_cast<const float*>(args.log_sums) : dots;
    const int64_t row = query + n % Shape::kPassing;
    const bool inside = row < g.queries;
    const int64_t at = ScoreHead{g, batch, head}.row_index(inside ? row : 0);
    ptx::copy_async<4>(tiles.row_facts(step) + n, from + at, inside ? 4 : 0);
  }
}

template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads)
    key_tiles_kernel(const __grid_constant__ PydlAttentionBackwardArgs args,
                     const __grid_constant__ AttentionDropout dropout, const float* dots) {
  using T = typename Shape::T;
  const PydlAttentionGeometry& g = args.geometry;
  const int64_t count = divide_up(g.keys, Shape::kRows), all = blockIdx.x / Shape::kParts / count;
  const int64_t batch = all / g.key_heads, key_head = all % g.key_heads;
  const int64_t first = blockIdx.x / Shape::kParts % count * Shape::kRows;
  const int64_t group = g.heads / g.key_heads;
  const HeadRows<T> keys(args.key, args.key_strides, batch, key_head, g.keys, g.head_size);
  const HeadRows<T> values(args.value, args.value_strides, batch, key_head, g.keys, g.value_size);
  const BackwardTiles<Shape> tiles;
  // Earlier queries do not attend to these keys.
  const int64_t begin = g.causal ? first / Shape::kPassing : 0;
  const int64_t end = divide_up(g.queries, Shape::kPassing);
  const int64_t head_steps = end > begin ? end - begin : 0, steps = group * head_steps;
  const auto head_at = [&](int64_t step) { return key_head * group + step / head_steps; };
  const auto query_at = [&](int64_t step) { return (begin + step % head_steps) * Shape::kPassing; };
  const auto load = [&](int64_t step) {
    if (step < steps)
      copy_queries<Shape>(args, dots, tiles, step, batch, head_at(step), query_at(step));
    ptx::commit_copies();
  };
  copy_rows<Shape::kHead, Shape::kRows, Shape::kThreads>(keys, first, tiles.first);
  copy_rows<Shape::kHead, Shape::kRows, Shape::kThreads>(values, first, tiles.second);
  load(0);
  const int column = static_cast<int>(blockIdx.x % Shape::kParts) * Shape::kPart;
  float key_sums[1][Shape::kPart / 8][4] = {}, value_sums[1][Shape::kPart / 8][4] = {};
#pragma unroll 1
  for (int64_t step = 0; step < steps; ++step) {
    ptx::wait_for_copies<0>();
    __syncthreads();  // the tiles have come for all; none reads those before any more
    load(step + 1);
    float weights[1][Shape::kBlocks][4] = {}, d_scores[1][Shape::kBlocks][4] = {};
    make_key_gradients<Shape>({g, batch, head_at(step)}, dropout, tiles, step, first, query_at(step),
                              weights, d_scores);
    add_products<Shape::kHead>(weights, tiles.passing(step) + Shape::kPass, column, value_sums);
    add_products<Shape::kHead>(d_scores, tiles.passing(step), column, key_sums);
  }
  ptx::wait_for_copies<0>();
  __syncthreads();
  const int row = static_cast<int>(threadIdx.x) / 32 * 16;
  const int64_t at = batch * g.keys * g.key_heads + key_head;
  const auto store = [&](const auto& sums, float factor, void* out, int64_t size, T* tile) {
    const float factors[1][2] = {{factor, factor}};
    const HeadResult<T> to = {static_cast<T*>(out) + at * size, g.key_heads * size, g.keys,
                              static_cast<int>(size)};
    store_sums<Shape::kHead>(sums, factors, tile, row, to, first, column);
  };
  store(key_sums, static_cast<float>(g.scale), args.key_gradient, g.head_size, tiles.first);
  store(value_sums, static_cast<float>(dropout.kept_factor), args.value_gradient, g.value_size,
        tiles.second);
}

}  // namespace
}  // namespace pydl::cuda
