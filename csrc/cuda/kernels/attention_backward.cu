// The gradient of attention, after Dao et al. (2022), "FlashAttention": the weights are made again tile
// by tile, from the scores and their log-sums. With P the weights and D = sum(dO * O) of each row:
//
//   dV = P^T dO    dP = dO V^T    dS = P (dP - D)    dQ = scale dS K    dK = scale dS^T Q
//
// One kernel goes along the keys of a tile of queries for dQ, another along the queries of a tile of
// keys for dK and dV, so that every sum has one owner and one order.
#include "cuda/attention/tensor.h"
#include "cuda/attention/tiles.cuh"
#include "cuda/device/strided.cuh"
#include "pydl/cuda/visit.h"

namespace pydl::cuda {
namespace {

constexpr int kDotThreads = 256;

template <class S>
__global__ void __launch_bounds__(kDotThreads)
    dots_kernel(PydlAttentionBackwardArgs args, Compute<S>* dots) {
  using T = Compute<S>;
  const PydlAttentionGeometry& g = args.geometry;
  const int64_t row =
      static_cast<int64_t>(blockIdx.x) * (kDotThreads / kWarp) + threadIdx.x / kWarp;
  const bool inside = row < g.batch * g.heads * g.queries;
  const int64_t query = row % g.queries, head = row / g.queries % g.heads;
  const int64_t batch = row / g.queries / g.heads;
  const S* out =
      static_cast<const S*>(args.out) + ((batch * g.queries + query) * g.heads + head) * g.value_size;
  const S* d_out = head_of<S>(args.out_gradient, args.out_gradient_strides, batch, head) +
                   query * args.out_gradient_strides[1];
  T dot = 0;
  for (int64_t i = threadIdx.x % kWarp; inside && i < g.value_size; i += kWarp)
    dot += to_compute(d_out[i]) * to_compute(out[i]);
  dot = reduce_lanes<kWarp>(dot, Add());
  if (inside && threadIdx.x % kWarp == 0) dots[row] = dot;
}

// The weight of one score, and its gradient from that of the weight.
template <class T>
struct Gradient {
  T weight, d_score;
  __device__ Gradient(const ScoreHead& of, const AttentionDropout& dropout, const T* log_sums,
                      const T* dots, int64_t query, int64_t key, T score, T d_weight) {
    const bool inside = query < of.g.queries;
    const int64_t row = of.row_index(inside ? query : 0);
    weight = ::exp(of.masked(query, key, score) - log_sums[row]);
    if (!inside || key >= of.g.keys) weight = T(0);
    if (weight == T(0)) {
      d_score = T(0);
      return;
    }
    const T factor = dropout.template factor<T>(of, query, key);
    d_score = weight * (d_weight * factor - dots[row]);
    weight *= factor;
  }
};

// Tiles of one block: two that stay, of rows of the result, and two that come and go.
template <class Shape>
struct BackwardTiles {
  using T = typename Shape::T;
  T *first, *second, *passing_first, *passing_second, *scores, *more_scores;
  __device__ BackwardTiles()
      : first(dynamic_shared<T>()),
        second(first + Shape::kTile * Shape::kRow),
        passing_first(second + Shape::kTile * Shape::kRow),
        passing_second(passing_first + Shape::kTile * Shape::kRow),
        scores(passing_second + Shape::kTile * Shape::kRow),
        more_scores(scores + Shape::kTile * Shape::kScoreRow) {}
};

// Makes the weights of two tiles again, and the gradients of their scores: rows are those that stay,
// from `first` on, columns those that pass.
template <class Shape, bool kRowsAreKeys, class T>
__device__ void make_scores(const BackwardTiles<Shape>& tiles, const ScoreHead& scores_of,
                            const AttentionDropout& dropout, const T* log_sums, const T* dots,
                            int64_t first, int64_t passing) {
  const TilePlace<Shape> at;
  T scores[Shape::kPer][Shape::kPer], d_weights[Shape::kPer][Shape::kPer];
  multiply_rows<Shape>(tiles.first, tiles.passing_first, scores);
  multiply_rows<Shape>(tiles.second, tiles.passing_second, d_weights);
#pragma unroll
  for (int i = 0; i < Shape::kPer; ++i)
#pragma unroll
    for (int j = 0; j < Shape::kPer; ++j) {
      const int row = at.y * Shape::kPer + i, column = at.x + j * Shape::kSide;
      const int64_t query = kRowsAreKeys ? passing + column : first + row;
      const int64_t key = kRowsAreKeys ? first + row : passing + column;
      const Gradient<T> gradient(scores_of, dropout, log_sums, dots, query, key, scores[i][j],
                                 d_weights[i][j]);
      tiles.scores[row * Shape::kScoreRow + column] = gradient.d_score;
      if (kRowsAreKeys) tiles.more_scores[row * Shape::kScoreRow + column] = gradient.weight;
    }
}

template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads)
    query_gradient_kernel(PydlAttentionBackwardArgs args, AttentionDropout dropout,
                          const typename Shape::T* dots) {
  using S = typename Shape::Storage;
  using T = typename Shape::T;
  const PydlAttentionGeometry& g = args.geometry;
  const BackwardTiles<Shape> tiles;
  const int64_t count = divide_up(g.queries, Shape::kTile), all = blockIdx.x / count;
  const int64_t batch = all / g.heads, head = all % g.heads;
  const int64_t key_head = head / (g.heads / g.key_heads);
  const int64_t first = (count - 1 - blockIdx.x % count) * Shape::kTile;
  const S* keys = head_of<S>(args.key, args.key_strides, batch, key_head);
  const S* values = head_of<S>(args.value, args.value_strides, batch, key_head);
  const ScoreHead scores_of = {g, batch, head};
  load_tile<Shape>(head_of<S>(args.query, args.query_strides, batch, head), args.query_strides[1],
                   first, g.queries, g.head_size, static_cast<T>(g.scale), tiles.first);
  load_tile<Shape>(head_of<S>(args.out_gradient, args.out_gradient_strides, batch, head),
                   args.out_gradient_strides[1], first, g.queries, g.value_size, T(1),
                   tiles.second);
  T sums[Shape::kPer][Shape::kParts] = {};
  const int64_t last = first + Shape::kTile;
  const int64_t end = g.causal && last < g.keys ? last : g.keys;
  for (int64_t key = 0; key < end; key += Shape::kTile) {
    load_tile<Shape>(keys, args.key_strides[1], key, g.keys, g.head_size, T(1),
                     tiles.passing_first);
    load_tile<Shape>(values, args.value_strides[1], key, g.keys, g.value_size, T(1),
                     tiles.passing_second);
    __syncthreads();
    make_scores<Shape, false>(tiles, scores_of, dropout, static_cast<const T*>(args.log_sums), dots,
                              first, key);
    __syncthreads();
    add_products<Shape>(tiles.scores, tiles.passing_first, sums);
    __syncthreads();
  }
  S* out =
      static_cast<S*>(args.query_gradient) + (batch * g.queries * g.heads + head) * g.head_size;
  store_rows<Shape>(sums, static_cast<T>(g.scale), out, g.heads * g.head_size, first, g.queries,
                    g.head_size);
}

template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads)
    key_gradient_kernel(PydlAttentionBackwardArgs args, AttentionDropout dropout,
                        const typename Shape::T* dots) {
  using S = typename Shape::Storage;
  using T = typename Shape::T;
  const PydlAttentionGeometry& g = args.geometry;
  const BackwardTiles<Shape> tiles;
  const int64_t count = divide_up(g.keys, Shape::kTile), all = blockIdx.x / count;
  const int64_t batch = all / g.key_heads, key_head = all % g.key_heads;
  const int64_t first = blockIdx.x % count * Shape::kTile, group = g.heads / g.key_heads;
  load_tile<Shape>(head_of<S>(args.key, args.key_strides, batch, key_head), args.key_strides[1],
                   first, g.keys, g.head_size, T(1), tiles.first);
  load_tile<Shape>(head_of<S>(args.value, args.value_strides, batch, key_head),
                   args.value_strides[1], first, g.keys, g.value_size, T(1), tiles.second);
  T key_sums[Shape::kPer][Shape::kParts] = {}, value_sums[Shape::kPer][Shape::kParts] = {};
  for (int64_t head = key_head * group; head < (key_head + 1) * group; ++head) {
    const S* queries = head_of<S>(args.query, args.query_strides, batch, head);
    const S* d_outs = head_of<S>(args.out_gradient, args.out_gradient_strides, batch, head);
    const ScoreHead scores_of = {g, batch, head};
    for (int64_t query = g.causal ? first : 0; query < g.queries; query += Shape::kTile) {
      load_tile<Shape>(queries, args.query_strides[1], query, g.queries, g.head_size,
                       static_cast<T>(g.scale), tiles.passing_first);
      load_tile<Shape>(d_outs, args.out_gradient_strides[1], query, g.queries, g.value_size, T(1),
                       tiles.passing_second);
      __syncthreads();
      make_scores<Shape, true>(tiles, scores_of, dropout, static_cast<const T*>(args.log_sums), dots,
                               first, query);
      __syncthreads();
      add_products<Shape>(tiles.scores, tiles.passing_first, key_sums);
      add_products<Shape>(tiles.more_scores, tiles.passing_second, value_sums);
      __syncthreads();
    }
  }
  const int64_t at_head = batch * g.keys * g.key_heads + key_head;
  store_rows<Shape>(key_sums, T(1), static_cast<S*>(args.key_gradient) + at_head * g.head_size,
                    g.key_heads * g.head_size, first, g.keys, g.head_size);
  store_rows<Shape>(value_sums, T(1), static_cast<S*>(args.value_gradient) + at_head * g.value_size,
                    g.key_heads * g.value_size, first, g.keys, g.value_size);
}

