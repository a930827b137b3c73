// Loops over one row of values, a register at a time.
#pragma once

#include "cpu/simd/half.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kAheadBytes = 2048;  // prefetching by itself stops at pages

// p, after asking for what a walk to higher addresses reads soon.
template <class S>
inline const S* ask_after(const S* p) {
  __builtin_prefetch(reinterpret_cast<const char*>(p) + kAheadBytes);
  return p;
}

// body(i) for every whole register of [0, n), then body(i, count) for what is left.
template <class T, class Body>
inline void for_each_vector(int64_t n, Body&& body) {
  constexpr int kSize = Vec<T>::size;
  int64_t i = 0;
  for (; i + kSize <= n; i += kSize) body(i);
  if (i < n) body(i, static_cast<int>(n - i));
}

// The first `count` lanes of v, or all of them; 0 in the others.
template <class T>
inline Vec<T> keep(Vec<T> v) {
  return v;
}
template <class T>
inline Vec<T> keep(Vec<T> v, int count) {
  return select(first_lanes<T>(count), v, 0);
}

// The sum over i in [0, n) of term(i) or term(i, count), whose lanes past count must be 0.
template <class T, class Term>
inline T sum_vectors(int64_t n, Term&& term) {
  constexpr int kSize = Vec<T>::size;
  Vec<T> sum[4] = {T(0), T(0), T(0), T(0)};  // enough additions in flight to hide their latency
  int64_t i = 0;
  for (; i + 4 * kSize <= n; i += 4 * kSize) {
    for (int k = 0; k < 4; ++k) sum[k] += term(i + k * kSize);
  }
  for (; i + kSize <= n; i += kSize) sum[0] += term(i);
  if (i < n) sum[1] += term(i, static_cast<int>(n - i));
  return reduce_add((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
