// The micro-kernel of every matrix product: a tile of C, at most kTileRows x (kTileVectors
// registers), stays in registers while k runs.
#pragma once

#include "cpu/simd/vec.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// As many accumulators as the register file holds beside one row of B and one element of A.
#if defined(PYDL_ISA_avx512)
constexpr int kTileRows = 14, kTileVectors = 2;
#elif defined(PYDL_ISA_avx2)
constexpr int kTileRows = 6, kTileVectors = 2;
#elif defined(PYDL_ISA_neon)
constexpr int kTileRows = 8, kTileVectors = 3;
#else
constexpr int kTileRows = 5, kTileVectors = 2;
#endif
template <class T>
constexpr int kTileColumns = kTileVectors * Vec<T>::size;

// Where an operand's element (i, l) or (l, j) lies: A at data[i * row + l * step], B at
// data[l * step + j].
template <class T>
struct TileInput {
  const T* data;
  int64_t row, step;
};

template <class T>
struct TileOutput {
  T* data;
  int64_t row;
  int columns;      // fewer than a full tile at the right edge of C
  bool accumulate;  // add to what is there
};

// An unknown value to the optimiser, which would otherwise keep a pointer for each row of A and
// spill them.
template <class P>
inline void hide(P& pointer) {
  __asm__("" : "+r"(pointer));
}

constexpr int kCacheLine = 64;

template <class T, int rows, int vectors>
void multiply_tile(int64_t k, TileInput<T> a, TileInput<T> b, int64_t prefetch, TileOutput<T> c) {
  constexpr int kGroup = 3, kGroups = (rows + kGroup - 1) / kGroup;
  constexpr int kSize = Vec<T>::size;
  const T* group[kGroups];
#pragma GCC unroll 16
  for (int g = 0; g < kGroups; ++g) group[g] = a.data + g * kGroup * a.row;
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 4
    for (int bytes = 0; bytes < vectors * isa::kVectorBytes; bytes += kCacheLine) {
      __builtin_prefetch(reinterpret_cast<const char*>(c.data + i * c.row) + bytes, 1);
    }
  }

  Vec<T> sum[rows][vectors];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j) sum[i][j] = Vec<T>(T(0));
  }
  const T* row = b.data;
  for (; k > 0; --k) {
    Vec<T> bs[vectors];
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j) bs[j] = Vec<T>::load(row + j * kSize);
#pragma GCC unroll 4
    for (int bytes = 0; bytes < vectors * isa::kVectorBytes; bytes += kCacheLine) {
      __builtin_prefetch(reinterpret_cast<const char*>(row + prefetch) + bytes);
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const Vec<T> x(group[i / kGroup][i % kGroup * a.row]);
#pragma GCC unroll 4
      for (int j = 0; j < vectors; ++j) sum[i][j] = fma(x, bs[j], sum[i][j]);
    }
#pragma GCC unroll 16
    for (int g = 0; g < kGroups; ++g) {
      group[g] += a.step;
      hide(group[g]);
    }
    row += b.step;
  }

  const int tail = c.columns - (vectors - 1) * kSize;
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
    T* out = c.data + i * c.row;
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j, out += kSize) {
      const bool full = j + 1 < vectors || tail == kSize;
      Vec<T> value = sum[i][j];
      if (c.accumulate) value += full ? Vec<T>::load(out) : Vec<T>::load(out, tail);
      full ? value.store(out) : value.store(out, tail);
    }
  }
}

template <class T>
using Tile = void (*)(int64_t k, TileInput<T> a, TileInput<T> b, int64_t prefetch, TileOutput<T> c);

template <class T, int rows>
inline Tile<T> tile_of_width(int vectors) {
  if (vectors == 1) return multiply_tile<T, rows, 1>;
  if (kTileVectors == 2 || vectors == 2) return multiply_tile<T, rows, 2>;
  return multiply_tile<T, rows, kTileVectors>;
}
template <class T, int rows = kTileRows>
inline Tile<T> find_tile(int row_count, int vectors) {
  if constexpr (rows == 1) {
    return tile_of_width<T, 1>(vectors);
  } else {
    return row_count == rows ? tile_of_width<T, rows>(vectors)
                             : find_tile<T, rows - 1>(row_count, vectors);
  }
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
