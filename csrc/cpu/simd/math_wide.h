// Functions of float whose accuracy needs double inside: sin, cos, tan and pow, all within 1 ulp.
// Their double forms go to the C library lane by lane.
#pragma once

#include "cpu/simd/math.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

struct Wide {
  Vec<double> low, high;  // the two halves of a Vec<float>
};
typedef float HalfFloats __attribute__((vector_size(isa::kVectorBytes / 2)));

inline Wide widen(Vec<float> x) {
  HalfFloats halves[2];
  memcpy(halves, &x.v, sizeof halves);
  return {__builtin_convertvector(halves[0], isa::Raw<double>),
          __builtin_convertvector(halves[1], isa::Raw<double>)};
}
inline Vec<float> narrow(Vec<double> low, Vec<double> high) {
  const HalfFloats halves[2] = {__builtin_convertvector(low.v, HalfFloats),
                                __builtin_convertvector(high.v, HalfFloats)};
  isa::Raw<float> v;
  memcpy(&v, halves, sizeof v);
  return v;
}

// x = quadrant * pi/2 + r
struct Angle {
  Vec<int64_t> quadrant;
  Vec<double> sin_r, cos_r;
};
constexpr float kMaxAngle = 1e6f;  // up to it, quadrant * (high part of pi/2) is exact

inline Angle split_angle(Vec<double> x) {
  const Vec<double> n = round(x * M_2_PI);
  const Vec<double> r = fma(n, -0x1.0b4611a626331p-34, fma(n, -0x1.921fb54400000p+0, x));
  const Vec<double> r2 = r * r;
  // Adding 1.5 * 2^52 leaves the integer in the low bits.
  const Vec<int64_t> quadrant = bit_cast<int64_t>(n + 0x1.8p52);
  const Vec<double> s = polynomial(r2, -0x1.5555554cb911cp-3, 0x1.11110895ab84ap-7,
                                   -0x1.a00f9d23d3a2ep-13, 0x1.6cd838d9b23b1p-19);
  const Vec<double> c = polynomial(r2, -0.5, 0x1.5555554f4e67bp-5, -0x1.6c16b898f499ep-10,
                                   0x1.a011203a479dfp-16, -0x1.242ad76ed7d6cp-22);
  return {quadrant, fma(r * r2, s, r), fma(r2, c, 1.0)};
}
inline Mask<double> odd(Vec<int64_t> quadrant) { return {((quadrant & 1) != 0).v}; }
inline Vec<double> negate_if(Vec<double> x, Vec<int64_t> bit_1) {
  return bit_cast<double>(bit_cast<int64_t>(x) ^ (bit_1 << 62 & INT64_MIN));
}

inline Vec<double> sine(Vec<double> x) {
  const Angle a = split_angle(x);
  return negate_if(select(odd(a.quadrant), a.cos_r, a.sin_r), a.quadrant);
}
inline Vec<double> cosine(Vec<double> x) {
  const Angle a = split_angle(x);
  return negate_if(select(odd(a.quadrant), a.sin_r, a.cos_r), a.quadrant + 1);
}
inline Vec<double> tangent(Vec<double> x) {
  const Angle a = split_angle(x);
  const Mask<double> cotangent = odd(a.quadrant);
  return select(cotangent, -a.cos_r, a.sin_r) / select(cotangent, a.sin_r, a.cos_r);
}

inline Vec<double> sin(Vec<double> x) {
  return lanewise(x, [](double lane) { return ::sin(lane); });
}
inline Vec<double> cos(Vec<double> x) {
  return lanewise(x, [](double lane) { return ::cos(lane); });
}
inline Vec<double> tan(Vec<double> x) {
  return lanewise(x, [](double lane) { return ::tan(lane); });
}
inline Vec<float> sin(Vec<float> x) {
  const Wide w = widen(x);
  if (any(abs(x) > kMaxAngle)) return narrow(sin(w.low), sin(w.high));
  return select(x == 0, x, narrow(sine(w.low), sine(w.high)));
}
inline Vec<float> cos(Vec<float> x) {
  const Wide w = widen(x);
  if (any(abs(x) > kMaxAngle)) return narrow(cos(w.low), cos(w.high));
  return narrow(cosine(w.low), cosine(w.high));
}
inline Vec<float> tan(Vec<float> x) {
  const Wide w = widen(x);
  if (any(abs(x) > kMaxAngle)) return narrow(tan(w.low), tan(w.high));
  return select(x == 0, x, narrow(tangent(w.low), tangent(w.high)));
}

// As in C: pow(x, 0) = pow(1, y) = 1; a negative base needs an integral exponent.
inline Vec<float> pow(Vec<float> x, Vec<float> y) {
  const Vec<float> a = abs(x);
  const Wide base = widen(a), exponent = widen(y);
  const Vec<float> magnitude =
      narrow(exp(log(base.low) * exponent.low), exp(log(base.high) * exponent.high));
  const Mask<float> integral = trunc(y) == y;
  const Mask<float> odd = integral & (trunc(y * 0.5f) != y * 0.5f);
  const Mask<float> undefined = (x < 0) & (a < INFINITY) & ~integral;
  const Vec<float> result = select(odd, copysign(magnitude, x), magnitude);
  const Mask<float> one = (y == 0) | (x == 1) | ((x == -1) & (abs(y) == INFINITY));
  return select(one, 1, select(undefined, NAN, result));
}
inline Vec<double> pow(Vec<double> x, Vec<double> y) {
  double bases[Vec<double>::size], exponents[Vec<double>::size];
  x.store(bases);
  y.store(exponents);
  for (int i = 0; i < Vec<double>::size; ++i) bases[i] = ::pow(bases[i], exponents[i]);
  return Vec<double>::load(bases);
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
