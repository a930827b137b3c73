// Loads and stores of some lanes of a vector, where the CPU has no masks for them.
#pragma once

#include <string.h>

#include "cpu/simd/raw.h"

namespace pydl::cpu::PYDL_ISA {
namespace {
namespace isa {

template <class T>
inline Raw<T> load_partial(const T* p, int n) {
  T lanes[kVectorBytes / sizeof(T)] = {};
  for (int i = 0; i < n; ++i) lanes[i] = p[i];
  Raw<T> v;
  memcpy(&v, lanes, sizeof v);
  return v;
}
template <class T>
inline void store_partial(T* p, Raw<T> v, int n) {
  for (int i = 0; i < n; ++i) p[i] = v[i];
}

// Stores the lanes of v below `pivot` side by side from `low` on, and the others up to `high`, with
// anything between; returns how many are low.
template <class T>
inline int partition(T* low, T* high, Raw<T> v, Raw<T> pivot) {
  int count = 0;
  for (int i = 0; i < static_cast<int>(kVectorBytes / sizeof(T)); ++i) {
    const bool below = v[i] < pivot[i];
    low[count] = high[count - i - 1] = v[i];
    count += below;
  }
  return count;
}

inline HalfBits load_partial_half(const uint16_t* p, int n) {
  HalfBits v = {};
  for (int i = 0; i < n; ++i) v[i] = p[i];
  return v;
}
inline void store_partial_half(uint16_t* p, HalfBits v, int n) {
  for (int i = 0; i < n; ++i) p[i] = v[i];
}

}  // namespace isa
}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
