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
constexpr int kTileRows = 4, kTileVectors = 2;
#endif
template <class T>
constexpr int kTileColumns = kTileVectors * Vec<T>::size;

constexpr int64_t kWholeDepth = INT64_MAX;

// Memory that will be read soon: each step along k asks for the cache line of the next address, so
// that lines arrive while tiles are multiplied, never many at once.
struct Ahead {
  const void* data;
  int64_t step = 0, jump = 0;  // in bytes: from one step to the next, and after each run
  int64_t run = kWholeDepth;
};

// Element (i, l) of A is data[i * row + l * step], and `jump` further for every `run` values of l
// that came before: an image is read like that, row by row. Only one of A and what is ahead has runs.
template <class T>
struct TileRows {
  const T* data;
  int64_t row, step;
  int64_t run = kWholeDepth, jump = 0;
  Ahead ahead = {data};
};

// Element (l, j) of B is data[l * step + j].
template <class T>
struct TilePanel {
  const T* data;
  int64_t step;
};

template <class T>
struct TileOutput {
  T* data;
  int64_t row;
  int columns = 0;          // fewer than a full tile at the right edge of C
  bool accumulate = false;  // add to what is there
};

// A pointer that the optimiser knows nothing about; otherwise it keeps one for each row of A or C,
// and spills them.
template <class P>
inline P hidden(P pointer) {
  __asm__("" : "+r"(pointer));
  return pointer;
}

constexpr int kCacheLine = 64;
constexpr int kRowsAhead = 8;  // of B: the second-level cache answers by then

template <class T, int rows, int vectors>
void multiply_tile(int64_t k, const TileRows<T>& a, const TilePanel<T>& b, const TileOutput<T>& c) {
  constexpr int kGroup = 3, kGroups = (rows + kGroup - 1) / kGroup;
  constexpr int kSize = Vec<T>::size;
  const T* group[kGroups];
#pragma GCC unroll 16
  for (int g = 0; g < kGroups; ++g) group[g] = hidden(g ? group[g - 1] + kGroup * a.row : a.data);
  const T* result = c.data;
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i, result = hidden(result + c.row)) {
#pragma GCC unroll 4
    for (int bytes = 0; bytes < vectors * isa::kVectorBytes; bytes += kCacheLine) {
      __builtin_prefetch(reinterpret_cast<const char*>(result) + bytes, 1);
    }
  }

  Vec<T> sum[rows][vectors];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j) sum[i][j] = Vec<T>(T(0));
  }
  const T* row = b.data;
  const char* ahead = static_cast<const char*>(a.ahead.data);
  const int64_t run = a.run < a.ahead.run ? a.run : a.ahead.run;
  while (k > 0) {
    int64_t left = k < run ? k : run;
    k -= left;
    do {
      Vec<T> bs[vectors];
#pragma GCC unroll 4
      for (int j = 0; j < vectors; ++j) bs[j] = Vec<T>::load(row + j * kSize);
#pragma GCC unroll 4
      for (int bytes = 0; bytes < vectors * isa::kVectorBytes; bytes += kCacheLine) {
        __builtin_prefetch(reinterpret_cast<const char*>(row + kRowsAhead * b.step) + bytes);
      }
      __builtin_prefetch(ahead, 0, 2);
      ahead = hidden(ahead + a.ahead.step);
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i) {
        const Vec<T> x(group[i / kGroup][i % kGroup * a.row]);
#pragma GCC unroll 4
        for (int j = 0; j < vectors; ++j) sum[i][j] = fma(x, bs[j], sum[i][j]);
      }
#pragma GCC unroll 16
      for (int g = 0; g < kGroups; ++g) group[g] = hidden(group[g] + a.step);
      row = hidden(row + b.step);
    } while (--left > 0);
#pragma GCC unroll 16
    for (int g = 0; g < kGroups; ++g) group[g] = hidden(group[g] + a.jump);
    ahead += a.ahead.jump;
  }

  const int tail = c.columns - (vectors - 1) * kSize;
  const auto store = [&](auto add, auto... count) {
    T* out = c.data;
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i, out = hidden(out + c.row)) {
#pragma GCC unroll 4
      for (int j = 0; j + 1 < vectors; ++j) {
        if (add.value) sum[i][j] += Vec<T>::load(out + j * kSize);
        sum[i][j].store(out + j * kSize);
      }
      constexpr int j = vectors - 1;
      if (add.value) sum[i][j] += Vec<T>::load(out + j * kSize, count...);
      sum[i][j].store(out + j * kSize, count...);
    }
  };
  if (tail == kSize) {
    c.accumulate ? store(std::true_type{}) : store(std::false_type{});
  } else {
    c.accumulate ? store(std::true_type{}, tail) : store(std::false_type{}, tail);
  }
}

template <class T>
using Tile = void (*)(int64_t k, const TileRows<T>& a, const TilePanel<T>& b,
                      const TileOutput<T>& c);

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
