// Stable sorting of unsigned integers, one group of bits after another.
#pragma once

#include <string.h>

#include "cpu/kernel.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// Sorts by `digits` groups of `bits` bits from bit `low` up.
template <class E, int bits, int digits>
struct RadixSort {
  static constexpr int kBuckets = 1 << bits;
  static constexpr int kCounts = digits * kBuckets;
  int low;

  unsigned bucket(E x, int digit) const {
    return static_cast<unsigned>(x >> (low + digit * bits)) & (kBuckets - 1);
  }

  // Moves elements between the two arrays and returns the one that holds the result; `counts` has
  // room for kCounts. At most 2^32 - 1 elements.
  E* run(E* x, E* spare, int64_t n, uint32_t* counts) const {
    memset(counts, 0, kCounts * sizeof *counts);
    for (int64_t i = 0; i < n; ++i)
      for (int d = 0; d < digits; ++d) ++counts[d * kBuckets + bucket(x[i], d)];
    for (int d = 0; d < digits; ++d, counts += kBuckets) {
      if (counts[bucket(x[0], d)] == n) continue;  // all the same
      uint32_t at = 0;
      for (int b = 0; b < kBuckets; ++b) {
        const uint32_t here = counts[b];
        counts[b] = at;
        at += here;
      }
      for (int64_t i = 0; i < n; ++i) spare[counts[bucket(x[i], d)]++] = x[i];
      E* const sorted = spare;
      spare = x;
      x = sorted;
    }
    return x;
  }
};

template <class E>
inline void insertion_sort(E* x, int64_t n) {
  for (int64_t i = 1; i < n; ++i) {
    const E value = x[i];
    int64_t j = i;
    for (; j > 0 && value < x[j - 1]; --j) x[j] = x[j - 1];
    x[j] = value;
  }
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
