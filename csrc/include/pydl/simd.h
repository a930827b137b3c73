// The vector types that pydl's own kernels are written with, for the instruction set that the
// including file is compiled for (-march=native, or one of the flags such as -mavx2 -mfma).
//
//   using pydl::simd::Vec;
//   pydl::simd::for_each<float>(begin, end, [=](int64_t i, auto part) {
//     part.store(y + i, exp(part.load(x + i)) * Vec<float>(2.0f));
//   });
#pragma once

#ifndef PYDL_ISA
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && \
    defined(__AVX512DQ__) && defined(__AVX512CD__)
#define PYDL_ISA avx512
#define PYDL_ISA_avx512 1
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#define PYDL_ISA avx2
#define PYDL_ISA_avx2 1
#elif defined(__ARM_NEON)
#define PYDL_ISA neon
#define PYDL_ISA_neon 1
#else
#define PYDL_ISA generic
#define PYDL_ISA_generic 1
#endif
#endif

#include "cpu/simd/half.h"
#include "cpu/simd/math.h"

namespace pydl {
namespace {
namespace simd {

using namespace pydl::cpu::PYDL_ISA;

// How the body of for_each loads and stores: a whole vector, or the first n lanes of one.
template <class T>
struct Whole {
  Vec<T> load(const T* p) const { return Vec<T>::load(p); }
  void store(T* p, Vec<T> x) const { x.store(p); }
};
template <class T>
struct Part {
  int n;
  Vec<T> load(const T* p) const { return Vec<T>::load(p, n); }
  void store(T* p, Vec<T> x) const { x.store(p, n); }
};

// body(i, part) for every vector of elements from begin to end; the last may be a part of one.
template <class T, class Body>
inline void for_each(int64_t begin, int64_t end, Body body) {
  int64_t i = begin;
  for (; i + Vec<T>::size <= end; i += Vec<T>::size) body(i, Whole<T>{});
  if (i < end) body(i, Part<T>{static_cast<int>(end - i)});
}

}  // namespace simd
}  // namespace
}  // namespace pydl
