// The gradient of attention of float32 in tile registers, see gemm/split_tile.h. Scores are made
// transposed, a row for each key: what the products after them need is then split where it is.
//
//   dV = P^T dO    dK = dS^T Q    dQ^T = K^T dS^T
#pragma once

#include "cpu/attention/gradient_operands.h"
#include "cpu/attention/split_blocks.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

#ifdef PYDL_ISA_avx512

// One thread's work on a key head and all query heads that share it. Strips of keys follow each
// other: while tiles multiply for the one before and the one after, vectors take the rows of one.
class SplitBackward {
 public:
  SplitBackward(const PydlContext* context, const PydlAttentionBackwardArgs& args)
      : args_(args),
        g_(args.geometry),
        dropout_(g_),
        head_row_(whole_panels<float>(g_.head_size)),
        value_row_(whole_panels<float>(g_.value_size)),
        packed_(context, carve_packed(nullptr)),
        memory_(context, carve_memory(nullptr)) {
    carve_packed(packed_.data());
    carve_memory(memory_.data());
  }
  explicit operator bool() const { return packed_ && memory_; }
  // Whether what was computed is right.
  bool exact() const { return blocks_.exact() && finite_; }

  void run(int64_t batch, int64_t key_head) {
    batch_ = batch;
    pack_head(key_head);
    const int64_t group = g_.heads / g_.key_heads;
    for (head_ = key_head * group; head_ < (key_head + 1) * group; ++head_) {
      for (first_ = 0; first_ < g_.queries; first_ += kQueries) run_queries();
    }
    key_result<float>(args_).write(batch, key_head, 0, g_.keys, key_sums_, head_row_, 1.0f);
    value_result<float>(args_).write(batch, key_head, 0, g_.keys, value_sums_, value_row_, 1.0f);
  }

 private:
  static constexpr int64_t kQueries = 128;  // in a block
  static constexpr int64_t kRow = kQueries + 16;                              // as kScoreRow
  static constexpr int64_t kGroup = 4;      // strips whose part of dQ is one product
  static constexpr int64_t kLower = kRegisterRows;  // rows i and i + kLower of a strip are paired
  static_assert(kGroup * kSplitSide == Dropout::kGroup);

  struct Strip {
    int64_t index, key, rows, panel;  // the first key; the first panel of queries that see it
    float *scores, *d_weights;
    Pairs *weights, *d_scores;
  };

  // Takes the rows of a strip step by step, as many at each call as let the products last until the
  // end: scores become weights, and the gradient of weights that of scores.
  class TakeRows {
   public:
    TakeRows(SplitBackward& part, int64_t index, int64_t calls)
        : part_(part),
          strip_(part.strip(index)),
          panel_(strip_.panel),
          pace_(kRegisterRows * (part.panels_ - panel_), calls) {}
    void operator()() {
      for (int64_t n = pace_.due(); n > 0; --n) step();
    }
    void finish() {
      while (row_ < kRegisterRows) step();
    }

   private:
    __attribute__((noinline)) void step() {
      if (row_ == kRegisterRows) return;
      if (panel_ == strip_.panel) part_.start_rows(strip_, row_);
      part_.take_square(strip_, row_, panel_);
      if (++panel_ < part_.panels_) return;
      panel_ = strip_.panel;
      ++row_;
    }

    SplitBackward& part_;
    const Strip strip_;
    int64_t row_ = 0, panel_;
    Pace pace_;
  };

