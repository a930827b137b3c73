// The 16-bit floating storage types, and loads and stores that compute in a wider one.
#pragma once

#include "cpu/simd/vec.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

struct Half {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

// The type that arithmetic on T is done in.
template <class T>
struct ComputeOf {
  using type = T;
};
template <>
struct ComputeOf<Half> {
  using type = float;
};
template <>
struct ComputeOf<BFloat16> {
  using type = float;
};
template <class T>
using Compute = typename ComputeOf<T>::type;

inline float as_float(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
inline uint32_t as_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

inline Vec<float> widen(isa::HalfBits h, Half) { return isa::half_to_float(h); }
inline isa::HalfBits narrow(Vec<float> x, Half) { return isa::float_to_half(x.v); }

inline Vec<float> widen(isa::HalfBits h, BFloat16) {
  return bit_cast<float>(Vec<uint32_t>(isa::widen_bits(h)) << 16);
}
inline isa::HalfBits narrow(Vec<float> x, BFloat16) {
  const Vec<uint32_t> bits = bit_cast<uint32_t>(x);
  const Vec<uint32_t> even = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const Vec<uint32_t> quiet = (bits >> 16) | 0x40;
  const auto nan = is_nan(x).v;
  return isa::narrow_bits(nan ? quiet.v : even.v);
}

// load(p), load(p, n), store(v, p) and store(v, p, n) for every storage type.
template <class T>
inline Vec<Compute<T>> load(const T* p) {
  if constexpr (std::is_same_v<T, Compute<T>>) {
    return Vec<T>::load(p);
  } else {
    isa::HalfBits h;
    memcpy(&h, p, sizeof h);
    return widen(h, T{});
  }
}
template <class T>
inline Vec<Compute<T>> load(const T* p, int n) {
  if constexpr (std::is_same_v<T, Compute<T>>) {
    return Vec<T>::load(p, n);
  } else {
    return widen(isa::load_partial_half(&p->bits, n), T{});
  }
}
template <class T>
inline void store(Vec<Compute<T>> v, T* p) {
  if constexpr (std::is_same_v<T, Compute<T>>) {
    v.store(p);
  } else {
    const isa::HalfBits h = narrow(v, T{});
    memcpy(p, &h, sizeof h);
  }
}
template <class T>
inline void store(Vec<Compute<T>> v, T* p, int n) {
  if constexpr (std::is_same_v<T, Compute<T>>) {
    v.store(p, n);
  } else {
    isa::store_partial_half(&p->bits, narrow(v, T{}), n);
  }
}

// One value at a time: to_compute(x) and from_compute<T>(y).
template <class T>
inline Compute<T> to_compute(T x) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    return as_float(uint32_t{x.bits} << 16);
  } else if constexpr (std::is_same_v<T, Half>) {
    return widen(isa::HalfBits{x.bits}, x)[0];
  } else {
    return x;
  }
}
template <class T>
inline T from_compute(Compute<T> x) {
  if constexpr (std::is_same_v<T, Compute<T>>) {
    return x;
  } else {
    return T{narrow(Vec<float>(x), T{})[0]};
  }
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
