// Attention forward of float32 in tile registers, see gemm/split_tile.h.
#pragma once

#include "cpu/attention/running_softmax.h"
#include "cpu/attention/split_blocks.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

#ifdef PYDL_ISA_avx512

constexpr int64_t kStageKeys = 512;  // parts of their weights stay in the L2 cache
constexpr int64_t kStageRow = kStageKeys + 16;  // as kScoreRow
static_assert(kStageKeys <= kKeyBlock && kStageKeys % Dropout::kGroup == 0);

// A row of scores becomes the parts of weights, kStepKeys keys at a time: so few that tile
// registers do not wait while vectors work.
class SplitRow {
 public:
  using Weighing = RunningSoftmax<float>::Weighing;
  static constexpr int64_t kStepKeys = 2 * kSplitDepth;

  SplitRow() = default;
  SplitRow(const Weighing& weighing, const float* scores, int64_t n, Pairs* to)
      : weighing_(weighing), scores_(scores), n_(n), to_(to) {}

  bool done() const { return next_ >= n_; }
  // The sum of the weights without dropout's factors.
  float total() const { return reduce_add(low_sum_ + high_sum_); }

  void step() {
    const int64_t end = smaller(next_ + kStepKeys, n_);
    for (; next_ < end; next_ += kSplitDepth) {
      if (next_ + kSplitDepth <= weighing_.seen) {
        weigh(exponential(next_), exponential(next_ + kSize));
      } else if (next_ < weighing_.seen) {
        weigh(some_exponentials(next_), some_exponentials(next_ + kSize));
      } else {
        Splitter::cut(0.0f, 0.0f, place());
      }
    }
  }

 private:
  static constexpr int64_t kSize = Vec<float>::size;

  Pairs* place() const { return to_ + next_ / kSplitDepth * kChunkPairs; }
  Vec<float> exponential(int64_t i) const { return exp(load(scores_ + i) - weighing_.shift); }
  Vec<float> some_exponentials(int64_t i) const {
    const int count = static_cast<int>(larger(0, smaller(kSize, weighing_.seen - i)));
    return keep(exp(load(scores_ + i, count) - weighing_.shift), count);
  }
  void weigh(Vec<float> low, Vec<float> high) {
    low_sum_ += low;
    high_sum_ += high;
    if (weighing_.factors) {
      low *= load(weighing_.factors + next_);
      high *= load(weighing_.factors + next_ + kSize);
    }
    Splitter::cut(low, high, place());
  }

  Weighing weighing_;
  const float* scores_ = nullptr;
  int64_t next_ = 0, n_ = 0;
  Pairs* to_ = nullptr;
  Vec<float> low_sum_ = 0.0f, high_sum_ = 0.0f;
};

// Strips of queries take turns: while tiles multiply for two of them, vectors take the rows of the
// one between. A stage is one strip and kStageKeys keys.
class SplitForward {
 public:
  static constexpr int64_t kQueries = 4 * kSplitSide;  // at a time

  SplitForward(const PydlContext* context, const PydlAttentionArgs& args)
      : args_(args),
        g_(args.geometry),
        softmax_(context, g_, kQueries),
        head_row_(whole_panels<float>(g_.head_size)),
        packed_(context, SplitBlocks::right_size(g_.head_size, g_.keys) +
                             SplitBlocks::right_size(g_.keys, g_.value_size) +
                             kStrips * SplitBlocks::left_size(kSplitSide, g_.head_size) +
                             2 * SplitBlocks::left_size(kSplitSide, kStageKeys)),
        memory_(context, kSplitSide * (head_row_ + 2 * kStageRow)) {
    Carver<Pairs> packed(packed_.data());
    Carver<float> memory(memory_.data());
    packed_keys_ = packed.take(SplitBlocks::right_size(g_.head_size, g_.keys));
    packed_values_ = packed.take(SplitBlocks::right_size(g_.keys, g_.value_size));
    scaled_query_ = memory.take(kSplitSide * head_row_);
    for (Strip& strip : strips_) {
      strip.query = packed.take(SplitBlocks::left_size(kSplitSide, g_.head_size));
    }
    for (int i = 0; i < 2; ++i) {
      weights_[i] = packed.take(SplitBlocks::left_size(kSplitSide, kStageKeys));
      scores_[i] = memory.take(kSplitSide * kStageRow);
    }
  }
  explicit operator bool() const { return softmax_ && packed_ && memory_; }

  // Whether what was computed is right.
  bool exact() const { return blocks_.exact(); }

  // Queries [first, first + count) of query head `head`; count is 2 at least.
  void run(int64_t batch, int64_t head, int64_t first, int64_t count) {
    batch_ = batch;
    head_ = head;
    const int64_t key_head = head / (g_.heads / g_.key_heads);
    if (batch != packed_batch_ || key_head != packed_head_) pack(batch, key_head);
    turns_ = larger(2, divide_up(count, kSplitSide));
    for (int64_t i = 0; i < turns_; ++i) {
      load_strip(strips_[i], first, i * count / turns_, (i + 1) * count / turns_);
    }
    softmax_.start(count);
    const int64_t stages = turns_ * divide_up(strips_[turns_ - 1].end, kStageKeys);
    PairsAhead nothing;
    multiply_scores(0, nothing);
    for (int64_t t = 0; t < stages; ++t) {
      TakeRows rows(*this, t, stages);
      if (t > 0) multiply_values(t - 1, rows);
      if (t + 1 < stages) multiply_scores(t + 1, rows);
      rows.finish();
    }
    multiply_values(stages - 1, nothing);
    for (int64_t r = 0; r < count; ++r) {
      softmax_.finish(args_, {batch, head, first + r}, r, static_cast<float*>(args_.out));
    }
  }

