// Running results of one row: always kLanes of them, so that a sum is accurate and bitwise the same for
// every vector width.
#pragma once

#include "cpu/simd/reducers.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kChunk = 4096;      // elements of a row per partial result
constexpr int64_t kTaskWork = 32768;  // elements worth a thread
constexpr int64_t kAhead = 2048;      // bytes that rows are asked for before they are read

template <class R, class T>
class RowAccumulator {
 public:
  using A = typename R::Acc;
  using V = Vec<A>;
  static constexpr int kLanes = 256 / sizeof(A);
  static constexpr int kParts = kLanes / V::size;

  RowAccumulator() {
    for (V& part : parts_) part = R::identity;
  }
  __attribute__((noinline)) void add(const T* x, int64_t n) {
    const int64_t whole = n / kLanes * kLanes;
    if (whole) add_whole(x, whole);
    x += whole;
    n -= whole;
    int k = 0;
    for (; (k + 1) * V::size <= n; ++k) parts_[k] = R::combine(parts_[k], take<R>(x + k * V::size));
    const int rest = static_cast<int>(n - k * V::size);
    if (rest) parts_[k] = R::combine(parts_[k], take<R>(x + k * V::size, rest));
  }
  void add(const T* x, int64_t stride, int64_t n) {
    if (stride == 1) return add(x, n);
    T dense[kLanes];
    for (; n > 0; n -= kLanes, x += kLanes * stride) {
      const int64_t count = n < kLanes ? n : kLanes;
      for (int64_t i = 0; i < count; ++i) dense[i] = x[i * stride];
      add(dense, count);
    }
  }
  A total() const {
    V p[kParts];
    for (int k = 0; k < kParts; ++k) p[k] = parts_[k];
    for (int half = kParts / 2; half > 0; half /= 2)
      for (int k = 0; k < half; ++k) p[k] = R::combine(p[k], p[k + half]);
    return fold<V::size / 2>(p[0], [](V a, V b) { return R::combine(a, b); });
  }

 private:
  void add_whole(const T* x, int64_t n) {
    V parts[kParts];
#pragma GCC unroll 16
    for (int k = 0; k < kParts; ++k) parts[k] = parts_[k];
    for (int64_t i = 0; i < n; i += kLanes) {
      const char* ahead = reinterpret_cast<const char*>(x + i) + kAhead;
      for (size_t byte = 0; byte < kLanes * sizeof(T); byte += 64) __builtin_prefetch(ahead + byte);
#pragma GCC unroll 16
      for (int k = 0; k < kParts; ++k) parts[k] = R::combine(parts[k], take<R>(x + i + k * V::size));
    }
#pragma GCC unroll 16
    for (int k = 0; k < kParts; ++k) parts_[k] = parts[k];
  }

  V parts_[kParts];
};

template <class R, class T>
typename R::Acc reduce_run(const T* x, int64_t n) {
  RowAccumulator<R, T> result;
  result.add(x, n);
  return result.total();
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
