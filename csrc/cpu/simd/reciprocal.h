// Quotients without a division where the CPU has something faster.
#pragma once

#include "cpu/simd/vec.h"

#include <float.h>

namespace pydl::cpu::PYDL_ISA {
namespace {

// For positive normal x, to the last bit or two.
template <class T>
inline Vec<T> reciprocal(Vec<T> x) {
#if defined(PYDL_ISA_avx512)
  if constexpr (std::is_same_v<T, float>) {
    // 14 bits from a table, the others by a step of Newton's method. The limit keeps infinity from
    // becoming NaN there, and NaN what it is.
    const Vec<T> limited = _mm512_min_ps(_mm512_set1_ps(FLT_MAX), x.v);
    const Vec<T> rough = _mm512_rcp14_ps(limited.v);
    return rough * fma(-limited, rough, Vec<T>(2));
  }
#endif
  return Vec<T>(1) / x;
}

// a / b for a divisor between 1 and 2^100, within 0.6 ulp.
template <class T>
inline Vec<T> quotient(Vec<T> a, Vec<T> b) {
#if defined(PYDL_ISA_avx512)
  if constexpr (std::is_same_v<T, float>) {
    const Vec<T> inverse = _mm512_rcp14_ps(b.v), rough = a * inverse;
    return fma(fma(-b, rough, a), inverse, rough);
  }
#endif
  return a / b;
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
