// What softmax and the losses over it ask of a row: its largest element and its sum of exponentials.
#pragma once

#include <math.h>

#include "cpu/simd/dtype.h"
#include "cpu/simd/math.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// A register of x at i; lanes past the end n hold the filler.
template <class T>
inline Vec<Compute<T>> load_filled(const T* x, int64_t i, int64_t n, Compute<T> filler) {
  using C = Compute<T>;
  if (n - i >= Vec<C>::size) return load(x + i);
  const int count = static_cast<int>(n - i);
  return select(first_lanes<C>(count), load(x + i, count), filler);
}

// Passes over NaN, which the sum of exponentials finds. The next row, or the rest of a long one, is
// asked for meanwhile.
template <class T>
inline Compute<T> row_max(const T* x, int64_t n, int64_t ahead = 4096 / sizeof(T)) {
  using C = Compute<T>;
  using V = Vec<C>;
  constexpr C lowest = static_cast<C>(-INFINITY);
  V a(lowest), b(lowest), c(lowest), d(lowest);
  const auto raise = [](V& top, V v) { top = isa::max_of(v.v, top.v); };
  int64_t i = 0;
  for (; i + 4 * V::size <= n; i += 4 * V::size) {
    for (int k = 0; k < 4; ++k) __builtin_prefetch(x + i + k * V::size + ahead);
    raise(a, load(x + i));
    raise(b, load(x + i + V::size));
    raise(c, load(x + i + 2 * V::size));
    raise(d, load(x + i + 3 * V::size));
  }
  for (; i < n; i += V::size) raise(a, load_filled(x, i, n, lowest));
  raise(a, b);
  raise(c, d);
  raise(a, c);
  return reduce_max(a);
}

// exp of what is at most 0: one bound fewer than exp checks.
template <class T>
inline Vec<T> exp_up_to_0(Vec<T> x) {
  const Vec<T> bounded = isa::max_of(Vec<T>(MathConstants<T>::exp_min).v, x.v);
  const PowerOf2<T> p = split_exp(bounded);
  return scale(fma(fma(exp_tail(p.r), p.r, 1), p.r, 1), p.n);
}

// The sum of e = exp(x - center), and each(i, e) for every register; only the last one, where i + its
// size passes n, has lanes that do not count.
template <class T, class Each>
inline Compute<T> sum_exponentials(const T* x, int64_t n, Compute<T> center, Each&& each) {
  using C = Compute<T>;
  using V = Vec<C>;
  V even(C{0}), odd(C{0});
  int64_t i = 0;
  for (; i + 2 * V::size <= n; i += 2 * V::size) {
    const V e = exp_up_to_0(load(x + i) - V(center));
    const V f = exp_up_to_0(load(x + i + V::size) - V(center));
    each(i, e);
    each(i + V::size, f);
    even += e;
    odd += f;
  }
  for (; i < n; i += V::size) {
    // Not -inf: its exponential is denormal before it is 0, which takes CPUs hundreds of cycles.
    const V e = exp_up_to_0(load_filled(x, i, n, center) - V(center));
    each(i, e);
    const int64_t left = n - i;
    even += left < V::size ? select(first_lanes<C>(static_cast<int>(left)), e, 0) : e;
  }
  return reduce_add(even + odd);
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