 private:
  struct Strip {
    int64_t first, row, rows, end;  // query, row of the block, and after the last key that is seen
    Pairs* query;
  };

  // Takes rows of a stage step by step, as many at each call as let the products last until the
  // end.
  class TakeRows {
   public:
    TakeRows(SplitForward& part, int64_t stage, int64_t stages)
        : part_(part), stage_(stage), rows_(part.keys_of(stage) ? part.strip(stage).rows : 0) {
      int64_t chunks = 0;
      if (stage > 0)
        chunks += panels_of(part.g_.value_size) * panels_of(part.keys_of(stage - 1));
      if (stage + 1 < stages) {
        chunks += panels_of(part.g_.head_size) * panels_of(part.keys_of(stage + 1));
      }
      pace_ = Pace(rows_ * (1 + divide_up(part.keys_of(stage), SplitRow::kStepKeys)),
                   chunks * kMeanwhileCalls);
    }
    void operator()() {
      for (int64_t n = pace_.due(); n > 0; --n) step();
    }
    void finish() {
      while (row_ < rows_) step();
    }

   private:
    // Starts a row, or goes on with it.
    __attribute__((noinline)) void step() {
      if (row_ == rows_) return;
      if (!started_) {
        current_ = part_.start_row(stage_, row_);
        started_ = true;
        return;
      }
      current_.step();
      if (!current_.done()) return;
      part_.softmax_.add_total(part_.strip(stage_).row + row_++, current_.total());
      started_ = false;
    }

    SplitForward& part_;
    SplitRow current_;
    bool started_ = false;
    int64_t stage_, row_ = 0, rows_;
    Pace pace_{0, 1};
  };

  void pack(int64_t batch, int64_t head) {
    const float* keys =
        head_of(static_cast<const float*>(args_.key), args_.key_strides, batch, head);
    const float* values =
        head_of(static_cast<const float*>(args_.value), args_.value_strides, batch, head);
    keys_ =
        blocks_.pack_transposed(keys, args_.key_strides[1], g_.head_size, g_.keys, packed_keys_);
    values_ =
        blocks_.pack_rows(values, args_.value_strides[1], g_.keys, g_.value_size, packed_values_);
    packed_batch_ = batch;
    packed_head_ = head;
  }

  // Rows [row, end) of the block of queries from `first` on.
  void load_strip(Strip& strip, int64_t first, int64_t row, int64_t end) {
    strip.first = first + row;
    strip.row = row;
    strip.rows = end - row;
    strip.end = g_.causal ? smaller(g_.keys, first + end) : g_.keys;
    const int64_t stride = args_.query_strides[1];
    const float* query =
        head_of(static_cast<const float*>(args_.query), args_.query_strides, batch_, head_);
    copy_scaled(query + strip.first * stride, stride, strip.rows, g_.head_size,
                static_cast<float>(g_.scale), scaled_query_, head_row_);
    blocks_.pack_left({scaled_query_, head_row_, 1}, strip.rows, g_.head_size, strip.query);
  }

  const Strip& strip(int64_t stage) const { return strips_[stage % turns_]; }
  int64_t first_key(int64_t stage) const { return stage / turns_ * kStageKeys; }
  int64_t keys_of(int64_t stage) const {
    return larger(0, smaller(kStageKeys, strip(stage).end - first_key(stage)));
  }

  template <class Meanwhile>
  void multiply_scores(int64_t stage, Meanwhile& meanwhile) {
    const Strip& of = strip(stage);
    const SplitMatrix keys = keys_.columns(first_key(stage), keys_of(stage));
    for (int64_t j = 0; j < panels_of(keys.n); ++j) {
      multiply_registers(of.rows, panels_of(g_.head_size), of.query, keys.data + j * keys.stride,
                         scores_[stage % 2] + j * kSplitSide, kStageRow, meanwhile);
    }
  }

  template <class Meanwhile>
  void multiply_values(int64_t stage, Meanwhile& meanwhile) {
    const Strip& of = strip(stage);
    const int64_t n = keys_of(stage);
    if (n == 0) return;
    const SplitMatrix values = values_.from_row(first_key(stage));
    for (int64_t j = 0; j < panels_of(g_.value_size); ++j) {
      multiply_split(of.rows, panels_of(n), weights_[stage % 2], values.data + j * values.stride,
                     {softmax_.sums(of.row) + j * kSplitSide, softmax_.value_row(),
                      static_cast<int>(kSplitSide), first_key(stage) > 0},
                     meanwhile);
    }
  }

  SplitRow start_row(int64_t stage, int64_t row) {
    const Strip& of = strip(stage);
    const int64_t n = keys_of(stage);
    float* scores = scores_[stage % 2] + row * kStageRow;
    const ScoreRow at = {batch_, head_, of.first + row};
    return {softmax_.take(at, of.row + row, first_key(stage), n, scores), scores, n,
            weights_[stage % 2] + row * kRowPairs};
  }

  static constexpr int64_t kStrips = kQueries / kSplitSide;

  const PydlAttentionArgs& args_;
  const PydlAttentionGeometry& g_;
  SplitBlocks blocks_;
  RunningSoftmax<float> softmax_;
  int64_t head_row_;  // elements of a row of scaled_query_
  Scratch<Pairs> packed_;
  Scratch<float> memory_;
  Pairs *packed_keys_, *packed_values_;
  float* scaled_query_;
  Strip strips_[kStrips];
  int64_t turns_ = 0;  // how many strips there are
  Pairs* weights_[2];  // of even and odd stages
  float* scores_[2];
  SplitMatrix keys_, values_;
  int64_t batch_ = 0, head_ = 0, packed_batch_ = -1, packed_head_ = -1;
};

#endif

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
