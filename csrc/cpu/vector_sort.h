// Quicksort of int32 or int64: whole registers are partitioned at a time, and short parts sorted
// inside the registers. The order of integers is total, so the result does not depend on how they
// were moved.
#pragma once

#include "cpu/radix_sort.h"
#include "cpu/simd/vec.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// A bitonic sort of `count` registers as columns: element e is lane e / count of register e %
// count, so that most comparisons are between registers and need no shuffle. All comparisons put
// the smaller first: a merge of two runs starts by comparing each element with its mirror image.
template <class K, int count>
struct ColumnSort {
  using V = Vec<K>;
  static constexpr int size = V::size;

  static void sort(V* v) {
    sort_columns<2>(v);
    if constexpr (size > 1) merge_columns<2>(v);
    interleave<count>(v);
  }

 private:
  static void order(V& a, V& b) {
    const V low = min(a, b);
    b = max(a, b);
    a = low;
  }

  // Runs of `run` elements inside each column.
  template <int run>
  static void sort_columns(V* v) {
    if constexpr (run <= count) {
      for (int a = 0; a < count; ++a)
        if ((a ^ (run - 1)) > a) order(v[a], v[a ^ (run - 1)]);
      finish_columns<run / 4>(v);
      sort_columns<2 * run>(v);
    }
  }
  template <int distance>
  static void finish_columns(V* v) {
    if constexpr (distance > 0) {
      for (int a = 0; a < count; ++a)
        if ((a ^ distance) > a) order(v[a], v[a ^ distance]);
      finish_columns<distance / 2>(v);
    }
  }

  // Runs of `columns` columns.
  template <int columns>
  static void merge_columns(V* v) {
    if constexpr (columns <= size) {
      for (int a = 0; a < (count + 1) / 2; ++a) {
        const int b = count - 1 - a;
        const V mirror = exchange<columns - 1>(v[b]);
        const V low = min(v[a], mirror), high = max(v[a], mirror);
        v[a] = select(first_of_pair<columns / 2>(), low, high);
        if (a != b) v[b] = exchange<columns - 1>(select(first_of_pair<columns / 2>(), high, low));
      }
      merge_lanes<columns / 4>(v);
      finish_columns<count / 2>(v);
      merge_columns<2 * columns>(v);
    }
  }
  template <int distance>
  static void merge_lanes(V* v) {
    if constexpr (distance > 0) {
      for (int a = 0; a < count; ++a) {
        const V partner = exchange<distance>(v[a]);
        v[a] = select(first_of_pair<distance>(), min(v[a], partner), max(v[a], partner));
      }
      merge_lanes<distance / 2>(v);
    }
  }
  template <int distance>
  struct FirstOfPair {
    K lanes[size];
    constexpr FirstOfPair() : lanes() {
      for (int i = 0; i < size; ++i) lanes[i] = (i & distance) == 0 ? -1 : 0;
    }
  };
  template <int distance>
  static Mask<K> first_of_pair() {
    static constexpr FirstOfPair<distance> first;
    return {V::load(first.lanes).v};
  }

  // From columns to rows: each round takes the registers of both halves alternately.
  template <int rounds>
  static void interleave(V* v) {
    if constexpr (rounds > 1) {
      static constexpr Alternate low(0), high(size / 2);
      V out[count];
      for (int a = 0; a < count / 2; ++a) {
        out[2 * a] = __builtin_shuffle(v[a].v, v[a + count / 2].v, V::load(low.lanes).v);
        out[2 * a + 1] = __builtin_shuffle(v[a].v, v[a + count / 2].v, V::load(high.lanes).v);
      }
      for (int a = 0; a < count; ++a) v[a] = out[a];
      interleave<rounds / 2>(v);
    }
  }
  struct Alternate {
    K lanes[size];
    constexpr explicit Alternate(int from) : lanes() {
      for (int i = 0; i < size; ++i) lanes[i] = static_cast<K>(from + i / 2 + (i % 2 ? size : 0));
    }
  };
};

template <class K>
class VectorSort {
 public:
  using V = Vec<K>;
  // Sorted in registers, of which AVX-512 has 32 and others have 16.
  static constexpr int64_t kShort = (isa::kVectorBytes == 64 ? 16 : 8) * V::size;

  // Sorts x; `spare` has room for n.
  static void sort(K* x, K* spare, int64_t n) { sort(x, spare, n, depth_of(n)); }

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
    return n < 64 * kShort ? middle_of<1>(x, n) : middle_of<8>(x, n);
  }

 private:
  static constexpr int kTurn = 4;  // registers that are read before any is written
  static constexpr int64_t kStep = kTurn * V::size;
  static_assert(kShort >= 2 * kStep);
  static constexpr K kLargest = static_cast<K>(~(K{1} << (8 * sizeof(K) - 1)));

  // More levels than an even split needs; what is deeper has unlucky pivots.
  static int depth_of(int64_t n) {
    int depth = 8;
    for (; n > kShort; n /= 2) depth += 2;
    return depth;
  }

  static void sort(K* x, K* spare, int64_t n, int depth) {
    while (n > kShort) {
      if (--depth == 0) return sort_by_digits(x, spare, n);
      const K pivot = pivot_of(x, n);
      int64_t low = partition(x, n, pivot);
      if (low > 0) {
        sort(x, spare, low, depth);
      } else {  // the pivot is the smallest: what equals it is sorted
        if (pivot == kLargest) return;
        low = partition(x, n, pivot + 1);
      }
      x += low;
      n -= low;
    }
    if (n <= V::size) sort_short<1>(x, n);
    else if (n <= 2 * V::size) sort_short<2>(x, n);
    else if (n <= 4 * V::size) sort_short<4>(x, n);
    else if (n <= 8 * V::size) sort_short<8>(x, n);
    else sort_short<kShort / V::size>(x, n);
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

  template <int count>
  static void sort_short(K* x, int64_t n) {
    V v[count];
    for (int i = 0; i < count; ++i) {
      const int64_t left = n - i * V::size;
      const int lanes = static_cast<int>(left < 0 ? 0 : left);
      v[i] = left >= V::size
                 ? V::load(x + i * V::size)
                 : select(first_lanes<K>(lanes), V::load(x + i * V::size, lanes), kLargest);
    }
    ColumnSort<K, count>::sort(v);
    for (int i = 0; i < count; ++i) {
      const int64_t left = n - i * V::size;
      if (left >= V::size) v[i].store(x + i * V::size);
      else if (left > 0) v[i].store(x + i * V::size, static_cast<int>(left));
    }
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
