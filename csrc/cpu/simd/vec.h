// Vec<T>: one register of T, with the same interface on every instruction set. Arithmetic comes
// from the compiler's vector types; what those lack is in one short file per instruction set.
#pragma once

#include <stdint.h>
#include <string.h>
#include <type_traits>

#if defined(PYDL_ISA_avx512)
#include "cpu/simd/avx512.h"
#elif defined(PYDL_ISA_avx2)
#include "cpu/simd/avx2.h"
#elif defined(PYDL_ISA_neon)
#include "cpu/simd/neon.h"
#else
#include "cpu/simd/generic.h"
#endif

namespace pydl::cpu::PYDL_ISA {
namespace {

template <int bytes>
struct IntOf;
template <>
struct IntOf<1> { using type = int8_t; };
template <>
struct IntOf<2> { using type = int16_t; };
template <>
struct IntOf<4> { using type = int32_t; };
template <>
struct IntOf<8> { using type = int64_t; };

// The signed integer as wide as T.
template <class T>
using IntLike = typename IntOf<sizeof(T)>::type;

// The result of a comparison of Vec<T>: all bits of a lane set or none.
template <class T>
struct Mask {
  using Raw = isa::Raw<IntLike<T>>;
  Raw v;

  friend Mask operator&(Mask a, Mask b) { return {a.v & b.v}; }
  friend Mask operator|(Mask a, Mask b) { return {a.v | b.v}; }
  friend Mask operator^(Mask a, Mask b) { return {a.v ^ b.v}; }
  friend Mask operator~(Mask a) { return {~a.v}; }
};

template <class T>
struct Vec {
  using Scalar = T;
  using Raw = isa::Raw<T>;
  static constexpr int size = isa::kVectorBytes / sizeof(T);

  Raw v;

  Vec() = default;
  Vec(T x) : v(x - Raw{}) {}  // also right for -0.0
  Vec(Raw raw) : v(raw) {}

  static Vec load(const T* p) {
    Raw raw;
    memcpy(&raw, p, sizeof raw);
    return raw;
  }
  // The first n < size lanes; the others are 0, and nothing past p[n) is read.
  static Vec load(const T* p, int n) { return isa::load_partial(p, n); }
  void store(T* p) const { memcpy(p, &v, sizeof v); }
  void store(T* p, int n) const { isa::store_partial(p, v, n); }
  // Past the cache, to an address aligned to the vector size; isa::stream_fence() when done.
  void stream(T* p) const { isa::stream(p, v); }

  T operator[](int i) const { return v[i]; }

  // Integers wrap around, as NumPy's do; signed vector arithmetic would be undefined there.
  using Wrapping =
      typename std::conditional_t<std::is_integral_v<T>, std::make_unsigned<IntLike<T>>,
                                  std::common_type<T>>::type;
  using WrappingRaw = isa::Raw<Wrapping>;
  friend Vec operator+(Vec a, Vec b) { return (Raw)((WrappingRaw)a.v + (WrappingRaw)b.v); }
  friend Vec operator-(Vec a, Vec b) { return (Raw)((WrappingRaw)a.v - (WrappingRaw)b.v); }
  friend Vec operator*(Vec a, Vec b) { return (Raw)((WrappingRaw)a.v * (WrappingRaw)b.v); }
  friend Vec operator/(Vec a, Vec b) { return a.v / b.v; }
  friend Vec operator-(Vec a) { return (Raw)-(WrappingRaw)a.v; }
  Vec& operator+=(Vec b) { return *this = *this + b; }
  Vec& operator-=(Vec b) { return *this = *this - b; }
  Vec& operator*=(Vec b) { return *this = *this * b; }
  Vec& operator/=(Vec b) { return *this = *this / b; }

  friend Vec operator&(Vec a, Vec b) { return a.v & b.v; }
  friend Vec operator|(Vec a, Vec b) { return a.v | b.v; }
  friend Vec operator^(Vec a, Vec b) { return a.v ^ b.v; }
  friend Vec operator~(Vec a) { return ~a.v; }
  friend Vec operator<<(Vec a, int n) { return (Raw)((WrappingRaw)a.v << n); }
  friend Vec operator>>(Vec a, int n) { return a.v >> n; }

