// Stable sorting of unsigned integers, one group of bits after another.
#pragma once

#include <string.h>

#include "cpu/kernel.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// Sorts by `digits` groups of `bits` bits from bit `low` up. Elements move between two arrays.
template <class E, int bits, int digits>
struct RadixSort {
  static constexpr int kBuckets = 1 << bits;
  int low;

  unsigned bucket(E x, int digit) const {
    return static_cast<unsigned>(x >> (low + digit * bits)) & (kBuckets - 1);
  }
  void scatter(const E* x, int64_t begin, int64_t end, int digit, uint32_t* positions, E* to) const {
    for (int64_t i = begin; i < end; ++i) to[positions[bucket(x[i], digit)]++] = x[i];
  }

  // Returns the array that holds the result. `counts` has room for digits * kBuckets.
  E* run(E* x, E* spare, int64_t n, uint32_t* counts) const {
    memset(counts, 0, digits * kBuckets * sizeof *counts);
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
      scatter(x, 0, n, d, counts, spare);
      E* const sorted = spare;
      spare = x;
      x = sorted;
    }
    return x;
  }

  // Threads count and move a part each; the parts keep their order, so the result is the same.
  // `counts` has room for num_threads * kBuckets.
  E* run_parallel(const PydlContext* context, E* x, E* spare, int64_t n, uint32_t* counts) const {
    const int64_t parts = context->num_threads;
    const auto for_each_part = [&](auto body) {
      parallel_for(context, parts, 1, [&](int64_t begin, int64_t end) {
        for (int64_t part = begin; part < end; ++part)
          body(n * part / parts, n * (part + 1) / parts, counts + part * kBuckets);
      });
    };
    for (int d = 0; d < digits; ++d) {
      for_each_part([&](int64_t begin, int64_t end, uint32_t* count) {
        memset(count, 0, kBuckets * sizeof *count);
        for (int64_t i = begin; i < end; ++i) ++count[bucket(x[i], d)];
      });
      uint32_t at = 0;
      for (int b = 0; b < kBuckets; ++b)
        for (int64_t part = 0; part < parts; ++part) {
          const uint32_t here = counts[part * kBuckets + b];
          counts[part * kBuckets + b] = at;
          at += here;
        }
      for_each_part([&](int64_t begin, int64_t end, uint32_t* positions) {
        scatter(x, begin, end, d, positions, spare);
      });
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