  int64_t carve_packed(Pairs* memory) {
    Carver<Pairs> packed(memory);
    const auto left = SplitBlocks::left_size, right = SplitBlocks::right_size;
    packed_keys_ = packed.take(left(g_.keys, g_.head_size));
    packed_values_ = packed.take(left(g_.keys, g_.value_size));
    packed_keys_transposed_ = packed.take(left(g_.head_size, g_.keys));
    packed_query_ = packed.take(right(kQueries, g_.head_size));
    packed_d_out_ = packed.take(right(kQueries, g_.value_size));
    packed_query_transposed_ = packed.take(right(g_.head_size, kQueries));
    packed_d_out_transposed_ = packed.take(right(g_.value_size, kQueries));
    for (int i = 0; i < 2; ++i) {
      weights_[i] = packed.take(left(kSplitSide, kQueries));
      d_scores_[i] = packed.take(left(kSplitSide, kQueries));
      d_groups_[i] = packed.take(right(kGroup * kSplitSide, kQueries));
    }
    return packed.taken();
  }
  int64_t carve_memory(float* from) {
    Carver<float> memory(from);
    key_sums_ = memory.take(g_.keys * head_row_);
    value_sums_ = memory.take(g_.keys * value_row_);
    query_ = memory.take(kQueries * head_row_);
    d_out_ = memory.take(kQueries * value_row_);
    query_sums_ = memory.take(head_row_ * kQueries);
    for (int i = 0; i < 2; ++i) {
      scores_[i] = memory.take(kSplitSide * kRow);
      d_weights_[i] = memory.take(kSplitSide * kRow);
    }
    dots_ = memory.take(kQueries);
    log_sums_ = memory.take(kQueries);
    factors_ = memory.take(dropout_.enabled() ? Dropout::kGroup * (kQueries + kLower) : 0);
    return memory.taken();
  }

  void pack_head(int64_t head) {
    const float* keys =
        head_of(static_cast<const float*>(args_.key), args_.key_strides, batch_, head);
    const float* values =
        head_of(static_cast<const float*>(args_.value), args_.value_strides, batch_, head);
    const int64_t key_row = args_.key_strides[1], value_row = args_.value_strides[1];
    keys_ = blocks_.pack_left({keys, key_row, 1}, g_.keys, g_.head_size, packed_keys_);
    values_ = blocks_.pack_left({values, value_row, 1}, g_.keys, g_.value_size, packed_values_);
    keys_transposed_ =
        blocks_.pack_left({keys, 1, key_row}, g_.head_size, g_.keys, packed_keys_transposed_);
    clear(key_sums_, g_.keys * head_row_);
    clear(value_sums_, g_.keys * value_row_);
  }

  // Queries [first_, first_ + kQueries), or as many as there are.
  void run_queries() {
    count_ = smaller(kQueries, g_.queries - first_);
    panels_ = divide_up(count_, kSplitSide);
    load_block();
    strips_ = divide_up(g_.causal ? smaller(g_.keys, first_ + count_) : g_.keys, kSplitSide);
    PairsAhead nothing;
    multiply_scores(strip(0), nothing);
    for (int64_t t = 0; t < strips_; ++t) {
      TakeRows rows(*this, t, kMeanwhileCalls * chunks_beside(t));
      if (t > 0) multiply_sums(strip(t - 1), rows);
      if (t > 0 && t % kGroup == 0) multiply_group(t / kGroup - 1, rows);
      if (t + 1 < strips_) multiply_scores(strip(t + 1), rows);
      rows.finish();
    }
    multiply_sums(strip(strips_ - 1), nothing);
    multiply_group((strips_ - 1) / kGroup, nothing);
    write_queries();
  }

  void load_block() {
    const ScoreRow row = {batch_, head_, first_};
    load_queries<float, float>(args_, row, count_, {query_, head_row_, d_out_, value_row_, dots_});
    memcpy(log_sums_, static_cast<const float*>(args_.log_sums) + row_index(g_, row),
           count_ * sizeof(float));
    for (int64_t i = count_; i < kQueries; ++i) {
      log_sums_[i] = INFINITY;  // which makes weights 0
      dots_[i] = 0;
    }
    queries_ = blocks_.pack_rows(query_, head_row_, count_, g_.head_size, packed_query_);
    d_outs_ = blocks_.pack_rows(d_out_, value_row_, count_, g_.value_size, packed_d_out_);
    queries_transposed_ = blocks_.pack_transposed(query_, head_row_, g_.head_size, count_,
                                                  packed_query_transposed_);
    d_outs_transposed_ = blocks_.pack_transposed(d_out_, value_row_, g_.value_size, count_,
                                                 packed_d_out_transposed_);
  }

