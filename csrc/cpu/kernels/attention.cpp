// Attention forward, after Dao et al. (2022), "FlashAttention": softmax runs along with the scores,
// a block of keys at a time.
#include "cpu/attention/running_softmax.h"
#include "cpu/attention/split_forward.h"
#include "cpu/attention/strided_blocks.h"
#include "cpu/simd/dtype.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// One thread's packed keys and values of a head, and what it computes of a block of queries.
template <class S, class Blocks>
class Forward {
 public:
  using T = Compute<S>;
  static constexpr int64_t kQueries = kQueryBlock;  // at a time

  Forward(const PydlContext* context, const PydlAttentionArgs& args)
      : args_(args),
        g_(args.geometry),
        softmax_(context, g_, kQueries),
        head_row_(padded<T>(g_.head_size)),
        memory_(context, Blocks::right_size(g_.head_size, g_.keys) +
                             Blocks::right_size(g_.keys, g_.value_size) +
                             kQueryBlock * (head_row_ + kScoreRow)) {
    Carver<T> memory(memory_.data());
    packed_keys_ = memory.take(Blocks::right_size(g_.head_size, g_.keys));
    packed_values_ = memory.take(Blocks::right_size(g_.keys, g_.value_size));
    query_ = memory.take(kQueryBlock * head_row_);
    scores_ = memory.take(kQueryBlock * kScoreRow);
  }
  explicit operator bool() const { return softmax_ && memory_; }
  bool exact() const { return true; }

  // Queries [first, first + count) of query head `head`.
  void run(int64_t batch, int64_t head, int64_t first, int64_t count) {
    const int64_t key_head = head / (g_.heads / g_.key_heads);
    if (batch != packed_batch_ || key_head != packed_head_) pack(batch, key_head);
    const S* query = head_of(static_cast<const S*>(args_.query), args_.query_strides, batch, head);
    copy_scaled(query + first * args_.query_strides[1], args_.query_strides[1], count, g_.head_size,
                static_cast<T>(g_.scale), query_, head_row_);
    const int64_t end = g_.causal ? smaller(g_.keys, first + count) : g_.keys;
    softmax_.start(count);
    for (int64_t key = 0; key < end; key += kKeyBlock) {
      const int64_t n = smaller(kKeyBlock, end - key);
      blocks_.multiply(count, g_.head_size, {query_, head_row_, 1}, keys_.columns(key, n), scores_,
                       kScoreRow, false);
      for (int64_t r = 0; r < count; ++r) take_row({batch, head, first + r}, r, key, n);
      blocks_.multiply(count, n, {scores_, kScoreRow, 1}, values_.from_row(key), softmax_.sums(0),
                       softmax_.value_row(), key > 0);
    }
    for (int64_t r = 0; r < count; ++r) {
      softmax_.finish(args_, {batch, head, first + r}, r, static_cast<S*>(args_.out));
    }
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

  void take_row(ScoreRow row, int64_t r, int64_t key, int64_t n) {
    T* scores = scores_ + r * kScoreRow;
    const auto weighing = softmax_.take(row, r, key, n, scores);
    softmax_.add_total(r, exponentials(scores, weighing.seen, weighing.shift));
    clear(scores + weighing.seen, n - weighing.seen);
    if (!weighing.factors) return;
    for (int64_t j = 0; j < weighing.seen; ++j) scores[j] *= weighing.factors[j];
  }

  const PydlAttentionArgs& args_;
  const PydlAttentionGeometry& g_;
  RunningSoftmax<T> softmax_;
  Blocks blocks_;
  int64_t head_row_;  // elements of a row of query_
  Scratch<T> memory_;
  T *packed_keys_, *packed_values_, *query_, *scores_;
  typename Blocks::Right keys_, values_;
  int64_t packed_batch_ = -1, packed_head_ = -1;
};

// A Part is a class like Forward. Clears `exact` where the result is of no use.
template <class Part>
PydlStatus run_parts(const PydlContext* context, const PydlAttentionArgs& args, bool& exact) {
  const PydlAttentionGeometry& g = args.geometry;
  const int64_t blocks = divide_up(g.queries, Part::kQueries);
  const int64_t block_work = smaller(Part::kQueries, g.queries) + kPackingCost;
  const int64_t work = block_work * larger(1, g.keys) * (g.head_size + g.value_size);
  bool enough_memory = true;
  parallel_for(context, g.batch * g.heads * blocks, divide_up(kProductsPerThread, work),
               [&](int64_t begin, int64_t end) {
                 Part part(context, args);
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

template <class S>
PydlStatus forward(const PydlContext* context, const PydlAttentionArgs& args) {
  bool exact = true;
  if (args.geometry.queries == 1) {
    return run_parts<Forward<S, StridedBlocks<S>>>(context, args, exact);
  }
#ifdef PYDL_ISA_avx512
  if (worth_splitting_heads<S>(args.geometry)) {
    const PydlStatus status = run_parts<SplitForward>(context, args, exact);
    if (exact) return status;
  }
#endif
  return run_parts<Forward<S, VectorBlocks<S>>>(context, args, exact);
}

}  // namespace

PydlStatus attention_forward(const PydlContext* context, const PydlAttentionArgs* args) {
  return visit_floating(context, "scaled_dot_product_attention", args->dtype,
                        [&](auto zero) { return forward<decltype(zero)>(context, *args); });
}

}  // namespace pydl::cpu::PYDL_ISA