template <class S>
PydlStatus backward_tiles(const PydlContext* context, const PydlAttentionBackwardArgs& args,
                          const S* dots) {
  const PydlAttentionGeometry& g = args.geometry;
  return visit_shape<S, 4>(context, g, [&](auto shape) {
    using Shape = decltype(shape);
    const auto run = [&](int64_t heads, int64_t length, auto kernel) {
      const int64_t blocks = g.batch * heads * divide_up(length, Shape::kTile);
      return launch(context, dim3(static_cast<uint32_t>(blocks)), dim3(Shape::kThreads),
                    Shape::kSharedBytes, kernel, args, AttentionDropout(context, g), dots);
    };
    const PydlStatus status = run(g.heads, g.queries, query_gradient_kernel<Shape>);
    return status != PYDL_OK ? status : run(g.key_heads, g.keys, key_gradient_kernel<Shape>);
  });
}

template <class S>
PydlStatus backward(const PydlContext* context, const PydlAttentionBackwardArgs& args) {
  using T = Compute<S>;
  const PydlAttentionGeometry& g = args.geometry;
  const int64_t rows = g.batch * g.heads * g.queries;
  Scratch<T> dots(context, rows + 1);
  if (!dots)
    return context->fail(context, PYDL_ERROR_MEMORY,
                         "[scaled_dot_product_attention] out of memory");
  const int64_t blocks = divide_up(rows, kDotThreads / kWarp);
  const PydlStatus status = launch(context, dim3(static_cast<uint32_t>(blocks)),
                                   dim3(kDotThreads), 0, dots_kernel<S>, args, dots.data());
  if (status != PYDL_OK) return status;
  if constexpr (sizeof(S) == 2) {
    return tensor_attention_backward(context, args, dots.data());
  } else {
    return backward_tiles<S>(context, args, dots.data());
  }
}

}  // namespace

PydlStatus attention_backward(const PydlContext* context, const PydlAttentionBackwardArgs* args) {
  return visit_floating(context, kAttention, args->dtype,
                        [&](auto zero) { return backward<decltype(zero)>(context, *args); });
}

}  // namespace pydl::cuda
