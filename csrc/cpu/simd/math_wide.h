// Functions of float whose accuracy needs double inside: sin, cos, tan and pow, all within 1 ulp.
// Their double forms go to the C library lane by lane.
#pragma once

#include "cpu/simd/math.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

struct Wide {
  Vec<double> low, high;  // the two halves of a Vec<float>
};

inline Wide widen(Vec<float> x) { return {isa::widen_low(x.v), isa::widen_high(x.v)}; }
inline Vec<float> narrow(Vec<double> low, Vec<double> high) { return isa::narrow(low.v, high.v); }

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

// |x|^y for positive finite x and finite y, as 2^n p: to 2^-27 before it is rounded.
inline Vec<float> positive_power(Vec<float> x, Vec<float> y) {
  constexpr float kFarOut = 200;  // 2^n is 0 or infinite
  const Vec<int32_t> bits = bit_cast<int32_t>(x);
  const Vec<int32_t> exponent = (bits - MathConstants<float>::sqrt_half) >> 23;
  const Wide e = widen(convert<float>(exponent)), power = widen(y);
  const Wide f = widen(bit_cast<float>(bits - (exponent << 23)) - 1);
  const auto product = [](Vec<double> e, Vec<double> f, Vec<double> y) {  // y log2(x)
    const Vec<double> p = polynomial(
        f, 0x1.71547652ef958p+0, -0x1.7154767baed6bp-1, 0x1.ec709c00ed756p-2,
        -0x1.715435eb7d948p-2, 0x1.277732cf26644p-2, -0x1.ec8d73df0e6a7p-3, 0x1.a615cb36105fdp-3,
        -0x1.6eb02a5956fdcp-3, 0x1.45a29371e6483p-3, -0x1.417fef57150dfp-3, 0x1.3d25f71b61051p-3,
        -0x1.61ac50ff16783p-4);
    return fma(f, p, e) * y;
  };
  const auto fraction = [](Vec<double> r) {  // 2^r
    return polynomial(r, 0x1.0000000261520p+0, 0x1.62e430c7e9a5fp-1, 0x1.ebfbdadcada0cp-3,
                      0x1.c6aed4b89f52bp-5, 0x1.3b2dbbc21e059p-7, 0x1.5f456ae4f8988p-10,
                      0x1.41d33351d2dc1p-13);
  };
  const Vec<double> low = product(e.low, f.low, power.low);
  const Vec<double> high = product(e.high, f.high, power.high);
  const Vec<double> low_n = round(low), high_n = round(high);
  Vec<float> n = narrow(low_n, high_n);
  n = select(n > kFarOut, kFarOut, n);
  n = select(n < -kFarOut, -kFarOut, n);
  return scale(narrow(fraction(low - low_n), fraction(high - high_n)), n);
}

// As in C: pow(x, 0) = pow(1, y) = 1; a negative base needs an integral exponent. 1 ulp
inline Vec<float> pow(Vec<float> x, Vec<float> y) {
  constexpr float kLargestPower = 0x1p40f;  // no base but 1 has a finite power beyond
  const Vec<float> a = abs(x);
  Vec<float> power = select(y > kLargestPower, kLargestPower, y);
  power = select(power < -kLargestPower, -kLargestPower, power);
  const Mask<float> edge = (a == 0) | ~(a < INFINITY);
  const Vec<float> at_edge = select((a == 0) ^ (y > 0), INFINITY, 0);
  const Vec<float> magnitude = select(edge, at_edge, positive_power(a, power));
  const Mask<float> integral = trunc(y) == y;
  const Mask<float> odd = integral & (trunc(y * 0.5f) != y * 0.5f);
  const Mask<float> undefined = (x < 0) & (a < INFINITY) & ~integral;
  const Vec<float> result = select(odd, copysign(magnitude, x), magnitude);
  const Vec<float> defined = select(is_nan(x) | is_nan(y), x + y, result);
  const Mask<float> one = (y == 0) | (x == 1) | ((x == -1) & (abs(y) == INFINITY));
  return select(one, 1, select(undefined, NAN, defined));
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
