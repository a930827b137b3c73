// Primitives for AVX2 with FMA and F16C: 32 bytes at a time.
#pragma once

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "cpu/simd/raw.h"

namespace pydl::cpu::PYDL_ISA {
namespace {
namespace isa {

// a > b ? a : b, so b where one is NaN
inline Raw<float> max_of(Raw<float> a, Raw<float> b) { return _mm256_max_ps(a, b); }
inline Raw<double> max_of(Raw<double> a, Raw<double> b) { return _mm256_max_pd(a, b); }
inline Raw<float> min_of(Raw<float> a, Raw<float> b) { return _mm256_min_ps(a, b); }
inline Raw<double> min_of(Raw<double> a, Raw<double> b) { return _mm256_min_pd(a, b); }

inline Raw<float> sqrt(Raw<float> x) { return _mm256_sqrt_ps(x); }
inline Raw<double> sqrt(Raw<double> x) { return _mm256_sqrt_pd(x); }

inline Raw<float> fma(Raw<float> a, Raw<float> b, Raw<float> c) { return _mm256_fmadd_ps(a, b, c); }
inline Raw<double> fma(Raw<double> a, Raw<double> b, Raw<double> c) {
  return _mm256_fmadd_pd(a, b, c);
}

constexpr int kToEven = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
constexpr int kDown = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
constexpr int kUp = _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC;
constexpr int kToZero = _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC;
inline Raw<float> round(Raw<float> x) { return _mm256_round_ps(x, kToEven); }
inline Raw<double> round(Raw<double> x) { return _mm256_round_pd(x, kToEven); }
inline Raw<float> floor(Raw<float> x) { return _mm256_round_ps(x, kDown); }
inline Raw<double> floor(Raw<double> x) { return _mm256_round_pd(x, kDown); }
inline Raw<float> ceil(Raw<float> x) { return _mm256_round_ps(x, kUp); }
inline Raw<double> ceil(Raw<double> x) { return _mm256_round_pd(x, kUp); }
inline Raw<float> trunc(Raw<float> x) { return _mm256_round_ps(x, kToZero); }
inline Raw<double> trunc(Raw<double> x) { return _mm256_round_pd(x, kToZero); }

// x * 2^n for an integral n in [-250, 250] (float) or [-2000, 2000] (double); in two steps, because
// 2^n itself may be out of range where the product is not.
inline Raw<float> scale(Raw<float> x, Raw<float> n) {
  const Raw<int32_t> whole = (Raw<int32_t>)_mm256_cvtps_epi32(n), half = whole >> 1;
  return x * (Raw<float>)((half + 127) << 23) * (Raw<float>)((whole - half + 127) << 23);
}
inline Raw<double> scale(Raw<double> x, Raw<double> n) {
  // Adding 1.5 * 2^52 leaves the integer in the low bits of the mantissa.
  const Raw<int64_t> whole = (Raw<int64_t>)(n + 0x1.8p52) - 0x4338000000000000;
  const Raw<int64_t> half = (Raw<int64_t>)(isa::floor(n * 0.5) + 0x1.8p52) - 0x4338000000000000;
  return x * (Raw<double>)((half + 1023) << 52) * (Raw<double>)((whole - half + 1023) << 52);
}

inline __m256i first_lanes_32(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline __m256i first_lanes_64(int n) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}

template <class T>
inline Raw<T> load_partial(const T* p, int n) {
  if constexpr (sizeof(T) == 4) {
    return (Raw<T>)_mm256_maskload_epi32(reinterpret_cast<const int*>(p), first_lanes_32(n));
  } else if constexpr (sizeof(T) == 8) {
    return (Raw<T>)_mm256_maskload_epi64(reinterpret_cast<const long long*>(p), first_lanes_64(n));
  } else {
    Raw<T> v = {};
    memcpy(&v, p, n * sizeof(T));
    return v;
  }
}
template <class T>
inline void store_partial(T* p, Raw<T> v, int n) {
  if constexpr (sizeof(T) == 4) {
    _mm256_maskstore_epi32(reinterpret_cast<int*>(p), first_lanes_32(n), (__m256i)v);
  } else if constexpr (sizeof(T) == 8) {
    _mm256_maskstore_epi64(reinterpret_cast<long long*>(p), first_lanes_64(n), (__m256i)v);
  } else {
    memcpy(p, &v, n * sizeof(T));
  }
}

inline HalfBits load_partial_half(const uint16_t* p, int n) {
  HalfBits v = {};
  memcpy(&v, p, n * sizeof(uint16_t));
  return v;
}
inline void store_partial_half(uint16_t* p, HalfBits v, int n) {
  memcpy(p, &v, n * sizeof(uint16_t));
}

inline Raw<double> widen_low(Raw<float> x) {
  return (Raw<double>)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)x));
}
inline Raw<double> widen_high(Raw<float> x) {
  return (Raw<double>)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)x, 1));
}
inline Raw<float> narrow(Raw<double> low, Raw<double> high) {
  const __m256 first = _mm256_castps128_ps256(_mm256_cvtpd_ps((__m256d)low));
  return (Raw<float>)_mm256_insertf128_ps(first, _mm256_cvtpd_ps((__m256d)high), 1);
}

