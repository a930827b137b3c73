// Primitives for AVX-512 (F, BW, VL, DQ): 64 bytes at a time, with lane masks.
#pragma once

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "cpu/simd/raw.h"

namespace pydl::cpu::PYDL_ISA {
namespace {
namespace isa {

// a > b ? a : b, so b where one is NaN
inline Raw<float> max_of(Raw<float> a, Raw<float> b) { return _mm512_max_ps(a, b); }
inline Raw<double> max_of(Raw<double> a, Raw<double> b) { return _mm512_max_pd(a, b); }
inline Raw<float> min_of(Raw<float> a, Raw<float> b) { return _mm512_min_ps(a, b); }
inline Raw<double> min_of(Raw<double> a, Raw<double> b) { return _mm512_min_pd(a, b); }

inline Raw<float> sqrt(Raw<float> x) { return _mm512_sqrt_ps(x); }
inline Raw<double> sqrt(Raw<double> x) { return _mm512_sqrt_pd(x); }

inline Raw<float> fma(Raw<float> a, Raw<float> b, Raw<float> c) { return _mm512_fmadd_ps(a, b, c); }
inline Raw<double> fma(Raw<double> a, Raw<double> b, Raw<double> c) {
  return _mm512_fmadd_pd(a, b, c);
}

constexpr int kToEven = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
constexpr int kDown = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
constexpr int kUp = _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC;
constexpr int kToZero = _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC;
inline Raw<float> round(Raw<float> x) { return _mm512_roundscale_ps(x, kToEven); }
inline Raw<double> round(Raw<double> x) { return _mm512_roundscale_pd(x, kToEven); }
inline Raw<float> floor(Raw<float> x) { return _mm512_roundscale_ps(x, kDown); }
inline Raw<double> floor(Raw<double> x) { return _mm512_roundscale_pd(x, kDown); }
inline Raw<float> ceil(Raw<float> x) { return _mm512_roundscale_ps(x, kUp); }
inline Raw<double> ceil(Raw<double> x) { return _mm512_roundscale_pd(x, kUp); }
inline Raw<float> trunc(Raw<float> x) { return _mm512_roundscale_ps(x, kToZero); }
inline Raw<double> trunc(Raw<double> x) { return _mm512_roundscale_pd(x, kToZero); }

// x * 2^n for an integral n.
inline Raw<float> scale(Raw<float> x, Raw<float> n) { return _mm512_scalef_ps(x, n); }
inline Raw<double> scale(Raw<double> x, Raw<double> n) { return _mm512_scalef_pd(x, n); }

inline uint64_t first_lanes(int n) { return _bzhi_u64(~uint64_t{0}, n); }

template <class T>
inline Raw<T> load_partial(const T* p, int n) {
  const uint64_t lanes = first_lanes(n);
  if constexpr (sizeof(T) == 1) return (Raw<T>)_mm512_maskz_loadu_epi8(lanes, p);
  if constexpr (sizeof(T) == 2) return (Raw<T>)_mm512_maskz_loadu_epi16(lanes, p);
  if constexpr (sizeof(T) == 4) return (Raw<T>)_mm512_maskz_loadu_epi32(lanes, p);
  if constexpr (sizeof(T) == 8) return (Raw<T>)_mm512_maskz_loadu_epi64(lanes, p);
}
template <class T>
inline void store_partial(T* p, Raw<T> v, int n) {
  const uint64_t lanes = first_lanes(n);
  if constexpr (sizeof(T) == 1) _mm512_mask_storeu_epi8(p, lanes, (__m512i)v);
  if constexpr (sizeof(T) == 2) _mm512_mask_storeu_epi16(p, lanes, (__m512i)v);
  if constexpr (sizeof(T) == 4) _mm512_mask_storeu_epi32(p, lanes, (__m512i)v);
  if constexpr (sizeof(T) == 8) _mm512_mask_storeu_epi64(p, lanes, (__m512i)v);
}

inline HalfBits load_partial_half(const uint16_t* p, int n) {
  return (HalfBits)_mm256_maskz_loadu_epi16(first_lanes(n), p);
}
inline void store_partial_half(uint16_t* p, HalfBits v, int n) {
  _mm256_mask_storeu_epi16(p, first_lanes(n), (__m256i)v);
}

inline Raw<double> widen_low(Raw<float> x) {
  return (Raw<double>)_mm512_cvtps_pd(_mm512_castps512_ps256((__m512)x));
}
inline Raw<double> widen_high(Raw<float> x) {
  return (Raw<double>)_mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)x, 1));
}
inline Raw<float> narrow(Raw<double> low, Raw<double> high) {
  const __m512 first = _mm512_castps256_ps512(_mm512_cvtpd_ps((__m512d)low));
  return (Raw<float>)_mm512_insertf32x8(first, _mm512_cvtpd_ps((__m512d)high), 1);
}

// Stores past the cache; `p` is aligned to the vector size.
template <class T>
inline void stream(T* p, Raw<T> v) {
  _mm512_stream_si512(reinterpret_cast<__m512i*>(p), (__m512i)v);
}
inline void stream_fence() { _mm_sfence(); }

// The full product of the low halves of each lane.
inline Raw<uint64_t> multiply_low(Raw<uint64_t> a, Raw<uint64_t> b) {
  return (Raw<uint64_t>)_mm512_mul_epu32((__m512i)a, (__m512i)b);
}

inline bool any(Raw<int64_t> v) { return _mm512_test_epi64_mask((__m512i)v, (__m512i)v) != 0; }

// Stores the lanes of v below `pivot` side by side from `low` on, and anything after them up to a
// whole vector; then the others up to `high`. Returns how many are low. For int32_t and int64_t.
template <class T>
inline int partition(T* low, T* high, Raw<T> v, Raw<T> pivot) {
  const __m512i x = (__m512i)v, y = (__m512i)pivot;
  if constexpr (sizeof(T) == 4) {
    const __mmask16 below = _mm512_cmplt_epi32_mask(x, y);
    const int count = __builtin_popcount(below);
    _mm512_storeu_si512(low, _mm512_maskz_compress_epi32(below, x));
    _mm512_mask_storeu_epi32(high - (16 - count), first_lanes(16 - count),
                             _mm512_maskz_compress_epi32(~below, x));
    return count;
  } else {
    const __mmask8 below = _mm512_cmplt_epi64_mask(x, y);
    const int count = __builtin_popcount(below);
    _mm512_storeu_si512(low, _mm512_maskz_compress_epi64(below, x));
    _mm512_mask_storeu_epi64(high - (8 - count), first_lanes(8 - count),
                             _mm512_maskz_compress_epi64(~below, x));
    return count;
  }
}

inline Raw<uint32_t> widen_bits(HalfBits h) {
  return (Raw<uint32_t>)_mm512_cvtepu16_epi32((__m256i)h);
}
// Of lanes below 2^16.
inline HalfBits narrow_bits(Raw<uint32_t> x) {
  return (HalfBits)_mm512_cvtepi32_epi16((__m512i)x);
}

inline Raw<float> half_to_float(HalfBits h) { return _mm512_cvtph_ps((__m256i)h); }
inline HalfBits float_to_half(Raw<float> x) { return (HalfBits)_mm512_cvtps_ph(x, kToEven); }

}  // namespace isa
}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
