// Baseline primitives in plain C++: what any 64-bit CPU runs, 16 bytes at a time.
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "cpu/simd/partial.h"

namespace pydl::cpu::PYDL_ISA {
namespace {
namespace isa {

// a > b ? a : b, so b where one is NaN
template <class V>
inline V max_of(V a, V b) {
  return a > b ? a : b;
}
template <class V>
inline V min_of(V a, V b) {
  return a < b ? a : b;
}

inline Raw<float> sqrt(Raw<float> x) {
  return Raw<float>{sqrtf(x[0]), sqrtf(x[1]), sqrtf(x[2]), sqrtf(x[3])};
}
inline Raw<double> sqrt(Raw<double> x) { return Raw<double>{::sqrt(x[0]), ::sqrt(x[1])}; }

template <class V>
inline V fma(V a, V b, V c) {
  return a * b + c;
}

// Adding and taking away 2^(mantissa bits) leaves an integer, rounded half to even.
inline Raw<float> round(Raw<float> x) {
  const Raw<int32_t> sign = (Raw<int32_t>)x & INT32_MIN;
  const Raw<float> magnitude = (Raw<float>)((Raw<int32_t>)x ^ sign);
  const Raw<float> rounded = (magnitude + 0x1p23f) - 0x1p23f;
  return magnitude < 0x1p23f ? (Raw<float>)((Raw<int32_t>)rounded | sign) : x;
}
inline Raw<double> round(Raw<double> x) {
  const Raw<int64_t> sign = (Raw<int64_t>)x & INT64_MIN;
  const Raw<double> magnitude = (Raw<double>)((Raw<int64_t>)x ^ sign);
  const Raw<double> rounded = (magnitude + 0x1p52) - 0x1p52;
  return magnitude < 0x1p52 ? (Raw<double>)((Raw<int64_t>)rounded | sign) : x;
}

template <class V, class Bits>
inline V with_sign_of(V magnitude, V x, Bits sign_bit) {
  typedef decltype(x < x) Integers;
  return (V)(((Integers)magnitude & ~sign_bit) | ((Integers)x & sign_bit));
}
inline Raw<float> floor(Raw<float> x) {
  const Raw<float> r = round(x);
  return with_sign_of(r > x ? r - 1.0f : r, x, INT32_MIN);
}
inline Raw<double> floor(Raw<double> x) {
  const Raw<double> r = round(x);
  return with_sign_of(r > x ? r - 1.0 : r, x, INT64_MIN);
}
template <class V>
inline V ceil(V x) {
  return -floor(-x);
}
template <class V>
inline V trunc(V x) {
  return x < 0 ? ceil(x) : floor(x);
}

// x * 2^n for an integral n in [-300, 300] (float) or [-2200, 2200] (double); in two steps, because
// 2^n itself may be out of range where the product is not.
inline Raw<float> scale(Raw<float> x, Raw<float> n) {
  const Raw<int32_t> whole = __builtin_convertvector(n, Raw<int32_t>), half = whole >> 1;
  return x * (Raw<float>)((half + 127) << 23) * (Raw<float>)((whole - half + 127) << 23);
}
inline Raw<double> scale(Raw<double> x, Raw<double> n) {
  const Raw<int64_t> whole = __builtin_convertvector(n, Raw<int64_t>), half = whole >> 1;
  return x * (Raw<double>)((half + 1023) << 52) * (Raw<double>)((whole - half + 1023) << 52);
}

inline Raw<double> widen_low(Raw<float> x) { return Raw<double>{x[0], x[1]}; }
inline Raw<double> widen_high(Raw<float> x) { return Raw<double>{x[2], x[3]}; }
inline Raw<float> narrow(Raw<double> low, Raw<double> high) {
  return Raw<float>{static_cast<float>(low[0]), static_cast<float>(low[1]),
                    static_cast<float>(high[0]), static_cast<float>(high[1])};
}

// Stores past the cache; `p` is aligned to the vector size.
template <class T>
inline void stream(T* p, Raw<T> v) {
  memcpy(p, &v, sizeof v);
}
inline void stream_fence() {}

// The full product of the low halves of each lane.
inline Raw<uint64_t> multiply_low(Raw<uint64_t> a, Raw<uint64_t> b) {
  return (a & 0xffffffffu) * (b & 0xffffffffu);
}

inline bool any(Raw<int64_t> v) { return (v[0] | v[1]) != 0; }

inline Raw<uint32_t> widen_bits(HalfBits h) {
  return __builtin_convertvector(h, Raw<uint32_t>);
}
// Of lanes below 2^16.
inline HalfBits narrow_bits(Raw<uint32_t> x) {
  return __builtin_convertvector(x, HalfBits);
}

inline Raw<float> half_to_float(HalfBits h) {
  const Raw<uint32_t> bits = widen_bits(h);
  const Raw<uint32_t> magnitude = bits & 0x7fff;
  const Raw<uint32_t> normal = (magnitude << 13) + (112u << 23);
  const Raw<uint32_t> special = (magnitude << 13) | 0x7f800000u;
  const Raw<float> tiny = __builtin_convertvector((Raw<int32_t>)magnitude, Raw<float>) * 0x1p-24f;
  const Raw<uint32_t> finite = magnitude < 0x400 ? (Raw<uint32_t>)tiny : normal;
  return (Raw<float>)((magnitude < 0x7c00 ? finite : special) | (bits & 0x8000) << 16);
}
inline HalfBits float_to_half(Raw<float> x) {
  const Raw<uint32_t> bits = (Raw<uint32_t>)x, magnitude = bits & 0x7fffffffu;
  // Below 2^-14 the unit is 2^-24, which is the last place of 0.5: the addition rounds.
  const Raw<uint32_t> tiny = (Raw<uint32_t>)((Raw<float>)magnitude + 0.5f) - 0x3f000000u;
  const Raw<uint32_t> normal = ((magnitude + 0xfff + ((magnitude >> 13) & 1)) >> 13) - (112u << 10);
  const Raw<uint32_t> infinity = Raw<uint32_t>{} + 0x7c00u;
  const Raw<uint32_t> nan = ((magnitude >> 13) & 0x3ff) | 0x7e00u;
  const Raw<uint32_t> large = magnitude > 0x7f800000u ? nan : infinity;
  const Raw<uint32_t> finite = magnitude < 0x38800000u ? tiny : normal;
  const Raw<uint32_t> half = (magnitude < 0x47800000u ? finite : large) | (bits >> 16 & 0x8000u);
  return narrow_bits(half);
}

}  // namespace isa
}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
