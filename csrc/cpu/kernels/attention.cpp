// Attention forward, after Dao et al. (2022), "FlashAttention": softmax runs along with the scores,
// a block of keys at a time.
#include "cpu/attention/scores.h"
#include "cpu/attention/split_blocks.h"
#include "cpu/attention/strided_blocks.h"
#include "cpu/simd/dtype.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// One thread's packed keys and values of a head, and what it computes of a block of queries.
template <class S, class Blocks>
class Forward {
 public:
  using T = Compute<S>;
  using Element = typename Blocks::Element;

  Forward(const PydlContext* context, const PydlAttentionArgs& args)
      : args_(args),
        g_(args.geometry),
        dropout_(g_),
        head_row_(padded<T>(g_.head_size)),
        value_row_(whole_panels<T>(g_.value_size)),
        packed_(context, Blocks::right_size(g_.head_size, g_.keys) +
                             Blocks::right_size(g_.keys, g_.value_size) +
                             Blocks::left_size(kQueryBlock, g_.head_size) +
                             Blocks::left_size(kQueryBlock, kKeyBlock)),
        block_(context, kQueryBlock * (head_row_ + kScoreRow + value_row_ + 2) + kKeyBlock) {
    Carver<Element> packed(packed_.data());
    packed_keys_ = packed.take(Blocks::right_size(g_.head_size, g_.keys));
    packed_values_ = packed.take(Blocks::right_size(g_.keys, g_.value_size));
    packed_query_ = packed.take(Blocks::left_size(kQueryBlock, g_.head_size));
    packed_weights_ = packed.take(Blocks::left_size(kQueryBlock, kKeyBlock));
    Carver<T> block(block_.data());
    query_ = block.take(kQueryBlock * head_row_);
    scores_ = block.take(kQueryBlock * kScoreRow);
    sums_ = block.take(kQueryBlock * value_row_);
    tops_ = block.take(kQueryBlock);
    totals_ = block.take(kQueryBlock);
    factors_ = block.take(kKeyBlock);
  }
  explicit operator bool() const { return packed_ && block_; }

  // Whether what was computed is right.
  bool exact() const { return blocks_.exact(); }

  // Queries [first, first + count) of query head `head`.
  void run(int64_t batch, int64_t head, int64_t first, int64_t count) {
    const int64_t key_head = head / (g_.heads / g_.key_heads);
    if (batch != packed_batch_ || key_head != packed_head_) pack(batch, key_head);
    const S* query = head_of(static_cast<const S*>(args_.query), args_.query_strides, batch, head);
    copy_scaled(query + first * args_.query_strides[1], args_.query_strides[1], count, g_.head_size,
                static_cast<T>(g_.scale), query_, head_row_);
    const auto left = blocks_.pack_left({query_, head_row_, 1}, count, g_.head_size, packed_query_);
    const int64_t end = g_.causal ? smaller(g_.keys, first + count) : g_.keys;
    for (int64_t r = 0; r < count; ++r) {
      tops_[r] = kNothing;
      totals_[r] = 0;
    }
    for (int64_t key = 0; key < end; key += kKeyBlock) {
      const int64_t n = smaller(kKeyBlock, end - key);
      blocks_.multiply(count, g_.head_size, left, keys_.columns(key, n), scores_, kScoreRow, false);
      for (int64_t r = 0; r < count; ++r) take_row({batch, head, first + r}, r, key, n);
      const auto weights = blocks_.pack_left({scores_, kScoreRow, 1}, count, n, packed_weights_);
      blocks_.multiply(count, n, weights, values_.from_row(key), sums_, value_row_, key > 0);
    }
    for (int64_t r = 0; r < count; ++r) finish_row({batch, head, first + r}, r);
  }

 private:
  void pack(int64_t batch, int64_t head) {
    const S* keys = head_of(static_cast<const S*>(args_.key), args_.key_strides, batch, head);
    const S* values = head_of(static_cast<const S*>(args_.value), args_.value_strides, batch, head);
    keys_ =
        blocks_.pack_transposed(keys, args_.key_strides[1], g_.head_size, g_.keys, packed_keys_);
    values_ =
        blocks_.pack_rows(values, args_.value_strides[1], g_.keys, g_.value_size, packed_values_);
    packed_batch_ = batch;
    packed_head_ = head;
  }