// Stores past the cache; `p` is aligned to the vector size.
template <class T>
inline void stream(T* p, Raw<T> v) {
  _mm256_stream_si256(reinterpret_cast<__m256i*>(p), (__m256i)v);
}
inline void stream_fence() { _mm_sfence(); }

// The full product of the low halves of each lane.
inline Raw<uint64_t> multiply_low(Raw<uint64_t> a, Raw<uint64_t> b) {
  return (Raw<uint64_t>)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}

inline bool any(Raw<int64_t> v) { return !_mm256_testz_si256((__m256i)v, (__m256i)v); }

// Stores the lanes of v below `pivot` side by side from `low` on, and anything after them up to a
// whole vector; then the others up to `high`, with anything before. Returns how many are low. For
// int32_t and int64_t.
template <class T>
inline int partition(T* low, T* high, Raw<T> v, Raw<T> pivot) {
  constexpr int kLanes = kVectorBytes / sizeof(T);
  const Raw<T> below = (Raw<T>)(v < pivot);
  uint64_t bytes;  // one byte for 4 of the vector's
  if constexpr (sizeof(T) == 4)
    bytes = _pdep_u64(_mm256_movemask_ps((__m256)below), 0x0101010101010101) * 255;
  else
    bytes = _pdep_u64(_mm256_movemask_pd((__m256d)below), 0x0001000100010001) * 65535;
  constexpr uint64_t order = 0x0706050403020100;
  const int bits = __builtin_popcountll(bytes), half = bits / 2;  // a shift by 64 has no meaning
  const uint64_t groups =
      _pext_u64(order, bytes) | _pext_u64(order, ~bytes) << half << (bits - half);
  const __m256i sorted = _mm256_permutevar8x32_epi32(
      (__m256i)v, _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<int64_t>(groups))));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(low), sorted);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(high - kLanes), sorted);
  return bits / (2 * sizeof(T));
}

inline Raw<uint32_t> widen_bits(HalfBits h) {
  return (Raw<uint32_t>)_mm256_cvtepu16_epi32((__m128i)h);
}
// Of lanes below 2^16.
inline HalfBits narrow_bits(Raw<uint32_t> x) {
  return (HalfBits)_mm_packus_epi32(_mm256_castsi256_si128((__m256i)x),
                                    _mm256_extracti128_si256((__m256i)x, 1));
}

inline Raw<float> half_to_float(HalfBits h) { return _mm256_cvtph_ps((__m128i)h); }
inline HalfBits float_to_half(Raw<float> x) { return (HalfBits)_mm256_cvtps_ph(x, kToEven); }

}  // namespace isa
}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