  Strip strip(int64_t t) const {
    const int64_t key = t * kSplitSide;
    return {t,
            key,
            smaller(kSplitSide, g_.keys - key),
            g_.causal ? larger(0, (key - first_) / kSplitSide) : 0,
            scores_[t % 2],
            d_weights_[t % 2],
            weights_[t % 2],
            d_scores_[t % 2]};
  }
  // Of dS of a strip, transposed, in the right-hand operand of its group.
  Pairs* group_chunk(int64_t t, int64_t panel) const {
    return d_groups_[t / kGroup % 2] + (panel * kGroup + t % kGroup) * kChunkPairs;
  }
  int64_t chunks_beside(int64_t t) const {
    const int64_t sizes = panels_of(g_.head_size) + panels_of(g_.value_size);
    return larger(1, sizes * panels_ * ((t > 0) + (t + 1 < strips_)));
  }

  template <class Meanwhile>
  void multiply_scores(const Strip& of, Meanwhile& meanwhile) {
    const Pairs* keys = keys_.data + of.index * keys_.stride;
    const Pairs* values = values_.data + of.index * values_.stride;
    for (int64_t j = of.panel; j < panels_; ++j) {
      multiply_registers(of.rows, panels_of(g_.head_size), keys,
                         queries_transposed_.data + j * queries_transposed_.stride,
                         of.scores + j * kSplitSide, kRow, meanwhile);
      multiply_registers(of.rows, panels_of(g_.value_size), values,
                         d_outs_transposed_.data + j * d_outs_transposed_.stride,
                         of.d_weights + j * kSplitSide, kRow, meanwhile);
    }
  }

  // Adds to dV and dK.
  template <class Meanwhile>
  void multiply_sums(const Strip& of, Meanwhile& meanwhile) {
    const auto add = [&](const Pairs* a, const SplitMatrix& b, float* sums, int64_t row) {
      const int64_t skipped = of.panel * kChunkPairs;
      for (int64_t j = 0; j < panels_of(b.n); ++j) {
        multiply_split(of.rows, panels_ - of.panel, a + skipped, b.data + j * b.stride + skipped,
                       {sums + of.key * row + j * kSplitSide, row, kSplitSide, true}, meanwhile);
      }
    };
    add(of.weights, d_outs_, value_sums_, value_row_);
    add(of.d_scores, queries_, key_sums_, head_row_);
  }

  // Adds to dQ^T.
  template <class Meanwhile>
  void multiply_group(int64_t group, Meanwhile& meanwhile) {
    const int64_t first = group * kGroup, end = smaller(strips_, first + kGroup);
    for (int64_t j = 0; j < panels_; ++j) {
      int64_t chunks = 0;
      while (first + chunks < end && strip(first + chunks).panel <= j) ++chunks;
      if (chunks == 0) continue;
      for (int64_t i = 0; i < g_.head_size; i += kSplitSide) {
        multiply_split(smaller(kSplitSide, g_.head_size - i), chunks,
                       keys_transposed_.data + i / kSplitSide * keys_transposed_.stride +
                           first * kChunkPairs,
                       group_chunk(first, j),
                       {query_sums_ + i * kQueries + j * kSplitSide, kQueries, kSplitSide,
                        group > 0},
                       meanwhile);
      }
    }
  }

  // What comes before rows `row` and `row` + kLower of a strip are taken.
  void start_rows(const Strip& of, int64_t row) {
    if (dropout_.enabled() && row == 0 && of.index % kGroup == 0) load_factors(of.key);
    if (!g_.mask) return;
    for (int64_t i = row; i < of.rows; i += kLower) {
      mask_line(g_, mask_index(g_, {batch_, head_, first_}, of.key + i), g_.mask_strides[2], count_,
                of.scores + i * kRow);
    }
  }

  // Dropout's factors of Dropout::kGroup keys from `key` on, a row for each.
  void load_factors(int64_t key) {
    float* rows = factors_ + Dropout::kGroup * kQueries;
    for (int64_t q = 0; q < count_; q += kLower) {
      const int64_t n = smaller(kLower, count_ - q);
      for (int64_t i = 0; i < n; ++i) {
        dropout_.factors({batch_, head_, first_ + q + i}, key,
                         smaller(Dropout::kGroup, g_.keys - key), rows + i * Dropout::kGroup);
      }
      transpose_rows(rows, Dropout::kGroup, static_cast<int>(n), Dropout::kGroup, factors_ + q,
                     kQueries);
    }
  }

