// A dense array read and written a vector at a time, where the last vector may have fewer lanes.
#pragma once

#include "cpu/simd/dtype.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kAheadBytes = 2048;

// for (int64_t i = begin; i < end; i += Vec<C>::size) { Lanes<T> x(array, i, end); ... x.get(); }
// Lanes past the end read as 0 and are not written.
template <class T>
struct Lanes {
  using V = Vec<Compute<T>>;

  T* data;
  int count;

  Lanes(T* array, int64_t i, int64_t end)
      : data(array + i), count(end - i < V::size ? static_cast<int>(end - i) : V::size) {}
  Lanes(const T* array, int64_t i, int64_t end) : Lanes(const_cast<T*>(array), i, end) {}
  Lanes(void* array, int64_t i, int64_t end) : Lanes(static_cast<T*>(array), i, end) {}
  Lanes(const void* array, int64_t i, int64_t end) : Lanes(static_cast<const T*>(array), i, end) {}

  bool whole() const { return count == V::size; }
  V get() const { return whole() ? load(data) : load(data, count); }
  void set(V v) const { whole() ? store(v, data) : store(v, data, count); }
};

// The same, after asking for what a walk over the array reads soon: prefetching by
// itself stops at pages.
template <class T>
inline Lanes<T> ahead(const T* array, int64_t i, int64_t end) {
  __builtin_prefetch(array + i + kAheadBytes / sizeof(T));
  return Lanes<T>(array, i, end);
}

// out[i] = map(x) for every register of [0, n), x[k] being that of in[k], all dense; several registers
// take turns.
template <class T, int N, class Map>
inline void map_lanes(const void* const* in, void* out, int64_t n, Map&& map) {
  using V = Vec<T>;
  constexpr int kTurns = 4;
  const T* x[N];
  for (int k = 0; k < N; ++k) x[k] = static_cast<const T*>(in[k]);
  T* y = static_cast<T*>(out);
  int64_t i = 0;
  for (; i + kTurns * V::size <= n; i += kTurns * V::size) {
    V result[kTurns];
    for (int turn = 0; turn < kTurns; ++turn) {
      V v[N];
      for (int k = 0; k < N; ++k) {
        const T* from = x[k] + i + turn * V::size;
        __builtin_prefetch(from + kAheadBytes / sizeof(T));
        v[k] = V::load(from);
      }
      result[turn] = map(v);
    }
    for (int turn = 0; turn < kTurns; ++turn) result[turn].store(y + i + turn * V::size);
  }
  for (; i < n; i += V::size) {
    V v[N];
    for (int k = 0; k < N; ++k) v[k] = Lanes<T>(x[k], i, n).get();
    Lanes<T>(y, i, n).set(map(v));
  }
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
