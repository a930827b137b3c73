// Integers that are in the order of the values they stand for, NaN last.
#pragma once

#include "cpu/simd/half.h"
#include "cpu/vector_sort.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

template <class T>
using Key = std::conditional_t<sizeof(T) == 8, int64_t, int32_t>;

template <class T>
struct InfinityBits;
template <>
struct InfinityBits<float> {
  static constexpr int32_t value = 0x7f800000;
};
template <>
struct InfinityBits<double> {
  static constexpr int64_t value = 0x7ff0000000000000;
};
template <>
struct InfinityBits<Half> {
  static constexpr int16_t value = 0x7c00;
};
template <>
struct InfinityBits<BFloat16> {
  static constexpr int16_t value = 0x7f80;
};

// The bits of negative numbers fall where their values rise, so all but the sign are flipped.
template <class T>
inline Key<T> to_key(T x) {
  if constexpr (std::is_integral_v<T>) {
    return x;
  } else {
    using I = IntLike<T>;
    constexpr I largest = static_cast<I>(~(I{1} << (8 * sizeof(I) - 1)));
    I bits;
    memcpy(&bits, &x, sizeof bits);
    if ((bits & largest) > InfinityBits<T>::value) return largest;
    return bits < 0 ? static_cast<I>(bits ^ largest) : bits;
  }
}
template <class T>
inline T from_key(Key<T> key) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(key);
  } else {
    using I = IntLike<T>;
    constexpr I largest = static_cast<I>(~(I{1} << (8 * sizeof(I) - 1)));
    const I bits = static_cast<I>(key < 0 ? key ^ largest : key);
    T x;
    memcpy(&x, &bits, sizeof x);
    return x;
  }
}
// With -0 and 0 alike, for where equal values must stay in order.
template <class T>
inline Key<T> to_equal_key(T x) {
  const Key<T> key = to_key(x);
  if constexpr (std::is_integral_v<T>) return key;
  else return key == -1 ? 0 : key;  // -1 stands for -0
}

// A key with a position below it: distinct, and in the order of a stable sort.
template <class T>
using KeyAndPosition = std::conditional_t<sizeof(T) == 8, unsigned __int128, int64_t>;
template <class T>
inline KeyAndPosition<T> with_position(Key<T> key, int64_t position) {
  if constexpr (sizeof(T) == 8) {
    const uint64_t rising = static_cast<uint64_t>(key) ^ uint64_t{1} << 63;
    return static_cast<unsigned __int128>(rising) << 32 | static_cast<uint32_t>(position);
  } else {
    return static_cast<int64_t>(static_cast<uint64_t>(key) << 32) | position;
  }
}

// Sorts keys in x with the help of `spare`, which has room for spare_size(n). Calls
// done(part, count) for parts of x as soon as they are in order: they are not read again.
template <class E>
struct KeySort {
  static int64_t spare_size(int64_t n) { return n; }
  template <class Done>
  static void sort(E* x, E* spare, int64_t n, Done&& done) {
    VectorSort<E>::sort(x, spare, n, done);
  }
};
// Wide keys, which come in the order of their positions, by digits.
template <>
struct KeySort<unsigned __int128> {
  using E = unsigned __int128;
  static constexpr int64_t kShort = 32, kLong = 16384;

  static int64_t spare_size(int64_t n) { return n; }
  template <class Done>
  static void sort(E* x, E* spare, int64_t n, Done&& done) {
    if (n <= kShort) insertion_sort(x, n);
    else if (n < kLong) sort_digits<8, 8>(x, spare, n);
    else sort_digits<11, 6>(x, spare, n);
    done(x, n);
  }

 private:
  template <int bits, int digits>
  static void sort_digits(E* x, E* spare, int64_t n) {
    using Digits = RadixSort<E, bits, digits>;
    uint32_t counts[Digits::kCounts];
    const E* sorted = Digits{32}.run(x, spare, n, counts);
    if (sorted != x) memcpy(x, sorted, n * sizeof(E));
  }
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