  // Rows `row` and `row` + kLower of a panel.
  void take_square(const Strip& of, int64_t row, int64_t panel) {
    constexpr int64_t kSize = Vec<float>::size;
    Vec<float> weights[2][2], d_scores[2][2];
    for (int h = 0; h < 2; ++h) {
      const int64_t r = row + h * kLower;
      const int64_t hidden = hidden_queries(of, r);  // which come first
      for (int v = 0; v < 2; ++v) {
        const int64_t c = panel * kSplitSide + v * kSize;
        Vec<float> w = exp(load(of.scores + r * kRow + c) - load(log_sums_ + c));
        Vec<float> d = load(of.d_weights + r * kRow + c);
        Vec<float> factored = w;
        if (dropout_.enabled()) {
          const int64_t key = of.index % kGroup * kSplitSide + r;
          const Vec<float> factor = load(factors_ + key * kQueries + c);
          d *= factor;
          factored *= factor;
        }
        d = w * (d - load(dots_ + c));
        if (hidden > c) {
          const Mask<float> lanes = first_lanes<float>(static_cast<int>(hidden - c));
          factored = select(lanes, 0.0f, factored);
          d = select(lanes, 0.0f, d);
        }
        weights[h][v] = factored;
        d_scores[h][v] = d;
      }
      Splitter::cut(weights[h][0], weights[h][1],
                    of.weights + panel * kChunkPairs + r * kRowPairs);
    }
    Splitter::cut_square(d_scores, of.d_scores + panel * kChunkPairs + row * kRowPairs,
                         group_chunk(of.index, panel) + row * kRowPairs);
  }
  int64_t hidden_queries(const Strip& of, int64_t row) const {
    if (row >= of.rows) return kQueries;
    return g_.causal ? of.key + row - first_ : 0;
  }

  void write_queries() {
    float* rows = query_;  // which is packed
    for (int64_t i = 0; i < g_.head_size; i += Vec<float>::size) {
      transpose_rows(query_sums_ + i * kQueries, kQueries,
                     static_cast<int>(smaller(Vec<float>::size, g_.head_size - i)), count_,
                     rows + i, head_row_);
    }
    // Infinity has no parts: what it was in is not a number.
    float nothing = 0;
    for (int64_t i = 0; i < g_.head_size; ++i) {
      nothing += sum_vectors<float>(count_, [&](int64_t j, auto... lanes) {
        return load(query_sums_ + i * kQueries + j, lanes...) * 0.0f;
      });
    }
    finite_ = finite_ && nothing == 0;
    query_result<float>(args_).write(batch_, head_, first_, count_, rows, head_row_,
                                     static_cast<float>(g_.scale));
  }

  const PydlAttentionBackwardArgs& args_;
  const PydlAttentionGeometry& g_;
  Dropout dropout_;
  SplitBlocks blocks_;
  int64_t head_row_, value_row_;  // elements of a row in whole panels
  Pairs *packed_keys_, *packed_values_, *packed_keys_transposed_, *packed_query_, *packed_d_out_,
      *packed_query_transposed_, *packed_d_out_transposed_;
  Pairs *weights_[2], *d_scores_[2], *d_groups_[2];
  float *key_sums_, *value_sums_, *query_, *d_out_, *query_sums_, *scores_[2], *d_weights_[2];
  float *dots_, *log_sums_, *factors_;
  Scratch<Pairs> packed_;
  Scratch<float> memory_;
  SplitMatrix keys_, values_, keys_transposed_;
  SplitMatrix queries_, d_outs_, queries_transposed_, d_outs_transposed_;
  int64_t batch_ = 0, head_ = 0, first_ = 0, count_ = 0;  // the block of queries
  int64_t panels_ = 0, strips_ = 0;
  bool finite_ = true;
};

#endif

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
