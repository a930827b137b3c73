// Loads and stores of a vector's first n lanes, where the CPU has no masks for them.
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
