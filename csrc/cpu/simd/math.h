// Elementary functions of Vec<float> and Vec<double>, right for 0, inf and NaN too, where denormal
// numbers count as 0. The polynomials are minimax fits; errors are the largest seen, in units in the
// last place.
#pragma once

#include <math.h>

#include "cpu/simd/piecewise.h"
#include "cpu/simd/reciprocal.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// c0 + c1 x + c2 x^2 + ...
template <class T>
inline Vec<T> polynomial(Vec<T>, T c) {
  return c;
}
template <class T, class... Rest>
inline Vec<T> polynomial(Vec<T> x, T c, T next, Rest... rest) {
  return fma(polynomial(x, next, rest...), x, c);
}

template <class T>
struct MathConstants;
template <>
struct MathConstants<float> {
  static constexpr float ln2_hi = 0x1.63p-1f, ln2_lo = -0x1.bd0106p-13f;  // n * ln2_hi is exact
  static constexpr float exp_min = -104, exp_max = 89, expm1_min = -20;
  static constexpr int mantissa_bits = 23;
  static constexpr float integers = 0x1.8p23f;      // no bits below 1 at this size
  static constexpr int32_t sqrt_half = 0x3f3504f3;  // the bits of sqrt(1/2)
};
template <>
struct MathConstants<double> {
  static constexpr double ln2_hi = 0x1.62e42fee00000p-1, ln2_lo = 0x1.a39ef35793c76p-33;
  static constexpr double exp_min = -746, exp_max = 710, expm1_min = -40;
  static constexpr int mantissa_bits = 52;
  static constexpr double integers = 0x1.8p52;
  static constexpr int64_t sqrt_half = 0x3fe6a09e667f3bcd;
};

// (exp(r) - 1 - r) / r^2 for |r| <= ln(2)/2.
inline Vec<float> exp_tail(Vec<float> r) {
  return polynomial(r, 0.49999993f, 0.16666519f, 0.041668408f, 0.0083689219f, 0.0013814174f);
}
inline Vec<double> exp_tail(Vec<double> r) {
  return polynomial(r, 0.5, 0x1.5555555555559p-3, 0x1.555555555553ep-5, 0x1.111111110f6a9p-7,
                    0x1.6c16c16c1f158p-10, 0x1.a01a01afe9c2cp-13, 0x1.a01a017b99759p-16,
                    0x1.71ddf841bc5aep-19, 0x1.27e53658d768fp-22, 0x1.af5ee8c187288p-26,
                    0x1.1ee89217bd323p-29);
}

// x = n log(2) + r with integral n and |r| <= log(2) / 2.
template <class T>
struct PowerOf2 {
  Vec<T> n, r;
};
template <class T>
inline PowerOf2<T> split_exp(Vec<T> x) {
  using C = MathConstants<T>;
  const Vec<T> n = fma(x, static_cast<T>(M_LOG2E), C::integers) - C::integers;
  return {n, fma(n, -C::ln2_lo, fma(n, -C::ln2_hi, x))};
}

// 1 ulp, 1.2 where products are rounded before they are added
template <class T>
inline Vec<T> exp(Vec<T> x) {
  using C = MathConstants<T>;
  const PowerOf2<T> p = split_exp(clamp(x, C::exp_min, C::exp_max));
  return scale(fma(fma(exp_tail(p.r), p.r, 1), p.r, 1), p.n);
}

// 1.6 ulp
template <class T>
inline Vec<T> expm1(Vec<T> x) {
  using C = MathConstants<T>;
  const PowerOf2<T> p = split_exp(clamp(x, C::expm1_min, C::exp_max));
  const Vec<T> m = fma(p.r * p.r, exp_tail(p.r), p.r);
  const Vec<T> result = scale(m + (Vec<T>(1) - scale(Vec<T>(1), -p.n)), p.n);
  return select(x == 0, x, result);
}

// log(1 + f) for sqrt(1/2) <= 1 + f <= sqrt(2), plus e log(2).
inline Vec<float> log_near_one(Vec<float> f, Vec<float> e) {
  using C = MathConstants<float>;
  const Vec<float> f2 = f * f;
  const Vec<float> p =
      polynomial(f, 0.33333313f, -0.25000009f, 0.20002118f, -0.16667998f, 0.14219564f,
                 -0.12405563f, 0.11888061f, -0.11675761f, 0.067469783f);
  const Vec<float> tail = fma(e, C::ln2_lo, f2 * f * p);
  return fma(e, C::ln2_hi, f - fma(f2, 0.5f, -tail));
}
inline Vec<double> log_near_one(Vec<double> f, Vec<double> e) {
  using C = MathConstants<double>;
  const Vec<double> s = f / (f + 2), z = s * s;  // log(1 + f) = 2 atanh(s)
  const Vec<double> p =
      polynomial(z, 0x1.5555555555593p-1, 0x1.999999997fca1p-2, 0x1.2492494201c5dp-2,
                 0x1.c71c51faece4dp-3, 0x1.7466420ce4a7cp-3, 0x1.39a1652f98d3dp-3,
                 0x1.2f08ec6872dd8p-3);
  const Vec<double> half = f * f * 0.5;
  const Vec<double> tail = fma(s, fma(z, p, half), e * C::ln2_lo);
  return fma(e, C::ln2_hi, f - (half - tail));
}

