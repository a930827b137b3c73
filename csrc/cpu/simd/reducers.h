// What a reduction does with its elements: a type to accumulate in, the identity, a map from loaded
// elements and an associative, commutative combination. `Again` reduces partial results.
#pragma once

#include <math.h>

#include "cpu/simd/half.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

template <class L>
struct Sum {
  using Input = L;
  using Acc = L;
  using Again = Sum<Acc>;
  static constexpr Acc identity = static_cast<Acc>(-0.0);  // x + 0.0 would lose the sign of x = -0.0
  static Vec<Acc> map(Vec<L> x) { return x; }
  static Vec<Acc> combine(Vec<Acc> a, Vec<Acc> b) { return a + b; }
};
template <class L>
struct SumAbs : Sum<L> {
  static Vec<L> map(Vec<L> x) { return abs(x); }
};
template <class L>
struct SumSquares : Sum<L> {
  static Vec<L> map(Vec<L> x) { return x * x; }
};
template <class L>
struct Product {
  using Input = L;
  using Acc = L;
  using Again = Product<Acc>;
  static constexpr Acc identity = 1;
  static Vec<Acc> map(Vec<L> x) { return x; }
  static Vec<Acc> combine(Vec<Acc> a, Vec<Acc> b) { return a * b; }
};

template <class T>
constexpr T lowest() {
  if constexpr (std::is_floating_point_v<T>) return -INFINITY;
  else if constexpr (std::is_signed_v<T>) return static_cast<T>(T{1} << (8 * sizeof(T) - 1));
  else return 0;
}
template <class L>
struct Max {
  using Input = L;
  using Acc = L;
  using Again = Max<Acc>;
  static constexpr Acc identity = lowest<Acc>();
  static Vec<Acc> map(Vec<L> x) { return x; }
  static Vec<Acc> combine(Vec<Acc> a, Vec<Acc> b) { return max(a, b); }
};
template <class L>
struct Min {
  using Input = L;
  using Acc = L;
  using Again = Min<Acc>;
  static constexpr Acc identity = static_cast<Acc>(-1 - lowest<Acc>());
  static Vec<Acc> map(Vec<L> x) { return x; }
  static Vec<Acc> combine(Vec<Acc> a, Vec<Acc> b) { return min(a, b); }
};
template <class L>
struct CountNonzero {
  using Input = L;
  using Acc = IntLike<L>;
  using Again = Sum<Acc>;
  static constexpr Acc identity = 0;
  static Vec<Acc> map(Vec<L> x) { return -Vec<Acc>((x != 0).v); }
  static Vec<Acc> combine(Vec<Acc> a, Vec<Acc> b) { return a + b; }
};

typedef uint8_t ByteLanes __attribute__((vector_size(isa::kVectorBytes / 4)));

inline Vec<int32_t> extend(ByteLanes bytes, uint8_t) {
  return (isa::Raw<int32_t>)isa::widen_bits(__builtin_convertvector(bytes, isa::HalfBits));
}
inline Vec<int32_t> extend(ByteLanes bytes, int8_t) {
  return (extend(bytes, uint8_t{}) ^ 128) - 128;
}

// Mapped elements, read as R::Input: 8-bit integers may widen. With n, the first n < size; the other
// lanes hold the identity.
template <class R, class T>
inline Vec<typename R::Acc> take(const T* p) {
  if constexpr (std::is_same_v<typename R::Input, Compute<T>>) {
    return R::map(load(p));
  } else {
    ByteLanes bytes;
    memcpy(&bytes, p, sizeof bytes);
    return R::map(extend(bytes, T{}));
  }
}
template <class R, class T>
inline Vec<typename R::Acc> take(const T* p, int n) {
  using A = typename R::Acc;
  if constexpr (std::is_same_v<typename R::Input, Compute<T>>) {
    return select(first_lanes<A>(n), R::map(load(p, n)), R::identity);
  } else {
    ByteLanes bytes = {};
    memcpy(&bytes, p, n);
    return select(first_lanes<A>(n), R::map(extend(bytes, T{})), R::identity);
  }
}

// An element that leaves every result as it is.
template <class R, class T>
inline T neutral() {
  using L = typename R::Input;
  if constexpr (std::is_same_v<L, Compute<T>>) return from_compute<T>(static_cast<L>(R::identity));
  else return static_cast<T>(R::identity);
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