  friend Mask<T> operator<(Vec a, Vec b) { return {(typename Mask<T>::Raw)(a.v < b.v)}; }
  friend Mask<T> operator<=(Vec a, Vec b) { return {(typename Mask<T>::Raw)(a.v <= b.v)}; }
  friend Mask<T> operator>(Vec a, Vec b) { return {(typename Mask<T>::Raw)(a.v > b.v)}; }
  friend Mask<T> operator>=(Vec a, Vec b) { return {(typename Mask<T>::Raw)(a.v >= b.v)}; }
  friend Mask<T> operator==(Vec a, Vec b) { return {(typename Mask<T>::Raw)(a.v == b.v)}; }
  friend Mask<T> operator!=(Vec a, Vec b) { return {(typename Mask<T>::Raw)(a.v != b.v)}; }
};

// The second argument's type follows from the first's, so that scalars convert.
template <class T>
using Same = typename std::common_type<T>::type;

template <class T>
inline Vec<T> select(Mask<T> mask, Same<Vec<T>> a, Same<Vec<T>> b) {
  return mask.v ? a.v : b.v;
}
template <class To, class From>
inline Vec<To> bit_cast(Vec<From> x) {
  return (isa::Raw<To>)x.v;
}
// Lane by lane, between types of one size.
template <class To, class From>
inline Vec<To> convert(Vec<From> x) {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_convertvector(x.v, isa::Raw<To>);
}

template <class T>
inline Vec<T> abs(Vec<T> x) {
  if constexpr (std::is_floating_point_v<T>) {
    using I = IntLike<T>;
    return bit_cast<T>(bit_cast<I>(x) & Vec<I>(static_cast<I>(~(I{1} << (8 * sizeof(T) - 1)))));
  } else {
    return select(x < Vec<T>(0), -x, x);
  }
}
template <class T>
inline Vec<T> copysign(Vec<T> magnitude, Same<Vec<T>> sign) {
  using I = IntLike<T>;
  const Vec<I> bit(I{1} << (8 * sizeof(T) - 1));
  return bit_cast<T>((bit_cast<I>(magnitude) & ~bit) | (bit_cast<I>(sign) & bit));
}
template <class T>
inline Mask<T> is_nan(Vec<T> x) {
  return x != x;
}

// A NaN in either operand is the result, as in NumPy's maximum. Compilers see the instruction for
// integers only in a conditional that compares by itself.
template <class T>
inline Vec<T> max(Vec<T> a, Same<Vec<T>> b) {
  if constexpr (std::is_floating_point_v<T>) return select(is_nan(b), b, isa::max_of(b.v, a.v));
  else return a.v > b.v ? a.v : b.v;
}
template <class T>
inline Vec<T> min(Vec<T> a, Same<Vec<T>> b) {
  if constexpr (std::is_floating_point_v<T>) return select(is_nan(b), b, isa::min_of(b.v, a.v));
  else return a.v < b.v ? a.v : b.v;
}

// x brought between the bounds; NaN stays. One instruction for each bound on most CPUs.
template <class T>
inline Vec<T> clamp(Vec<T> x, T low, T high) {
  return isa::min_of(Vec<T>(high).v, isa::max_of(Vec<T>(low).v, x.v));
}

// a * b + c; rounded once where the CPU can do that.
template <class T>
inline Vec<T> fma(Vec<T> a, Same<Vec<T>> b, Same<Vec<T>> c) {
  return isa::fma(a.v, b.v, c.v);
}
template <class T>
inline Vec<T> sqrt(Vec<T> x) {
  return isa::sqrt(x.v);
}
template <class T>
inline Vec<T> floor(Vec<T> x) {
  return isa::floor(x.v);
}
template <class T>
inline Vec<T> ceil(Vec<T> x) {
  return isa::ceil(x.v);
}
template <class T>
inline Vec<T> trunc(Vec<T> x) {
  return isa::trunc(x.v);
}
template <class T>
inline Vec<T> round(Vec<T> x) {  // half to even
  return isa::round(x.v);
}
// x * 2^n, n integral and at most twice the exponent range.
template <class T>
inline Vec<T> scale(Vec<T> x, Same<Vec<T>> n) {
  return isa::scale(x.v, n.v);
}

// Lane i of the result is lane i ^ step of x: folding a register this way is a tree reduction.
template <class T, int step>
struct ExchangeIndex {
  IntLike<T> lanes[Vec<T>::size];
  constexpr ExchangeIndex() : lanes() {
    for (int i = 0; i < Vec<T>::size; ++i) lanes[i] = static_cast<IntLike<T>>(i ^ step);
  }
};
template <int step, class T>
inline Vec<T> exchange(Vec<T> x) {
  static constexpr ExchangeIndex<T, step> index;
  return __builtin_shuffle(x.v, Vec<IntLike<T>>::load(index.lanes).v);
}
template <int step, class T, class Combine>
inline T fold(Vec<T> x, Combine combine) {
  if constexpr (step == 0) {
    return x[0];
  } else {
    return fold<step / 2>(combine(x, exchange<step>(x)), combine);
  }
}
template <class T>
inline T reduce_add(Vec<T> x) {
  return fold<Vec<T>::size / 2>(x, [](Vec<T> a, Vec<T> b) { return a + b; });
}
template <class T>
inline T reduce_max(Vec<T> x) {
  return fold<Vec<T>::size / 2>(x, [](Vec<T> a, Vec<T> b) { return max(a, b); });
}
template <class T>
inline T reduce_min(Vec<T> x) {
  return fold<Vec<T>::size / 2>(x, [](Vec<T> a, Vec<T> b) { return min(a, b); });
}
// Which lanes a partial load of n elements fills.
template <class T>
inline Mask<T> first_lanes(int n) {
  using I = IntLike<T>;
  static constexpr ExchangeIndex<T, 0> index;
  return {(Vec<I>::load(index.lanes) < Vec<I>(static_cast<I>(n))).v};
}
template <class T>
inline bool any(Mask<T> mask) {
  return isa::any((isa::Raw<int64_t>)mask.v);
}
template <class T>
inline bool all(Mask<T> mask) {
  return !any(~mask);
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
