// Unsigned integers that are in the order of the values they stand for, NaN last.
#pragma once

#include "cpu/radix_sort.h"
#include "cpu/simd/half.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

template <class T>
struct FloatKey;
template <>
struct FloatKey<float> {
  using Bits = uint32_t;
  static constexpr Bits infinity = 0x7f800000;
};
template <>
struct FloatKey<double> {
  using Bits = uint64_t;
  static constexpr Bits infinity = 0x7ff0000000000000;
};
template <>
struct FloatKey<Half> {
  using Bits = uint16_t;
  static constexpr Bits infinity = 0x7c00;
};
template <>
struct FloatKey<BFloat16> {
  using Bits = uint16_t;
  static constexpr Bits infinity = 0x7f80;
};

template <class T>
struct KeyOf {
  using type = std::make_unsigned_t<IntLike<T>>;
};
template <class T>
using Key = typename KeyOf<T>::type;

template <class T>
inline Key<T> to_key(T x) {
  using U = Key<T>;
  constexpr U top = static_cast<U>(U{1} << (8 * sizeof(U) - 1));
  U bits;
  memcpy(&bits, &x, sizeof bits);
  if constexpr (std::is_integral_v<T>) {
    return std::is_signed_v<T> ? static_cast<U>(bits ^ top) : bits;
  } else {
    const U magnitude = static_cast<U>(bits & ~top);
    const U ordered = static_cast<U>(bits & top ? ~bits : bits | top);
    return magnitude > FloatKey<T>::infinity ? static_cast<U>(-1) : ordered;
  }
}
template <class T>
inline T from_key(Key<T> key) {
  using U = Key<T>;
  constexpr U top = static_cast<U>(U{1} << (8 * sizeof(U) - 1));
  U bits = key;
  if constexpr (!std::is_integral_v<T>) bits = static_cast<U>(key & top ? key ^ top : ~key);
  else if constexpr (std::is_signed_v<T>) bits = static_cast<U>(key ^ top);
  T x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
// With -0 and 0 alike, for where equal values must stay in order.
template <class T>
inline Key<T> to_equal_key(T x) {
  constexpr Key<T> negative_zero = static_cast<Key<T>>(static_cast<Key<T>>(-1) >> 1);
  const Key<T> key = to_key(x);
  if constexpr (std::is_integral_v<T>) return key;
  else return key == negative_zero ? static_cast<Key<T>>(key + 1) : key;
}

// A key with a position below it: distinct, and in the order of a stable sort.
template <class T>
using KeyAndPosition = std::conditional_t<sizeof(T) == 8, unsigned __int128, uint64_t>;
template <class T>
inline KeyAndPosition<T> with_position(Key<T> key, uint32_t position) {
  return static_cast<KeyAndPosition<T>>(key) << 32 | position;
}

// How to sort elements E by the key_bytes bytes from bit `low` up.
constexpr int64_t kInsertion = 32;       // up to here by insertion
constexpr int64_t kWideDigits = 8192;    // from here on by fewer, wider digits
constexpr int64_t kParallelSort = 65536; // from here on by several threads

template <class E, int key_bytes>
struct Sorter {
  static constexpr int kWide = (8 * key_bytes + 10) / 11;
  static constexpr bool kHasWide = key_bytes >= 4;
  using Narrow = RadixSort<E, 8, key_bytes>;
  using Wider = RadixSort<E, 11, kWide>;
  int low;

  // Room that run and run_parallel need.
  static int64_t counts(int64_t n, int threads) {
    const int64_t buckets = kHasWide ? 2048 : 256, digits = kHasWide ? kWide : key_bytes;
    return n <= kInsertion ? 1 : (threads > digits ? threads : digits) * buckets;
  }
  E* run(E* x, E* spare, int64_t n, uint32_t* counts) const {
    if (n <= kInsertion) {
      insertion_sort(x, n);
      return x;
    }
    if constexpr (kHasWide)
      if (n >= kWideDigits) return Wider{low}.run(x, spare, n, counts);
    return Narrow{low}.run(x, spare, n, counts);
  }
  E* run_parallel(const PydlContext* context, E* x, E* spare, int64_t n, uint32_t* counts) const {
    if constexpr (kHasWide) return Wider{low}.run_parallel(context, x, spare, n, counts);
    else return Narrow{low}.run_parallel(context, x, spare, n, counts);
  }
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
