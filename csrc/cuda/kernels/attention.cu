// Attention forward, after Dao et al. (2022), "FlashAttention": softmax runs along with the scores, a
// tile of keys at a time.
#include "cuda/attention/tensor.h"
#include "cuda/attention/tiles.cuh"
#include "cuda/device/strided.cuh"
#include "pydl/cuda/visit.h"

namespace pydl::cuda {
namespace {

// The running softmax of the rows of a thread, of which neighbouring threads each have a part.
template <class Shape>
struct RunningRows {
  using T = typename Shape::T;
  static constexpr T kNothing = -static_cast<T>(INFINITY);  // the top of no scores
  T tops[Shape::kPer], totals[Shape::kPer], sums[Shape::kPer][Shape::kParts];

  __device__ RunningRows() {
#pragma unroll
    for (int i = 0; i < Shape::kPer; ++i) {
      tops[i] = kNothing;
      totals[i] = 0;
#pragma unroll
      for (int j = 0; j < Shape::kParts; ++j) sums[i][j] = 0;
    }
  }
  // Turns scores into weights relative to the largest score so far, and brings what was summed before
  // to the same measure.
  __device__ void take(T (&scores)[Shape::kPer][Shape::kPer]) {
#pragma unroll
    for (int i = 0; i < Shape::kPer; ++i) {
      T top = tops[i];
#pragma unroll
      for (int j = 0; j < Shape::kPer; ++j) top = Larger()(top, scores[i][j]);
      top = reduce_lanes<Shape::kSide>(top, Larger());
      const T origin = top == kNothing ? T(0) : top;
      T total = 0;
#pragma unroll
      for (int j = 0; j < Shape::kPer; ++j) {
        scores[i][j] = ::exp(scores[i][j] - origin);
        total += scores[i][j];
      }
      if (top != tops[i]) {
        const T shrink = ::exp(tops[i] - top);
        totals[i] *= shrink;
#pragma unroll
        for (int j = 0; j < Shape::kParts; ++j) sums[i][j] *= shrink;
        tops[i] = top;
      }
      totals[i] += reduce_lanes<Shape::kSide>(total, Add());
    }
  }
  __device__ bool has_nothing(int i) const { return tops[i] == kNothing && totals[i] == 0; }
};

template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads)
    forward_kernel(PydlAttentionArgs args, AttentionDropout dropout) {
  using S = typename Shape::Storage;
  using T = typename Shape::T;
  const PydlAttentionGeometry& g = args.geometry;
  T* query_tile = dynamic_shared<T>();
  T* tile = query_tile + Shape::kTile * Shape::kRow;  // of keys, then of values
  T* weights = tile + Shape::kTile * Shape::kRow;
  const int64_t tiles = divide_up(g.queries, Shape::kTile);
  const int64_t all = blockIdx.x / tiles, batch = all / g.heads, head = all % g.heads;
  // The last queries first: with causality they take longest.
  const int64_t first = (tiles - 1 - blockIdx.x % tiles) * Shape::kTile;
  const int64_t key_head = head / (g.heads / g.key_heads);
  const S* keys = head_of<S>(args.key, args.key_strides, batch, key_head);
  const S* values = head_of<S>(args.value, args.value_strides, batch, key_head);
  const ScoreHead scores_of = {g, batch, head};
  const TilePlace<Shape> at;
  load_tile<Shape>(head_of<S>(args.query, args.query_strides, batch, head), args.query_strides[1],
                   first, g.queries, g.head_size, static_cast<T>(g.scale), query_tile);
  RunningRows<Shape> rows;
  const int64_t last = first + Shape::kTile;
  const int64_t end = g.causal && last < g.keys ? last : g.keys;
  for (int64_t key = 0; key < end; key += Shape::kTile) {
    load_tile<Shape>(keys, args.key_strides[1], key, g.keys, g.head_size, T(1), tile);
    __syncthreads();
    T scores[Shape::kPer][Shape::kPer];
    multiply_rows<Shape>(query_tile, tile, scores);
#pragma unroll
    for (int i = 0; i < Shape::kPer; ++i)
#pragma unroll
      for (int j = 0; j < Shape::kPer; ++j)
        scores[i][j] = scores_of.masked(first + at.y * Shape::kPer + i, key + at.x + j * Shape::kSide,
                                        scores[i][j]);
    rows.take(scores);
#pragma unroll
    for (int i = 0; i < Shape::kPer; ++i)
#pragma unroll
      for (int j = 0; j < Shape::kPer; ++j) {
        const int row = at.y * Shape::kPer + i, column = at.x + j * Shape::kSide;
        weights[row * Shape::kScoreRow + column] =
            scores[i][j] * dropout.template factor<T>(scores_of, first + row, key + column);
      }
    __syncthreads();
    load_tile<Shape>(values, args.value_strides[1], key, g.keys, g.value_size, T(1), tile);
    __syncthreads();
    add_products<Shape>(weights, tile, rows.sums);
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < Shape::kPer; ++i) {
    const int64_t query = first + at.y * Shape::kPer + i;
    const bool nothing = rows.has_nothing(i);
    const T factor = T(1) / rows.totals[i];
#pragma unroll
    for (int j = 0; j < Shape::kParts; ++j)
      rows.sums[i][j] = nothing ? T(0) : rows.sums[i][j] * factor;
    if (query < g.queries && at.x == 0)
      static_cast<T*>(args.log_sums)[scores_of.row_index(query)] =
          nothing ? static_cast<T>(INFINITY) : rows.tops[i] + ::log(rows.totals[i]);
  }
  S* out = static_cast<S*>(args.out) + (batch * g.queries * g.heads + head) * g.value_size;
  store_rows<Shape>(rows.sums, T(1), out, g.heads * g.value_size, first, g.queries, g.value_size);
}

template <class S>
PydlStatus forward(const PydlContext* context, const PydlAttentionArgs& args) {
  const PydlAttentionGeometry& g = args.geometry;
  return visit_shape<S, 2>(context, g, [&](auto shape) {
    using Shape = decltype(shape);
    const int64_t blocks = g.batch * g.heads * divide_up(g.queries, Shape::kTile);
    return launch(context, dim3(static_cast<uint32_t>(blocks)), dim3(Shape::kThreads),
                  Shape::kSharedBytes, forward_kernel<Shape>, args,
                  AttentionDropout(context, g));
  });
}

}  // namespace

PydlStatus attention_forward(const PydlContext* context, const PydlAttentionArgs* args) {
  switch (args->dtype) {
    case PYDL_FLOAT64: return forward<double>(context, *args);
    case PYDL_FLOAT32: return forward<float>(context, *args);
    case PYDL_FLOAT16:
    case PYDL_BFLOAT16: return tensor_attention_forward(context, *args);
    default: return fail_dtype(context, kAttention, "a floating dtype", args->dtype);
  }
}

}  // namespace pydl::cuda
