// Which keys a query may attend to, and which weights dropout keeps.
#pragma once

#include <math.h>

#include "pydl/cuda/dtype.cuh"
#include "pydl/cuda/philox.cuh"
#include "pydl/kernels/attention.h"

namespace pydl::cuda {
namespace {

// The scores of one query head.
struct ScoreHead {
  const PydlAttentionGeometry& g;
  int64_t batch, head;

  __device__ int64_t row_index(int64_t query) const {
    return (batch * g.heads + head) * g.queries + query;
  }
  // A score after causality and the mask, times `unit` as the score is; -inf where the query may not
  // attend to the key.
  template <class T>
  __device__ T masked(int64_t query, int64_t key, T score, T unit = 1) const {
    constexpr T hidden = -static_cast<T>(INFINITY);
    if (query >= g.queries || key >= g.keys || (g.causal && key > query)) return hidden;
    if (!g.mask) return score;
    const int64_t at = batch * g.mask_strides[0] + head * g.mask_strides[1] +
                       query * g.mask_strides[2] + key * g.mask_strides[3];
    if (g.mask_dtype == PYDL_BOOL)
      return static_cast<const uint8_t*>(g.mask)[at] ? score : hidden;
    return score + static_cast<const T*>(g.mask)[at] * unit;
  }
};

// The factors that dropout multiplies weights by.
struct AttentionDropout {
  RandomStream stream;
  uint32_t threshold;
  double kept_factor;

  AttentionDropout(const PydlContext* context, const PydlAttentionGeometry& g)
      : stream(random_stream(context, g.random)),
        threshold(static_cast<uint32_t>(g.dropout_rate * 65536 + 0.5)),
        kept_factor(threshold < 65536 ? 65536.0 / (65536 - threshold) : 0) {}

  template <class T>
  __device__ T factor(const ScoreHead& scores, int64_t query, int64_t key) const;
};

// The random words of one block, which decide on a key and those 16, 32 and 48 further in its 64.
class DropoutWords {
 public:
  __device__ DropoutWords(const AttentionDropout& dropout, const ScoreHead& scores, int64_t query,
                          int64_t key)
      : threshold_(dropout.threshold) {
    constexpr int kGroup = 2 * PYDL_RANDOM_WORDS;  // keys that one group of words decides on
    const int64_t groups = (scores.g.keys + kGroup - 1) / kGroup;
    const int64_t group = scores.row_index(query) * groups + key / kGroup;
    const int place = static_cast<int>(key % kGroup), word = place % PYDL_RANDOM_WORDS;
    Philox(dropout.stream).block(group * PYDL_RANDOM_BLOCKS + word % PYDL_RANDOM_BLOCKS, words_);
    shift_ = place < PYDL_RANDOM_WORDS ? 0 : 16;
#pragma unroll
    for (int i = 0; i < 3; ++i) {
      if (i < word / PYDL_RANDOM_BLOCKS) {
        for (int w = 0; w < 3; ++w) words_[w] = words_[w + 1];
      }
    }
  }
  // Whether the weight of the key that lies 16 i further is kept.
  __device__ bool keeps(int i) const { return (words_[i] >> shift_ & 0xffff) >= threshold_; }

 private:
  uint32_t words_[4], threshold_;
  int shift_;
};

template <class T>
__device__ T AttentionDropout::factor(const ScoreHead& scores, int64_t query, int64_t key) const {
  if (threshold == 0) return T(1);
  return DropoutWords(*this, scores, query, key).keeps(0) ? static_cast<T>(kept_factor) : T(0);
}

// Whole heads of an operand with three strides: batch, length, head.
template <class S>
__device__ const S* head_of(const void* data, const int64_t (&strides)[3], int64_t batch,
                            int64_t head) {
  return static_cast<const S*>(data) + batch * strides[0] + head * strides[2];
}

}  // namespace
}  // namespace pydl::cuda
