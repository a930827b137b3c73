// Quicksort of int32 or int64: whole registers are partitioned at a time, and short parts sorted
// by networks. The order of integers is total, so the result does not depend on how they
// were moved.
#pragma once

#include "cpu/column_sort.h"
#include "cpu/radix_sort.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

template <class K>
class VectorSort {
 public:
  using V = Vec<K>;
  static constexpr int64_t kShort = BlockSort<K>::kMost;

  // Sorts x; `spare` has room for n. Calls done(part, count) for parts of x that are in order.
  template <class Done>
  static void sort(K* x, K* spare, int64_t n, Done&& done) {
    sort(x, spare, n, depth_of(n), done);
  }

  // Moves the elements below `pivot` before the others; returns how many. More than 2 kStep elements.
  static int64_t partition(K* x, int64_t n, K pivot) {
    V held[2 * kTurn];  // what both ends had, which makes room there
    K *low = x, *high = x + n, *left = x + kStep, *right = x + n - kStep;
    for (int k = 0; k < kTurn; ++k) held[k] = V::load(x + k * V::size);
    for (int k = 0; k < kTurn; ++k) held[kTurn + k] = V::load(right + k * V::size);
    const auto place = [&](V v) {
      const int below = isa::partition(low, high, v.v, V(pivot).v);
      low += below;
      high -= V::size - below;
    };
    while (right - left >= kStep) {
      // From the end with less room, so that both have enough for whatever comes.
      const bool from_left = left - low <= high - right;
      const K* from = from_left ? left : right - kStep;
      left += from_left ? kStep : 0;
      right -= from_left ? 0 : kStep;
      V v[kTurn];
      for (int k = 0; k < kTurn; ++k) v[k] = V::load(from + k * V::size);
      for (int k = 0; k < kTurn; ++k) place(v[k]);
    }
    K rest[kStep];
    const int64_t count = right - left;
    memcpy(rest, left, count * sizeof(K));
    int64_t i = 0;
    for (; i + V::size <= count; i += V::size) place(V::load(rest + i));
    for (; i < count; ++i) {
      const bool below = rest[i] < pivot;
      *low = high[-1] = rest[i];
      low += below;
      high -= !below;
    }
    for (V v : held) place(v);
    return low - x;
  }

  // The middle one of elements from all over x.
  static K pivot_of(const K* x, int64_t n) {
    return n < 16 * kShort ? middle_of<1>(x, n) : middle_of<8>(x, n);
  }

 private:
  static constexpr int kTurn = 8;  // registers that are read before any is written
  static constexpr int64_t kStep = kTurn * V::size;
  static_assert(kShort >= 2 * kStep);

  // More levels than an even split needs; what is deeper has unlucky pivots.
  static int depth_of(int64_t n) {
    int depth = 8;
    for (; n > kShort; n /= 2) depth += 2;
    return depth;
  }

  template <class Done>
  static void sort(K* x, K* spare, int64_t n, int depth, Done&& done) {
    while (n > kShort) {
      if (--depth == 0) {
        sort_by_digits(x, spare, n);
        break;
      }
      const K pivot = pivot_of(x, n);
      int64_t low = partition(x, n, pivot);
      if (low > 0) {
        sort(x, spare, low, depth, done);
      } else {  // the pivot is the smallest: what equals it is sorted
        if (pivot == BlockSort<K>::kLargest) break;
        low = partition(x, n, pivot + 1);
        done(x, low);
      }
      x += low;
      n -= low;
    }
    if (n <= kShort) BlockSort<K>::sort(x, static_cast<int>(n));
    done(x, n);
  }

  template <int count>
  static K middle_of(const K* x, int64_t n) {
    constexpr int kSample = count * V::size;
    K lanes[kSample];
    V sample[count];
    for (int i = 0; i < kSample; ++i) lanes[i] = x[i * n / kSample];
    for (int i = 0; i < count; ++i) sample[i] = V::load(lanes + i * V::size);
    ColumnSort<K, count>::sort(sample);
    return sample[count / 2][count > 1 ? 0 : V::size / 2];
  }

  static void sort_by_digits(K* x, K* spare, int64_t n) {
    using U = std::make_unsigned_t<K>;
    constexpr U top = U{1} << (8 * sizeof(K) - 1);
    uint32_t counts[sizeof(K) * 256];
    U* keys = reinterpret_cast<U*>(x);
    for (int64_t i = 0; i < n; ++i) keys[i] ^= top;
    const U* sorted =
        RadixSort<U, 8, sizeof(K)>{0}.run(keys, reinterpret_cast<U*>(spare), n, counts);
    for (int64_t i = 0; i < n; ++i) keys[i] = sorted[i] ^ top;
  }
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
