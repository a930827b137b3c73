// Two-dimensional transposes in tiles that live in registers.
#pragma once

#include "cpu/simd/vec.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// Tiles of 1- and 2-byte elements use 16-byte rows: a whole register of rows would be too many.
template <class T>
struct Tile {
  static constexpr int bytes = sizeof(T) >= 4 ? isa::kVectorBytes : 16;
  static constexpr int size = bytes / sizeof(T);
  typedef T Row __attribute__((vector_size(bytes)));
};

template <class T, int step, bool second>
struct MixIndex {
  T lanes[Tile<T>::size];
  constexpr MixIndex() : lanes() {
    constexpr int size = Tile<T>::size;
    for (int k = 0; k < size; ++k) {
      const int from_a = second ? k + step : k, from_b = size + (second ? k : k - step);
      lanes[k] = static_cast<T>((k & step) ? from_b : from_a);
    }
  }
};

// Exchanges blocks of `step` lanes between rows `step` apart: done for every power of two, that
// transposes the whole tile.
template <class T, int step>
inline void mix(typename Tile<T>::Row* rows) {
  if constexpr (step > 0) {
    static constexpr MixIndex<T, step, false> first_index;
    static constexpr MixIndex<T, step, true> second_index;
    typename Tile<T>::Row first, second;
    memcpy(&first, first_index.lanes, sizeof first);
    memcpy(&second, second_index.lanes, sizeof second);
#pragma GCC unroll 16
    for (int i = 0; i < Tile<T>::size; ++i) {
      if (i & step) continue;
      const auto a = rows[i], b = rows[i + step];
      rows[i] = __builtin_shuffle(a, b, first);
      rows[i + step] = __builtin_shuffle(a, b, second);
    }
    mix<T, step / 2>(rows);
  }
}

template <class T>
inline void transpose_tile(const T* x, int64_t x_stride, T* out, int64_t out_stride) {
  constexpr int size = Tile<T>::size;
  typename Tile<T>::Row rows[size];
  // The tile below, whose rows are too far apart for prefetching by itself.
  const T* below = x + size * x_stride;
#pragma GCC unroll 16
  for (int i = 0; i < size; ++i) {
    memcpy(&rows[i], x + i * x_stride, sizeof rows[i]);
    __builtin_prefetch(below + i * x_stride);
    __builtin_prefetch(out + i * out_stride + size, 1);
  }
  mix<T, size / 2>(rows);
#pragma GCC unroll 16
  for (int i = 0; i < size; ++i) memcpy(out + i * out_stride, &rows[i], sizeof rows[i]);
}

// out[i, j] = x[j, i] for i < rows and j < columns. The tiles of one set of columns come together,
// so that x is read in runs of `rows` elements.
template <class T>
inline void transpose(const T* x, int64_t x_stride, T* out, int64_t out_stride, int64_t rows,
                      int64_t columns) {
  constexpr int size = Tile<T>::size;
  const int64_t tiled_rows = rows - rows % size;
  int64_t j = 0;
  for (; j + size <= columns; j += size) {
    const T* x_rows = x + j * x_stride;
    for (int64_t i = 0; i < tiled_rows; i += size) {
      transpose_tile(x_rows + i, x_stride, out + i * out_stride + j, out_stride);
    }
    for (int64_t i = tiled_rows; i < rows; ++i) {
      for (int k = 0; k < size; ++k) out[i * out_stride + j + k] = x_rows[k * x_stride + i];
    }
  }
  for (; j < columns; ++j) {
    for (int64_t i = 0; i < rows; ++i) out[i * out_stride + j] = x[j * x_stride + i];
  }
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
