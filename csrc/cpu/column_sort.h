// Sorting networks of int32 or int64 in registers, and on blocks of them.
#pragma once

#include "cpu/simd/vec.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// The smaller of each lane in a, the larger in b.
template <class V>
inline void put_in_order(V& a, V& b) {
  const V low = min(a, b);
  b = max(a, b);
  a = low;
}

// A bitonic sort of `count` registers as columns: element e is lane e / count of register e %
// count, so that most comparisons are between registers and need no shuffle. All comparisons put
// the smaller first: a merge of two runs starts by comparing each element with its mirror image.
// Registers stay registers only where every stage is inlined.
template <class K, int count>
struct ColumnSort {
  using V = Vec<K>;
  static constexpr int size = V::size;

  [[gnu::always_inline]] static inline void sort(V* v) {
    sort_as_columns(v);
    interleave<count>(v);
  }

  [[gnu::always_inline]] static inline void sort_as_columns(V* v) {
    sort_columns<2>(v);
    if constexpr (size > 1) merge_columns<2>(v);
  }
  // What rises, then falls.
  [[gnu::always_inline]] static inline void merge_as_columns(V* v) {
    merge_lanes<size / 2>(v);
    finish_columns<count / 2>(v);
  }
  // From columns to rows: each round takes the registers of both halves alternately.
  template <int rounds = count>
  [[gnu::always_inline]] static inline void interleave(V* v) {
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

 private:
  // Runs of `run` elements inside each column.
  template <int run>
  [[gnu::always_inline]] static inline void sort_columns(V* v) {
    if constexpr (run <= count) {
      for (int a = 0; a < count; ++a)
        if ((a ^ (run - 1)) > a) put_in_order(v[a], v[a ^ (run - 1)]);
      finish_columns<run / 4>(v);
      sort_columns<2 * run>(v);
    }
  }
  template <int distance>
  [[gnu::always_inline]] static inline void finish_columns(V* v) {
    if constexpr (distance > 0) {
      for (int a = 0; a < count; ++a)
        if ((a ^ distance) > a) put_in_order(v[a], v[a ^ distance]);
      finish_columns<distance / 2>(v);
    }
  }

  // Runs of `columns` columns.
  template <int columns>
  [[gnu::always_inline]] static inline void merge_columns(V* v) {
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
  [[gnu::always_inline]] static inline void merge_lanes(V* v) {
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

  struct Alternate {
    K lanes[size];
    constexpr explicit Alternate(int from) : lanes() {
      for (int i = 0; i < size; ++i) lanes[i] = static_cast<K>(from + i / 2 + (i % 2 ? size : 0));
    }
  };
};

// Sorts up to kMost elements: blocks that fit into registers, as columns, and then merges of those.
// What is missing in the last block counts as the largest number, so that blocks behind it, which
// have no other, need no work.
template <class K>
class BlockSort {
 public:
  using V = Vec<K>;
  static constexpr int kCount = 8;  // registers of the 16 or 32 that there are
  static constexpr int kBlock = kCount * V::size;
  static constexpr int kBlocks = 16;
  static constexpr int kMost = kBlocks * kBlock;
  static constexpr K kLargest = static_cast<K>(~(K{1} << (8 * sizeof(K) - 1)));

  static void sort(K* x, int n) {
    if (n <= V::size) sort_short<1>(x, n);
    else if (n <= 2 * V::size) sort_short<2>(x, n);
    else if (n <= 4 * V::size) sort_short<4>(x, n);
    else if (n <= kBlock) sort_short<kCount>(x, n);
    else sort_blocks(x, n);
  }

 private:
  using Network = ColumnSort<K, kCount>;

  template <int count>
  static void load(V* v, const K* x, int n) {
    for (int i = 0; i < count; ++i) {
      const int left = n - i * V::size;
      v[i] = kLargest;
      if (left >= V::size) v[i] = V::load(x + i * V::size);
      else if (left > 0)
        v[i] = select(first_lanes<K>(left), V::load(x + i * V::size, left), kLargest);
    }
  }
  template <int count>
  static void store(const V* v, K* x, int n) {
    for (int i = 0; i < count; ++i) {
      const int left = n - i * V::size;
      if (left >= V::size) v[i].store(x + i * V::size);
      else if (left > 0) v[i].store(x + i * V::size, left);
    }
  }

  template <int count>
  static void sort_short(K* x, int n) {
    V v[count];
    load<count>(v, x, n);
    ColumnSort<K, count>::sort(v);
    store<count>(v, x, n);
  }

  static void sort_blocks(K* x, int n) {
    V v[kBlocks][kCount];
    const int blocks = (n + kBlock - 1) / kBlock;
    for (int i = 0; i < blocks; ++i) {
      V block[kCount];
      load<kCount>(block, x + i * kBlock, n - i * kBlock);
      Network::sort_as_columns(block);
      for (int k = 0; k < kCount; ++k) v[i][k] = block[k];
    }
    for (int run = 2; run < 2 * blocks; run *= 2) {
      for (int first = 0; first < blocks; first += run)
        for (int i = first, j = first + run - 1; i < j; ++i, --j)
          if (j < blocks) order_mirrored(v[i], v[j]);
      for (int distance = run / 4; distance > 0; distance /= 2)
        for (int i = 0; i < blocks; ++i)
          if (!(i & distance) && i + distance < blocks)
            for (int k = 0; k < kCount; ++k) put_in_order(v[i][k], v[i + distance][k]);
      for (int i = 0; i < blocks; ++i) {
        V block[kCount];
        for (int k = 0; k < kCount; ++k) block[k] = v[i][k];
        Network::merge_as_columns(block);
        if (run >= blocks) {
          Network::interleave(block);
          store<kCount>(block, x + i * kBlock, n - i * kBlock);
          continue;
        }
        for (int k = 0; k < kCount; ++k) v[i][k] = block[k];
      }
    }
  }

  // Each element of a with its mirror image in b, whose lanes come out backwards.
  static void order_mirrored(V* a, V* b) {
    for (int k = 0; k < kCount; ++k) {
      const V x = a[k], y = exchange<V::size - 1>(b[kCount - 1 - k]);
      a[k] = min(x, y);
      b[kCount - 1 - k] = max(x, y);
    }
  }
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
