// The gradient of attention, after Dao et al. (2022), "FlashAttention": the weights are made again
// block by block, from the scores and their log-sums. With P the weights and D = sum(dO * O) of
// each row:
//
//   dV = P^T dO    dP = dO V^T    dS = P (dP - D)    dQ = scale dS K    dK = scale dS^T Q
#include "cpu/attention/scores.h"
#include "cpu/attention/split_blocks.h"
#include "cpu/simd/dtype.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// A dense result (batch, length, heads, size).
template <class S>
struct Result {
  S* data;
  int64_t length, heads, size;

  // Rows [first, first + count) of one head, from sums whose rows are `stride` apart.
  template <class T>
  void write(int64_t batch, int64_t head, int64_t first, int64_t count, const T* sums,
             int64_t stride, T scale) const {
    for (int64_t r = 0; r < count; ++r, sums += stride) {
      S* to = data + ((batch * length + first + r) * heads + head) * size;
      for_each_vector<T>(size, [&](int64_t i, auto... lanes) {
        store(load(sums + i, lanes...) * scale, to + i, lanes...);
      });
    }
  }
};

// One thread's work on a key head and all query heads that share it.
template <class S, class Blocks>
class Backward {
 public:
  using T = Compute<S>;
  using Element = typename Blocks::Element;

  Backward(const PydlContext* context, const PydlAttentionBackwardArgs& args)
      : args_(args),
        g_(args.geometry),
        dropout_(g_),
        head_row_(whole_panels<T>(g_.head_size)),
        value_row_(whole_panels<T>(g_.value_size)),
        packed_(context, PackedSizes(g_).total()),
        sums_(context, g_.keys * (head_row_ + value_row_)),
        block_(context,
               kQueryBlock * (2 * head_row_ + value_row_ + 2 * kScoreRow + 1) + kKeyBlock) {
    const PackedSizes sizes(g_);
    Carver<Element> packed(packed_.data());
    packed_keys_ = packed.take(sizes.keys);
    packed_keys_transposed_ = packed.take(sizes.keys_transposed);
    packed_values_transposed_ = packed.take(sizes.values_transposed);
    packed_query_ = packed.take(sizes.query);
    packed_d_out_ = packed.take(sizes.d_out);
    left_query_ = packed.take(sizes.left_query);
    left_d_out_ = packed.take(sizes.left_d_out);
    left_scores_ = packed.take(sizes.left_scores);
    Carver<T> sums(sums_.data()), block(block_.data());
    key_sums_ = sums.take(g_.keys * head_row_);
    value_sums_ = sums.take(g_.keys * value_row_);
    query_ = block.take(kQueryBlock * head_row_);
    query_sums_ = block.take(kQueryBlock * head_row_);
    d_out_ = block.take(kQueryBlock * value_row_);
    weights_ = block.take(kQueryBlock * kScoreRow);
    d_scores_ = block.take(kQueryBlock * kScoreRow);
    dots_ = block.take(kQueryBlock);
    factors_ = block.take(kKeyBlock);
  }
  // Whether what was computed is right.
  bool exact() const { return blocks_.exact(); }
  explicit operator bool() const { return packed_ && sums_ && block_; }

  void run(int64_t batch, int64_t key_head) {
    pack_head(batch, key_head);
    const int64_t group = g_.heads / g_.key_heads, blocks = divide_up(g_.queries, kQueryBlock);
    for (int64_t head = key_head * group; head < (key_head + 1) * group; ++head) {
      for (int64_t block = 0; block < blocks; ++block) {
        const int64_t first = block * g_.queries / blocks;
        run_queries(batch, head, first, (block + 1) * g_.queries / blocks - first);
      }
    }
    const Result<S> keys = {static_cast<S*>(args_.key_gradient), g_.keys, g_.key_heads,
                            g_.head_size};
    const Result<S> values = {static_cast<S*>(args_.value_gradient), g_.keys, g_.key_heads,
                              g_.value_size};
    keys.write(batch, key_head, 0, g_.keys, key_sums_, head_row_, T(1));
    values.write(batch, key_head, 0, g_.keys, value_sums_, value_row_, T(1));
  }

 private:
  // Elements of the packed operands.
  struct PackedSizes {
    int64_t keys, keys_transposed, values_transposed, query, d_out;
    int64_t left_query, left_d_out, left_scores;