  // Turns a row of scores into weights relative to the largest score so far, and brings what was
  // summed before to the same measure.
  void take_row(ScoreRow row, int64_t r, int64_t key, int64_t n) {
    T* scores = scores_ + r * kScoreRow;
    const int64_t seen = causal_count(g_, row.query, key, n);
    mask_scores(g_, row, key, seen, scores);
    const T block_top = largest(scores, seen);
    const T top = block_top > tops_[r] ? block_top : tops_[r];
    const T total = exponentials(scores, seen, top == kNothing ? 0 : top);
    clear(scores + seen, n - seen);
    if (top != tops_[r]) {
      const T shrink = ::exp(tops_[r] - top);
      tops_[r] = top;
      totals_[r] *= shrink;
      if (key > 0) scale_sums(r, shrink);
    }
    totals_[r] += total;
    if (dropout_.enabled()) {
      dropout_.factors(row, key, seen, factors_);
      for (int64_t j = 0; j < seen; ++j) scores[j] *= factors_[j];
    }
  }

  void scale_sums(int64_t r, T factor) const {
    T* sums = sums_ + r * value_row_;
    for_each_vector<T>(g_.value_size, [&](int64_t i, auto... lanes) {
      store(load(sums + i, lanes...) * factor, sums + i, lanes...);
    });
  }

  void finish_row(ScoreRow row, int64_t r) const {
    const bool nothing = tops_[r] == kNothing && totals_[r] == 0;
    const T* sums = sums_ + r * value_row_;
    const T factor = nothing ? 0 : 1 / totals_[r];
    S* to = static_cast<S*>(args_.out) +
            ((row.batch * g_.queries + row.query) * g_.heads + row.head) * g_.value_size;
    for_each_vector<T>(g_.value_size, [&](int64_t i, auto... lanes) {
      store(nothing ? Vec<T>(T(0)) : load(sums + i, lanes...) * factor, to + i, lanes...);
    });
    static_cast<T*>(args_.log_sums)[row_index(g_, row)] =
        nothing ? -kNothing : tops_[r] + static_cast<T>(::log(totals_[r]));
  }

  static constexpr T kNothing = -static_cast<T>(INFINITY);  // the top of no scores

  const PydlAttentionArgs& args_;
  const PydlAttentionGeometry& g_;
  Dropout dropout_;
  int64_t head_row_, value_row_;  // elements of a row of query_ and of sums_
  Blocks blocks_;
  Scratch<Element> packed_;
  Scratch<T> block_;
  Element *packed_keys_, *packed_values_, *packed_query_, *packed_weights_;
  T *query_, *scores_, *sums_, *tops_, *totals_, *factors_;
  typename Blocks::Right keys_, values_;
  int64_t packed_batch_ = -1, packed_head_ = -1;
};

template <class S, class Blocks>
PydlStatus forward(const PydlContext* context, const PydlAttentionArgs& args, bool& exact) {
  const PydlAttentionGeometry& g = args.geometry;
  const int64_t blocks = divide_up(g.queries, kQueryBlock);
  const int64_t block_work = smaller(kQueryBlock, g.queries) + kPackingCost;
  const int64_t work = block_work * larger(1, g.keys) * (g.head_size + g.value_size);
  bool enough_memory = true;
  parallel_for(context, g.batch * g.heads * blocks, divide_up(kProductsPerThread, work),
               [&](int64_t begin, int64_t end) {
                 Forward<S, Blocks> part(context, args);
                 if (!part) {
                   __atomic_store_n(&enough_memory, false, __ATOMIC_RELAXED);
                   return;
                 }
                 for (int64_t i = begin; i < end; ++i) {
                   const int64_t block = i % blocks, head = i / blocks % g.heads;
                   const int64_t first = block * g.queries / blocks;
                   part.run(i / (blocks * g.heads), head, first,
                            (block + 1) * g.queries / blocks - first);
                 }
                 if (!part.exact()) __atomic_store_n(&exact, false, __ATOMIC_RELAXED);
               });
  return enough_memory ? PYDL_OK : PYDL_ERROR_MEMORY;
}

}  // namespace

PydlStatus attention_forward(const PydlContext* context, const PydlAttentionArgs* args) {
  return visit_floating(context, "scaled_dot_product_attention", args->dtype, [&](auto zero) {
    using S = decltype(zero);
    bool exact = true;
    if (args->geometry.queries == 1) return forward<S, StridedBlocks<S>>(context, *args, exact);
    return with_blocks<S>(args->geometry, [&](auto kind, bool& exact) {
      using Blocks = typename decltype(kind)::Type;
      return forward<S, Blocks>(context, *args, exact);
    });
  });
}

}  // namespace pydl::cpu::PYDL_ISA
