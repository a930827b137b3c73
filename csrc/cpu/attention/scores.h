// Rows of scores: which keys a query may attend to, and dropout.
#pragma once

#include <math.h>

#include "cpu/attention/blocks.h"
#include "cpu/philox.h"
#include "cpu/rows.h"
#include "cpu/simd/math.h"
#include "pydl/kernels/attention.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// One query of one head.
struct ScoreRow {
  int64_t batch, head, query;
};

inline int64_t row_index(const PydlAttentionGeometry& g, ScoreRow row) {
  return (row.batch * g.heads + row.head) * g.queries + row.query;
}

// How many of the keys from `first_key` on, `count` at most, come before those that causality
// hides.
inline int64_t causal_count(const PydlAttentionGeometry& g, int64_t query, int64_t first_key,
                            int64_t count) {
  if (!g.causal || query >= first_key + count) return count;
  return query < first_key ? 0 : query - first_key + 1;
}

// Where the mask of a row's key is.
inline int64_t mask_index(const PydlAttentionGeometry& g, ScoreRow row, int64_t key) {
  return row.batch * g.mask_strides[0] + row.head * g.mask_strides[1] +
         row.query * g.mask_strides[2] + key * g.mask_strides[3];
}

// Applies n elements of the mask, from `at` on and `step` apart, to scores.
template <class T>
void mask_line(const PydlAttentionGeometry& g, int64_t at, int64_t step, int64_t n, T* scores) {
  const T hidden_score = -static_cast<T>(INFINITY);
  if (g.mask_dtype == PYDL_BOOL) {
    const uint8_t* attend = static_cast<const uint8_t*>(g.mask) + at;
    if (step == 1) {
      for (int64_t j = 0; j < n; ++j) scores[j] = attend[j] ? scores[j] : hidden_score;
    } else {
      for (int64_t j = 0; j < n; ++j) scores[j] = attend[j * step] ? scores[j] : hidden_score;
    }
  } else {
    const T* bias = static_cast<const T*>(g.mask) + at;
    if (step == 1) {
      for (int64_t j = 0; j < n; ++j) scores[j] += bias[j];
    } else {
      for (int64_t j = 0; j < n; ++j) scores[j] += bias[j * step];
    }
  }
}

// Applies the mask to the scores of keys [first_key, first_key + n).
template <class T>
void mask_scores(const PydlAttentionGeometry& g, ScoreRow row, int64_t first_key, int64_t n,
                 T* scores) {
  if (g.mask) mask_line(g, mask_index(g, row, first_key), g.mask_strides[3], n, scores);
}

// NaN is passed over.
template <class T>
inline T largest(const T* values, int64_t n) {
  constexpr int kSize = Vec<T>::size;
  const Vec<T> lowest(-static_cast<T>(INFINITY));
  Vec<T> top[4] = {lowest, lowest, lowest, lowest};  // enough comparisons in flight
  const auto meet = [](Vec<T>& best, Vec<T> v) { best = select(v > best, v, best); };
  int64_t i = 0;
  for (; i + 4 * kSize <= n; i += 4 * kSize) {
    for (int k = 0; k < 4; ++k) meet(top[k], load(values + i + k * kSize));
  }
  for (; i + kSize <= n; i += kSize) meet(top[0], load(values + i));
  if (i < n) {
    const int count = static_cast<int>(n - i);
    meet(top[1], select(first_lanes<T>(count), load(values + i, count), lowest));
  }
  meet(top[0], top[1]);
  meet(top[2], top[3]);
  meet(top[0], top[2]);
  return reduce_max(top[0]);
}

// values = exp(values - shift); returns their sum.
template <class T>
inline T exponentials(T* values, int64_t n, T shift) {
  return sum_vectors<T>(n, [&](int64_t i, auto... count) {
    const Vec<T> e = exp(load(values + i, count...) - shift);
    store(e, values + i, count...);
    return keep(e, count...);
  });
}

// Whole heads of an operand with three strides: batch, length, head.
template <class S>
inline S* head_of(S* data, const int64_t* strides, int64_t batch, int64_t head) {
  return data + batch * strides[0] + head * strides[2];
}

template <class T>
inline void clear(T* values, int64_t n) {
  for (int64_t i = 0; i < n; ++i) values[i] = 0;
}

// The factors that dropout multiplies weights by.
class Dropout {
 public:
  static constexpr int64_t kGroup =
      2 * PYDL_RANDOM_WORDS;  // keys that one group of words decides on

  static_assert(kKeyBlock % kGroup == 0);

  explicit Dropout(const PydlAttentionGeometry& g)
      : geometry_(g),
        philox_(g.random),
        threshold_(static_cast<uint32_t>(g.dropout_rate * 65536 + 0.5)),
        kept_factor_(threshold_ < 65536 ? 65536.0 / (65536 - threshold_) : 0) {}

  bool enabled() const { return threshold_ > 0; }

  // For keys [first_key, first_key + n) of a row; first_key is a multiple of kGroup, and `factors`
  // has room for whole groups.
  template <class T>
  void factors(ScoreRow row, int64_t first_key, int64_t n, T* factors) const {
    const int64_t groups = (geometry_.keys + kGroup - 1) / kGroup;
    const int64_t first = row_index(geometry_, row) * groups + first_key / kGroup;
    const T kept = static_cast<T>(kept_factor_);
    for (int64_t i = 0; i * kGroup < n; ++i) {
      alignas(64) uint32_t words[PYDL_RANDOM_WORDS];
      philox_.group(first + i, words);
      T* low = factors + i * kGroup;
      T* high = low + PYDL_RANDOM_WORDS;
      for (int j = 0; j < PYDL_RANDOM_WORDS; ++j)
        low[j] = (words[j] & 0xffff) >= threshold_ ? kept : 0;
      for (int j = 0; j < PYDL_RANDOM_WORDS; ++j)
        high[j] = (words[j] >> 16) >= threshold_ ? kept : 0;
    }
  }

 private:
  const PydlAttentionGeometry& geometry_;
  Philox philox_;
  uint32_t threshold_;
  double kept_factor_;
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