    explicit PackedSizes(const PydlAttentionGeometry& g)
        : keys(Blocks::right_size(g.keys, g.head_size)),
          keys_transposed(Blocks::right_size(g.head_size, g.keys)),
          values_transposed(Blocks::right_size(g.value_size, g.keys)),
          query(Blocks::right_size(kQueryBlock, g.head_size)),
          d_out(Blocks::right_size(kQueryBlock, g.value_size)),
          left_query(Blocks::left_size(kQueryBlock, g.head_size)),
          left_d_out(Blocks::left_size(kQueryBlock, g.value_size)),
          left_scores(larger(Blocks::left_size(kQueryBlock, Blocks::kKeys),
                             Blocks::left_size(Blocks::kKeys, kQueryBlock))) {}
    int64_t total() const {
      return keys + keys_transposed + values_transposed + query + d_out + left_query + left_d_out +
             left_scores;
    }
  };

  void pack_head(int64_t batch, int64_t head) {
    const S* keys = head_of(static_cast<const S*>(args_.key), args_.key_strides, batch, head);
    const S* values = head_of(static_cast<const S*>(args_.value), args_.value_strides, batch, head);
    const int64_t key_row = args_.key_strides[1], value_row = args_.value_strides[1];
    keys_ = blocks_.pack_rows(keys, key_row, g_.keys, g_.head_size, packed_keys_);
    keys_transposed_ =
        blocks_.pack_transposed(keys, key_row, g_.head_size, g_.keys, packed_keys_transposed_);
    values_transposed_ = blocks_.pack_transposed(values, value_row, g_.value_size, g_.keys,
                                                 packed_values_transposed_);
    clear(key_sums_, g_.keys * head_row_);
    clear(value_sums_, g_.keys * value_row_);
  }

  // Queries [first, first + count) of query head `head`.
  void run_queries(int64_t batch, int64_t head, int64_t first, int64_t count) {
    load_queries(batch, head, first, count);
    const auto query = blocks_.pack_left({query_, head_row_, 1}, count, g_.head_size, left_query_);
    const auto d_out =
        blocks_.pack_left({d_out_, value_row_, 1}, count, g_.value_size, left_d_out_);
    const auto queries = blocks_.pack_rows(query_, head_row_, count, g_.head_size, packed_query_);
    const auto d_outs = blocks_.pack_rows(d_out_, value_row_, count, g_.value_size, packed_d_out_);
    const int64_t end = g_.causal ? smaller(g_.keys, first + count) : g_.keys;
    for (int64_t key = 0; key < end; key += Blocks::kKeys) {
      const int64_t n = smaller(Blocks::kKeys, end - key);
      blocks_.multiply(count, g_.head_size, query, keys_transposed_.columns(key, n), weights_,
                       kScoreRow, false);
      blocks_.multiply(count, g_.value_size, d_out, values_transposed_.columns(key, n), d_scores_,
                       kScoreRow, false);
      for (int64_t r = 0; r < count; ++r) take_row({batch, head, first + r}, r, key, n);
      // The next three share the memory of their left operand.
      const auto weights = blocks_.pack_left({weights_, 1, kScoreRow}, n, count, left_scores_);
      blocks_.multiply(n, count, weights, d_outs, value_sums_ + key * value_row_, value_row_, true);
      const auto d_rows = blocks_.pack_left({d_scores_, 1, kScoreRow}, n, count, left_scores_);
      blocks_.multiply(n, count, d_rows, queries, key_sums_ + key * head_row_, head_row_, true);
      const auto d_scores = blocks_.pack_left({d_scores_, kScoreRow, 1}, count, n, left_scores_);
      blocks_.multiply(count, n, d_scores, keys_.from_row(key), query_sums_, head_row_, key > 0);
    }
    if (end == 0) clear(query_sums_, count * head_row_);
    const Result<S> result = {static_cast<S*>(args_.query_gradient), g_.queries, g_.heads,
                              g_.head_size};
    result.write(batch, head, first, count, query_sums_, head_row_, static_cast<T>(g_.scale));
  }

