// Copies of operand blocks in the order in which tiles read them, converted to the type that is
// computed in.
#pragma once

#include "cpu/gemm/tile.h"
#include "cpu/simd/half.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// Whole registers hold n values of T; what is past them in the last one is 0.
template <class T>
inline int64_t padded(int64_t n) {
  return (n + Vec<T>::size - 1) / Vec<T>::size * Vec<T>::size;
}

// Calls body(j) for each whole register of [0, n), then body(j, count) for what is left.
template <class T, class Body>
inline void for_registers(int64_t n, Body&& body) {
  int64_t j = 0;
  for (; j + Vec<T>::size <= n; j += Vec<T>::size) body(j);
  if (j < n) body(j, static_cast<int>(n - j));
}

// dst has room for padded(n) values.
template <class S>
inline void copy_row(const S* src, int64_t n, Compute<S>* dst) {
  for_registers<Compute<S>>(
      n, [&](int64_t i, auto... count) { load(src + i, count...).store(dst + i); });
}

template <class S>
inline void copy_rows(const S* src, int64_t src_row, int64_t rows, int64_t n, Compute<S>* dst,
                      int64_t dst_row) {
  for (int64_t i = 0; i < rows; ++i) copy_row(src + i * src_row, n, dst + i * dst_row);
}

// Lane masks that exchange the off-diagonal blocks of size `step` between two rows.
template <class T, int step>
struct ExchangeBlocks {
  IntLike<T> low[Vec<T>::size], high[Vec<T>::size];
  constexpr ExchangeBlocks() : low(), high() {
    for (int i = 0; i < Vec<T>::size; ++i) {
      const int from = i & step ? Vec<T>::size + i - step : i;
      low[i] = static_cast<IntLike<T>>(from);
      high[i] = static_cast<IntLike<T>>(from + step);
    }
  }
};

template <int step, class T>
inline void transpose_blocks(Vec<T>* rows) {
  if constexpr (step < Vec<T>::size) {
    static constexpr ExchangeBlocks<T, step> lanes;
    const auto low = Vec<IntLike<T>>::load(lanes.low).v, high = Vec<IntLike<T>>::load(lanes.high).v;
#pragma GCC unroll 16
    for (int i = 0; i < Vec<T>::size; ++i) {
      if (i & step) continue;
      const Vec<T> a = rows[i], b = rows[i + step];
      rows[i] = __builtin_shuffle(a.v, b.v, low);
      rows[i + step] = __builtin_shuffle(a.v, b.v, high);
    }
    transpose_blocks<step * 2>(rows);
  }
}

// dst[j * dst_row + i] = src[i * src_row + j] for i < rows, j < columns, where rows is at most one
// register; the rest of that register is 0.
template <class S>
inline void transpose_rows(const S* src, int64_t src_row, int rows, int64_t columns,
                           Compute<S>* dst, int64_t dst_row) {
  using T = Compute<S>;
  constexpr int kSize = Vec<T>::size;
  for (int64_t j = 0; j < columns; j += kSize, src += kSize, dst += kSize * dst_row) {
    const int count = static_cast<int>(columns - j < kSize ? columns - j : kSize);
    Vec<T> block[kSize];
#pragma GCC unroll 16
    for (int i = 0; i < kSize; ++i) {
      block[i] = i >= rows        ? Vec<T>(T(0))
                 : count == kSize ? load(src + i * src_row)
                                  : load(src + i * src_row, count);
    }
    transpose_blocks<1>(block);
#pragma GCC unroll 16
    for (int i = 0; i < kSize; ++i) {
      if (i < count) block[i].store(dst + i * dst_row);
    }
  }
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
