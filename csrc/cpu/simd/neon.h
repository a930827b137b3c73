// Primitives for aarch64 Advanced SIMD: 16 bytes at a time.
#pragma once

#include <arm_neon.h>
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

inline Raw<float> sqrt(Raw<float> x) { return (Raw<float>)vsqrtq_f32((float32x4_t)x); }
inline Raw<double> sqrt(Raw<double> x) { return (Raw<double>)vsqrtq_f64((float64x2_t)x); }

inline Raw<float> fma(Raw<float> a, Raw<float> b, Raw<float> c) {
  return (Raw<float>)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
inline Raw<double> fma(Raw<double> a, Raw<double> b, Raw<double> c) {
  return (Raw<double>)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}

inline Raw<float> round(Raw<float> x) { return (Raw<float>)vrndnq_f32((float32x4_t)x); }
inline Raw<double> round(Raw<double> x) { return (Raw<double>)vrndnq_f64((float64x2_t)x); }
inline Raw<float> floor(Raw<float> x) { return (Raw<float>)vrndmq_f32((float32x4_t)x); }
inline Raw<double> floor(Raw<double> x) { return (Raw<double>)vrndmq_f64((float64x2_t)x); }
inline Raw<float> ceil(Raw<float> x) { return (Raw<float>)vrndpq_f32((float32x4_t)x); }
inline Raw<double> ceil(Raw<double> x) { return (Raw<double>)vrndpq_f64((float64x2_t)x); }
inline Raw<float> trunc(Raw<float> x) { return (Raw<float>)vrndq_f32((float32x4_t)x); }
inline Raw<double> trunc(Raw<double> x) { return (Raw<double>)vrndq_f64((float64x2_t)x); }

// x * 2^n for an integral n in [-250, 250] (float) or [-2000, 2000] (double); in two steps, because
// 2^n itself may be out of range where the product is not.
inline Raw<float> scale(Raw<float> x, Raw<float> n) {
  const Raw<int32_t> whole = __builtin_convertvector(n, Raw<int32_t>), half = whole >> 1;
  return x * (Raw<float>)((half + 127) << 23) * (Raw<float>)((whole - half + 127) << 23);
}
inline Raw<double> scale(Raw<double> x, Raw<double> n) {
  const Raw<int64_t> whole = __builtin_convertvector(n, Raw<int64_t>), half = whole >> 1;
  return x * (Raw<double>)((half + 1023) << 52) * (Raw<double>)((whole - half + 1023) << 52);
}

inline Raw<double> widen_low(Raw<float> x) {
  return (Raw<double>)vcvt_f64_f32(vget_low_f32((float32x4_t)x));
}
inline Raw<double> widen_high(Raw<float> x) {
  return (Raw<double>)vcvt_high_f64_f32((float32x4_t)x);
}
inline Raw<float> narrow(Raw<double> low, Raw<double> high) {
  return (Raw<float>)vcvt_high_f32_f64(vcvt_f32_f64((float64x2_t)low), (float64x2_t)high);
}

// aarch64 CPUs detect streams of plain stores by themselves.
template <class T>
inline void stream(T* p, Raw<T> v) {
  memcpy(p, &v, sizeof v);
}
inline void stream_fence() {}

// The full product of the low halves of each lane.
inline Raw<uint64_t> multiply_low(Raw<uint64_t> a, Raw<uint64_t> b) {
  return (Raw<uint64_t>)vmull_u32(vmovn_u64((uint64x2_t)a), vmovn_u64((uint64x2_t)b));
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
  return (Raw<float>)vcvt_f32_f16(vreinterpret_f16_u16((uint16x4_t)h));
}
inline HalfBits float_to_half(Raw<float> x) {
  return (HalfBits)vreinterpret_u16_f16(vcvt_f16_f32((float32x4_t)x));
}

}  // namespace isa
}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