  void load_queries(int64_t batch, int64_t head, int64_t first, int64_t count) {
    const S* query = head_of(static_cast<const S*>(args_.query), args_.query_strides, batch, head);
    const S* d_out =
        head_of(static_cast<const S*>(args_.out_gradient), args_.out_gradient_strides, batch, head);
    for (int64_t r = 0; r < count; ++r) {
      const S* out = static_cast<const S*>(args_.out) +
                     ((batch * g_.queries + first + r) * g_.heads + head) * g_.value_size;
      const S* d_row = d_out + (first + r) * args_.out_gradient_strides[1];
      copy_row(d_row, g_.value_size, d_out_ + r * value_row_);
      dots_[r] = sum_vectors<T>(g_.value_size, [&](int64_t i, auto... lanes) {
        return load(d_row + i, lanes...) * load(out + i, lanes...);
      });
    }
    copy_scaled(query + first * args_.query_strides[1], args_.query_strides[1], count, g_.head_size,
                static_cast<T>(g_.scale), query_, head_row_);
  }

  // Turns scores into weights, and the gradient of the weights into that of the scores.
  void take_row(ScoreRow row, int64_t r, int64_t key, int64_t n) {
    T* weights = weights_ + r * kScoreRow;
    T* d_scores = d_scores_ + r * kScoreRow;
    const int64_t seen = causal_count(g_, row.query, key, n);
    mask_scores(g_, row, key, seen, weights);
    exponentials(weights, seen, static_cast<const T*>(args_.log_sums)[row_index(g_, row)]);
    clear(weights + seen, n - seen);
    clear(d_scores + seen, n - seen);
    const T dot = dots_[r];
    if (dropout_.enabled()) {
      dropout_.factors(row, key, seen, factors_);
      for (int64_t j = 0; j < seen; ++j) {
        d_scores[j] = weights[j] * (d_scores[j] * factors_[j] - dot);
        weights[j] *= factors_[j];
      }
    } else {
      for (int64_t j = 0; j < seen; ++j) d_scores[j] = weights[j] * (d_scores[j] - dot);
    }
  }

  const PydlAttentionBackwardArgs& args_;
  const PydlAttentionGeometry& g_;
  Dropout dropout_;
  int64_t head_row_, value_row_;  // elements of a row in whole panels
  Blocks blocks_;
  Scratch<Element> packed_;
  Scratch<T> sums_, block_;
  Element *packed_keys_, *packed_keys_transposed_, *packed_values_transposed_, *packed_query_,
      *packed_d_out_, *left_query_, *left_d_out_, *left_scores_;
  T *key_sums_, *value_sums_, *query_, *query_sums_, *d_out_, *weights_, *d_scores_, *dots_,
      *factors_;
  typename Blocks::Right keys_, keys_transposed_, values_transposed_;
};

// Clears `exact` where the result is of no use.
template <class S, class Blocks>
PydlStatus run_parts(const PydlContext* context, const PydlAttentionBackwardArgs& args,
                     bool& exact) {
  const PydlAttentionGeometry& g = args.geometry;
  bool enough_memory = true;
  parallel_for(context, g.batch * g.key_heads, 1, [&](int64_t begin, int64_t end) {
    Backward<S, Blocks> part(context, args);
    if (!part) {
      __atomic_store_n(&enough_memory, false, __ATOMIC_RELAXED);
      return;
    }
    for (int64_t i = begin; i < end; ++i) part.run(i / g.key_heads, i % g.key_heads);
    if (!part.exact()) __atomic_store_n(&exact, false, __ATOMIC_RELAXED);
  });
  return enough_memory ? PYDL_OK : PYDL_ERROR_MEMORY;
}

template <class S>
PydlStatus backward(const PydlContext* context, const PydlAttentionBackwardArgs& args) {
  bool exact = true;
#ifdef PYDL_ISA_avx512
  if constexpr (std::is_same_v<S, float>) {
    if (worth_splitting_heads<S>(args.geometry)) {
      const PydlStatus status = run_parts<S, SplitBlocks>(context, args, exact);
      if (exact) return status;
    }
  }
#endif
  return run_parts<S, VectorBlocks<S>>(context, args, exact);
}

}  // namespace

PydlStatus attention_backward(const PydlContext* context, const PydlAttentionBackwardArgs* args) {
  return visit_floating(context, "scaled_dot_product_attention", args->dtype,
                        [&](auto zero) { return backward<decltype(zero)>(context, *args); });
}

}  // namespace pydl::cpu::PYDL_ISA
