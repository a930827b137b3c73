// The gradient of attention, after Dao et al. (2022), "FlashAttention": the weights are made again
// block by block, from the scores and their log-sums. With P the weights and D = sum(dO * O) of
// each row:
//
//   dV = P^T dO    dP = dO V^T    dS = P (dP - D)    dQ = scale dS K    dK = scale dS^T Q
#include "cpu/attention/split_backward.h"
#include "cpu/simd/dtype.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// One thread's work on a key head and all query heads that share it.
template <class S>
class Backward {
 public:
  using T = Compute<S>;
  using Blocks = VectorBlocks<S>;

  Backward(const PydlContext* context, const PydlAttentionBackwardArgs& args)
      : args_(args),
        g_(args.geometry),
        dropout_(g_),
        head_row_(whole_panels<T>(g_.head_size)),
        value_row_(whole_panels<T>(g_.value_size)),
        packed_(context, carve_packed(nullptr)),
        sums_(context, g_.keys * (head_row_ + value_row_)),
        block_(context,
               kQueryBlock * (2 * head_row_ + value_row_ + 2 * kScoreRow + 1) + kKeyBlock) {
    carve_packed(packed_.data());
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
  bool exact() const { return true; }
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
    key_result<S>(args_).write(batch, key_head, 0, g_.keys, key_sums_, head_row_, T(1));
    value_result<S>(args_).write(batch, key_head, 0, g_.keys, value_sums_, value_row_, T(1));
  }

 private:
  int64_t carve_packed(T* memory) {
    Carver<T> packed(memory);
    packed_keys_ = packed.take(Blocks::right_size(g_.keys, g_.head_size));
    packed_keys_transposed_ = packed.take(Blocks::right_size(g_.head_size, g_.keys));
    packed_values_transposed_ = packed.take(Blocks::right_size(g_.value_size, g_.keys));
    packed_query_ = packed.take(Blocks::right_size(kQueryBlock, g_.head_size));
    packed_d_out_ = packed.take(Blocks::right_size(kQueryBlock, g_.value_size));
    return packed.taken();
  }

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
    load_queries<S, T>(args_, {batch, head, first}, count,
                       {query_, head_row_, d_out_, value_row_, dots_});
    const auto queries = blocks_.pack_rows(query_, head_row_, count, g_.head_size, packed_query_);
    const auto d_outs = blocks_.pack_rows(d_out_, value_row_, count, g_.value_size, packed_d_out_);
    const int64_t end = g_.causal ? smaller(g_.keys, first + count) : g_.keys;
    for (int64_t key = 0; key < end; key += kKeyBlock) {
      const int64_t n = smaller(kKeyBlock, end - key);
      blocks_.multiply(count, g_.head_size, {query_, head_row_, 1},
                       keys_transposed_.columns(key, n), weights_, kScoreRow, false);
      blocks_.multiply(count, g_.value_size, {d_out_, value_row_, 1},
                       values_transposed_.columns(key, n), d_scores_, kScoreRow, false);
      for (int64_t r = 0; r < count; ++r) take_row({batch, head, first + r}, r, key, n);
      blocks_.multiply(n, count, {weights_, 1, kScoreRow}, d_outs, value_sums_ + key * value_row_,
                       value_row_, true);
      blocks_.multiply(n, count, {d_scores_, 1, kScoreRow}, queries, key_sums_ + key * head_row_,
                       head_row_, true);
      blocks_.multiply(count, n, {d_scores_, kScoreRow, 1}, keys_.from_row(key), query_sums_,
                       head_row_, key > 0);
    }
    if (end == 0) clear(query_sums_, count * head_row_);
    query_result<S>(args_).write(batch, head, first, count, query_sums_, head_row_,
                                 static_cast<T>(g_.scale));
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
  T *packed_keys_, *packed_keys_transposed_, *packed_values_transposed_, *packed_query_,
      *packed_d_out_;
  Scratch<T> packed_, sums_, block_;
  T *key_sums_, *value_sums_, *query_, *query_sums_, *d_out_, *weights_, *d_scores_, *dots_,
      *factors_;
  typename Blocks::Right keys_, keys_transposed_, values_transposed_;
};

// A Part is a class like Backward. Clears `exact` where the result is of no use.
template <class Part>
PydlStatus run_parts(const PydlContext* context, const PydlAttentionBackwardArgs& args,
                     bool& exact) {
  const PydlAttentionGeometry& g = args.geometry;
  bool enough_memory = true;
  parallel_for(context, g.batch * g.key_heads, 1, [&](int64_t begin, int64_t end) {
    Part part(context, args);
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
  if (worth_splitting_heads<S>(args.geometry)) {
    const PydlStatus status = run_parts<SplitBackward>(context, args, exact);
    if (exact) return status;
  }
#endif
  return run_parts<Backward<S>>(context, args, exact);
}

}  // namespace

PydlStatus attention_backward(const PydlContext* context, const PydlAttentionBackwardArgs* args) {
  return visit_floating(context, "scaled_dot_product_attention", args->dtype,
                        [&](auto zero) { return backward<decltype(zero)>(context, *args); });
}

}  // namespace pydl::cpu::PYDL_ISA