// 1 ulp
template <class T>
inline Vec<T> log(Vec<T> x) {
  using C = MathConstants<T>;
  using I = IntLike<T>;
  const Vec<I> bits = bit_cast<I>(x);
  const Vec<I> exponent = (bits - C::sqrt_half) >> C::mantissa_bits;
  const Vec<T> e = convert<T>(exponent);
  const Vec<T> f = bit_cast<T>(bits - (exponent << C::mantissa_bits)) - 1;
  const Vec<T> finite = select(x < 0, static_cast<T>(NAN), log_near_one(f, e));
  const Vec<T> special = select(x == 0, static_cast<T>(-INFINITY), x);
  return select((x != 0) & (x < static_cast<T>(INFINITY)), finite, special);
}

// 2 ulp
template <class T>
inline Vec<T> log1p(Vec<T> x) {
  const Vec<T> u = x + 1;
  const Mask<T> inside = (u > 0) & (u < static_cast<T>(INFINITY));
  const Vec<T> lost = select(inside, (x - (u - 1)) / u, 0);  // what rounding took from u
  return select(x == 0, x, log(u) + lost);
}

// log(1 + x) for 0 <= x <= 1 only, in half the time; 1.5 ulp
inline Vec<float> log1p_unit(Vec<float> x) {
  const Vec<float> s = quotient(x, x + 2), z = s * s;  // log(1 + x) = 2 atanh(s), 2 s = x - s x
  const Vec<float> p =
      polynomial(z, 0.66666675f, 0.39998877f, 0.28616899f, 0.21427475f, 0.24301684f);
  return fma(-s, fma(-z, p, x), x);
}
inline Vec<double> log1p_unit(Vec<double> x) { return log1p(x); }

// 2.5 ulp
template <class T>
inline Vec<T> sigmoid(Vec<T> x) {
  const Vec<T> e = exp(-abs(x));
  return quotient(select(x < 0, e, 1), e + 1);
}

// 2.5 ulp (float), 3 ulp (double): with e = exp(2 |x|) - 1 it is e / (e + 2).
template <class T>
inline Vec<T> tanh(Vec<T> x) {
  const Vec<T> a = abs(x);
  const PowerOf2<T> twice = split_exp(select(a > 20, 40, a + a));
  const Vec<T> m = fma(twice.r * twice.r, exp_tail(twice.r), twice.r);
  const Vec<T> power = scale(Vec<T>(1), twice.n);
  const Vec<T> e = fma(m, power, power - 1);
  return copysign(e / (e + 2), x);
}
#if defined(PYDL_ISA_avx512)
// 1.1 ulp
inline Vec<float> tanh(Vec<float> x) { return odd_piecewise(kTanh, 3.4f, 9.02f, x); }
#endif

template <class Function>
inline Vec<double> lanewise(Vec<double> x, Function f) {
  double lanes[Vec<double>::size];
  x.store(lanes);
  for (double& lane : lanes) lane = f(lane);
  return Vec<double>::load(lanes);
}

// 2.2 ulp on AVX-512, 1.5 elsewhere
#if defined(PYDL_ISA_avx512)
inline Vec<float> erf(Vec<float> x) { return odd_piecewise(kErf, 8, 3.93f, x); }
#else
inline Vec<float> erf(Vec<float> x) {
  const Vec<float> a = abs(x), clamped = select(a > 4, 4, a);
  const Vec<float> p = polynomial(x * x, 0.12837917f, -0.37612635f, 0.11283715f, -0.026860509f,
                                  0.0052038594f, -0.00081756397f, 8.5131047e-5f);
  const Vec<float> log_erfc = polynomial(clamped, 0.00016920267f, -1.1294883f, -0.63340086f,
                                         -0.10822035f, 0.025080597f, -0.0041562472f, 0.00043139193f,
                                         -2.0828475e-5f);
  return select(a < 0.9f, fma(x, p, x), copysign(Vec<float>(1) - exp(log_erfc), x));
}
#endif
inline Vec<double> erf(Vec<double> x) {
  return lanewise(x, [](double lane) { return ::erf(lane); });
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
