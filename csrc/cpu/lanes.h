// A dense array read and written a vector at a time, where the last vector may have fewer lanes.
#pragma once

#include "cpu/simd/dtype.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

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

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
