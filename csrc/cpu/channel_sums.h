// Sums down the columns of a (rows, channels) array, and the means and variances made of them.
#pragma once

#include "cpu/rows.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

template <class T, int K>
struct Terms {
  Vec<T> v[K];
};

// out[k][c] += the sum over rows of term(row, c).v[k]; `term` also takes a count of channels.
template <class T, int K, class Term>
inline void add_columns(int64_t rows, int64_t channels, T* const (&out)[K], Term&& term) {
  constexpr int kSize = Vec<T>::size, kChunk = 4;
  const auto add = [&](auto vectors, int64_t c, auto... count) {
    constexpr int kVectors = decltype(vectors)::value;
    Terms<T, K> sum[kVectors];
    for (auto& each : sum) {
      for (Vec<T>& v : each.v) v = Vec<T>(T(0));
    }
    for (int64_t row = 0; row < rows; ++row) {
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) {
        const Terms<T, K> terms = term(row, c + j * kSize, count...);
#pragma GCC unroll 2
        for (int k = 0; k < K; ++k) sum[j].v[k] += terms.v[k];
      }
    }
    for (int j = 0; j < kVectors; ++j) {
      for (int k = 0; k < K; ++k) {
        T* to = out[k] + c + j * kSize;
        store(load(to, count...) + sum[j].v[k], to, count...);
      }
    }
  };
  int64_t c = 0;
  for (; c + kChunk * kSize <= channels; c += kChunk * kSize) {
    add(std::integral_constant<int, kChunk>(), c);
  }
  for (; c + kSize <= channels; c += kSize) add(std::integral_constant<int, 1>(), c);
  if (c < channels) add(std::integral_constant<int, 1>(), c, static_cast<int>(channels - c));
}

// For each of `channels` columns: the mean of `count` values and their summed squared distances
// from it.
template <class T>
struct Moments {
  T count;
  T* mean;
  T* squares;
  int64_t channels;

  // Takes in the moments of as many other values: Chan, Golub and LeVeque (1979), "Updating
  // formulae and a pairwise algorithm for computing sample variances".
  void merge(const Moments& other) {
    if (other.count == 0) return;
    const T total = count + other.count, share = other.count / total, weight = count * share;
    for (int64_t c = 0; c < channels; ++c) {
      const T distance = other.mean[c] - mean[c];
      mean[c] += distance * share;
      squares[c] += other.squares[c] + distance * distance * weight;
    }
    count = total;
  }
};

// The moments of one block, which stays in the first cache between the two passes over it.
template <class S, class T = Compute<S>>
inline void block_moments(const S* x, int64_t rows, int64_t stride, Moments<T>& out) {
  const auto clear = [&](T* values) {
    for (int64_t c = 0; c < out.channels; ++c) values[c] = 0;
  };
  clear(out.mean);
  add_columns<T, 1>(rows, out.channels, {out.mean}, [&](int64_t row, int64_t c, auto... count) {
    return Terms<T, 1>{{load(ask_after(x + row * stride + c), count...)}};
  });
  for (int64_t c = 0; c < out.channels; ++c) out.mean[c] /= static_cast<T>(rows);
  clear(out.squares);
  add_columns<T, 1>(rows, out.channels, {out.squares}, [&](int64_t row, int64_t c, auto... count) {
    const Vec<T> centred = load(x + row * stride + c, count...) - load(out.mean + c, count...);
    return Terms<T, 1>{{centred * centred}};
  });
  out.count = static_cast<T>(rows);
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
