// Attention forward of float32 in tile registers, see gemm/split_tile.h.
#pragma once

#include "cpu/attention/running_softmax.h"
#include "cpu/attention/split_blocks.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

#ifdef PYDL_ISA_avx512

constexpr int64_t kStageKeys = SplitBlocks::kKeys;
constexpr int64_t kStageRow = kStageKeys + 16;  // as kScoreRow
static_assert(kQueryBlock == 2 * kSplitSide);
static_assert(kStageKeys % Dropout::kGroup == 0);

// The parts of exp(scores - shift), times factors if there are any, and zeros from `seen` to n.
// Returns the sum of the exponentials.
inline float split_exponentials(const float* scores, int64_t seen, int64_t n, float shift,
                                const float* factors, Pairs* to) {
  constexpr int64_t kSize = Vec<float>::size;
  Vec<float> low_sum = 0.0f, high_sum = 0.0f;
  const auto take = [&](int64_t i, Vec<float> low, Vec<float> high) {
    low_sum += low;
    high_sum += high;
    if (factors) {
      low *= Vec<float>::load(factors + i);
      high *= Vec<float>::load(factors + i + kSize);
    }
    Splitter::cut(low, high, to + i / kSplitDepth * kChunkPairs);
  };
  int64_t i = 0;
  for (; i + kSplitDepth <= seen; i += kSplitDepth) {
    take(i, exp(load(scores + i) - shift), exp(load(scores + i + kSize) - shift));
  }
  if (i < seen) {
    const auto some = [&](int64_t from) {
      const int count = static_cast<int>(larger(0, smaller(kSize, seen - from)));
      return keep(exp(load(scores + from, count) - shift), count);
    };
    take(i, some(i), some(i + kSize));
    i += kSplitDepth;
  }
  for (; i < n; i += kSplitDepth) Splitter::cut(0.0f, 0.0f, to + i / kSplitDepth * kChunkPairs);
  return reduce_add(low_sum + high_sum);
}

// Two strips of queries take turns: while tiles multiply for one, vectors take the rows of the
// other. A stage is one strip and kStageKeys keys.
class SplitForward {
 public:
  SplitForward(const PydlContext* context, const PydlAttentionArgs& args)
      : args_(args),
        g_(args.geometry),
        softmax_(context, g_),
        head_row_(whole_panels<float>(g_.head_size)),
        packed_(context, SplitBlocks::right_size(g_.head_size, g_.keys) +
                             SplitBlocks::right_size(g_.keys, g_.value_size) +
                             2 * SplitBlocks::left_size(kSplitSide, g_.head_size) +
                             2 * SplitBlocks::left_size(kSplitSide, kStageKeys)),
        memory_(context, kSplitSide * (head_row_ + 2 * kStageRow)) {
    Carver<Pairs> packed(packed_.data());
    Carver<float> memory(memory_.data());
    packed_keys_ = packed.take(SplitBlocks::right_size(g_.head_size, g_.keys));
    packed_values_ = packed.take(SplitBlocks::right_size(g_.keys, g_.value_size));
    scaled_query_ = memory.take(kSplitSide * head_row_);
    for (Strip& strip : strips_) {
      strip.query = packed.take(SplitBlocks::left_size(kSplitSide, g_.head_size));
      strip.weights = packed.take(SplitBlocks::left_size(kSplitSide, kStageKeys));
      strip.scores = memory.take(kSplitSide * kStageRow);
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
    load_strip(strips_[0], first, 0, divide_up(count, 2));
    load_strip(strips_[1], first, divide_up(count, 2), count);
    softmax_.start(count);
    const int64_t stages = 2 * divide_up(strips_[1].end, kStageKeys);
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
    Pairs *query, *weights;
    float* scores;
  };

  // Takes rows of a stage, as many at each call as let the products last until the end.
  class TakeRows {
   public:
    TakeRows(SplitForward& part, int64_t stage, int64_t stages)
        : part_(part), stage_(stage), rows_(part.keys_of(stage) ? part.strip(stage).rows : 0) {
      int64_t chunks = 0;
      if (stage > 0)
        chunks += part.panels(part.g_.value_size) * part.panels(part.keys_of(stage - 1));
      if (stage + 1 < stages) {
        chunks += part.panels(part.g_.head_size) * part.panels(part.keys_of(stage + 1));
      }
      period_ = larger(1, chunks * kMeanwhileCalls / larger(1, rows_));
      wait_ = period_;
    }
    void operator()() {
      if (--wait_ > 0) return;
      wait_ = period_;
      if (row_ < rows_) part_.take_row(stage_, row_++);
    }
    void finish() {
      while (row_ < rows_) part_.take_row(stage_, row_++);
    }

   private:
    SplitForward& part_;
    int64_t stage_, row_ = 0, rows_, period_, wait_;
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

  Strip& strip(int64_t stage) { return strips_[stage % 2]; }
  static int64_t first_key(int64_t stage) { return stage / 2 * kStageKeys; }
  int64_t keys_of(int64_t stage) const {
    return larger(0, smaller(kStageKeys, strips_[stage % 2].end - first_key(stage)));
  }
  static int64_t panels(int64_t n) { return divide_up(n, kSplitSide); }

  template <class Meanwhile>
  void multiply_scores(int64_t stage, Meanwhile& meanwhile) {
    const Strip& of = strip(stage);
    const SplitMatrix keys = keys_.columns(first_key(stage), keys_of(stage));
    for (int64_t j = 0; j < panels(keys.n); ++j) {
      multiply_registers(of.rows, panels(g_.head_size), of.query, keys.data + j * keys.stride,
                         of.scores + j * kSplitSide, kStageRow, meanwhile);
    }
  }

  template <class Meanwhile>
  void multiply_values(int64_t stage, Meanwhile& meanwhile) {
    const Strip& of = strip(stage);
    const int64_t n = keys_of(stage);
    if (n == 0) return;
    const SplitMatrix values = values_.from_row(first_key(stage));
    for (int64_t j = 0; j < panels(g_.value_size); ++j) {
      multiply_split(of.rows, panels(n), of.weights, values.data + j * values.stride,
                     {softmax_.sums(of.row) + j * kSplitSide, softmax_.value_row(),
                      static_cast<int>(kSplitSide), first_key(stage) > 0},
                     meanwhile);
    }
  }

  __attribute__((noinline)) void take_row(int64_t stage, int64_t row) {
    const Strip& of = strip(stage);
    const int64_t n = keys_of(stage);
    float* scores = of.scores + row * kStageRow;
    softmax_.take({batch_, head_, of.first + row}, of.row + row, first_key(stage), n, scores,
                  [&](int64_t seen, float shift, const float* factors) {
                    return split_exponentials(scores, seen, n, shift, factors,
                                              of.weights + row * kRowPairs);
                  });
  }

  static constexpr int64_t kRowPairs = 16;  // from one row of a strip to the next

  const PydlAttentionArgs& args_;
  const PydlAttentionGeometry& g_;
  SplitBlocks blocks_;
  RunningSoftmax<float> softmax_;
  int64_t head_row_;  // elements of a row of scaled_query_
  Scratch<Pairs> packed_;
  Scratch<float> memory_;
  Pairs *packed_keys_, *packed_values_;
  float* scaled_query_;
  Strip strips_[2];
  SplitMatrix keys_, values_;
  int64_t batch_ = 0, head_ = 0, packed_batch_ = -1, packed_head_ = -1;
};

#endif

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
