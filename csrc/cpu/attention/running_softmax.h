// Softmax over rows of scores that come a block of keys at a time, with the weighted sums of
// values.
#pragma once

#include "cpu/attention/scores.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// The state of a block of queries. `sums` are those of values, weighted relative to the largest
// score so far.
template <class T>
class RunningSoftmax {
 public:
  // For blocks of at most `rows` queries.
  RunningSoftmax(const PydlContext* context, const PydlAttentionGeometry& g, int64_t rows)
      : g_(g),
        dropout_(g),
        value_row_(whole_panels<T>(g.value_size)),
        memory_(context, rows * (value_row_ + 2) + kKeyBlock) {
    Carver<T> memory(memory_.data());
    sums_ = memory.take(rows * value_row_);
    tops_ = memory.take(rows);
    totals_ = memory.take(rows);
    factors_ = memory.take(kKeyBlock);
  }
  explicit operator bool() const { return static_cast<bool>(memory_); }

  void start(int64_t count) {
    for (int64_t r = 0; r < count; ++r) {
      tops_[r] = kNothing;
      totals_[r] = 0;
    }
  }

  T* sums(int64_t r) const { return sums_ + r * value_row_; }
  int64_t value_row() const { return value_row_; }

  // How weights follow from a row of scores: exp(score - shift) of the first `seen`, 0 of the
  // others, times dropout's factors if there are any, which stay until the next row is taken.
  struct Weighing {
    int64_t seen = 0;
    T shift = 0;
    const T* factors = nullptr;
  };

  // Takes the scores of keys [key, key + n), and brings what was summed before to the same measure.
  // The sum of the weights without dropout's factors is to be added by add_total().
  Weighing take(ScoreRow row, int64_t r, int64_t key, int64_t n, T* scores) {
    const int64_t seen = causal_count(g_, row.query, key, n);
    mask_scores(g_, row, key, seen, scores);
    const T block_top = largest(scores, seen);
    const T top = block_top > tops_[r] ? block_top : tops_[r];
    if (dropout_.enabled()) dropout_.factors(row, key, seen, factors_);
    if (top != tops_[r] && key > 0) shrink(r, exp(Vec<T>(tops_[r] - top)));
    tops_[r] = top;
    return {seen, top == kNothing ? 0 : top, dropout_.enabled() ? factors_ : nullptr};
  }
  void add_total(int64_t r, T total) { totals_[r] += total; }

  // Writes the weighted mean of values, and log(sum(exp(scores))).
  template <class S>
  void finish(const PydlAttentionArgs& args, ScoreRow row, int64_t r, S* out) const {
    S* to = out + ((row.batch * g_.queries + row.query) * g_.heads + row.head) * g_.value_size;
    const bool nothing = tops_[r] == kNothing && totals_[r] == 0;
    const T factor = nothing ? 0 : 1 / totals_[r];
    for_each_vector<T>(g_.value_size, [&](int64_t i, auto... lanes) {
      store(nothing ? Vec<T>(T(0)) : load(sums(r) + i, lanes...) * factor, to + i, lanes...);
    });
    static_cast<T*>(args.log_sums)[row_index(g_, row)] =
        nothing ? -kNothing : tops_[r] + static_cast<T>(::log(totals_[r]));
  }

 private:
  void shrink(int64_t r, Vec<T> factor) const {
    const Vec<T> total = factor * totals_[r];
    store(total, totals_ + r, 1);
    for_each_vector<T>(g_.value_size, [&](int64_t i, auto... lanes) {
      store(load(sums(r) + i, lanes...) * factor, sums(r) + i, lanes...);
    });
  }

  static constexpr T kNothing = -static_cast<T>(INFINITY);  // the top of no scores

  const PydlAttentionGeometry& g_;
  Dropout dropout_;
  int64_t value_row_;  // elements of a row of sums
  Scratch<T> memory_;
  T *sums_, *tops_, *totals_, *factors_;
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
