// Micro-kernels of matrix products with instructions that multiply four bytes of k at a time, a group:
// two bfloat16 with float32 sums or four int8 with int32 sums. AMX keeps a tile of 32 x 32 sums in its
// tile registers, AVX-512 one of 14 x 32 in vectors. AMX and AVX512-BF16 flush denormals to zero.
#pragma once

#include "cpu/simd/half.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int kStepBytes = 64;                              // of k: a row of an AMX tile
constexpr int kStepGroups = 16, kPanelColumns = 16;         // of k and of C in an AMX tile of B
constexpr int kStepPanelBytes = kStepGroups * kStepBytes;
constexpr int kVectorTileRows = 14, kAmxTileRows = 32;      // of C, at most

template <class S>
using DotSum = std::conditional_t<std::is_same_v<S, BFloat16>, float, int32_t>;
template <class S>
constexpr int kStep = kStepBytes / static_cast<int>(sizeof(S));  // values of k

// What AMX brings to the L2 cache with each step of k: `lines` of them, `row` bytes apart, and at the
// next step those `step` bytes on.
struct DotAhead {
  const char* data = nullptr;
  int64_t row = 0, step = 0;
  int lines = 0;
};

// Rows of A times one or two panels of B. A panel holds, for every group of k, that group of 16 columns.
template <class S>
struct DotTile {
  int rows, panels;
  int64_t steps;       // whole steps of k
  int tail_groups;     // of k after them
  const char* a;       // whole steps: rows that are a_row bytes apart
  int64_t a_row;
  const char* a_tail;  // rows of kStepBytes, zero where k has ended
  const char* b;
  int64_t panel;       // bytes from one panel to the next
  DotSum<S>* c;
  int64_t c_row;
  bool accumulate;       // add to c
  const int32_t* start;  // what to add to the sums of each row besides
  DotAhead ahead;
};

template <class S>
using DotMicroKernel = void (*)(const DotTile<S>& tile);

// `vnni` alone runs on CPUs without BF16: the instructions of each type are its own.
#define PYDL_VECTOR_DOTS __attribute__((target("avx512vnni,avx512bf16")))
#define PYDL_AMX __attribute__((target("amx-tile,amx-int8,amx-bf16")))

template <class S, int rows, int panels>
PYDL_VECTOR_DOTS void multiply_dot_vectors(const DotTile<S>& tile) {
  constexpr int kTogether = 3, kPointers = (rows + kTogether - 1) / kTogether;
  __m512i sum[rows][panels];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < panels; ++j) {
      const DotSum<S>* c = tile.c + i * tile.c_row + j * kPanelColumns;
      sum[i][j] = tile.accumulate ? _mm512_loadu_si512(c) : _mm512_setzero_si512();
      if (tile.start) sum[i][j] = _mm512_add_epi32(sum[i][j], _mm512_set1_epi32(tile.start[i]));
    }
  }
  const char* b = tile.b;
  for (int part = 0; part < 2; ++part) {
    const int64_t a_row = part ? kStepBytes : tile.a_row;
    int64_t groups = part ? tile.tail_groups : tile.steps * kStepGroups;
    const char* a[kPointers];
#pragma GCC unroll 16
    for (int p = 0; p < kPointers; ++p) {
      a[p] = (part ? tile.a_tail : tile.a) + p * kTogether * a_row;
      __asm__("" : "+r"(a[p]));
    }
    for (; groups > 0; --groups, b += kStepBytes) {
      __m512i y[panels];
#pragma GCC unroll 2
      for (int j = 0; j < panels; ++j) y[j] = _mm512_loadu_si512(b + j * tile.panel);
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i) {
        int32_t group;
        memcpy(&group, a[i / kTogether] + i % kTogether * a_row, sizeof group);
        const __m512i x = _mm512_set1_epi32(group);
#pragma GCC unroll 2
        for (int j = 0; j < panels; ++j) {
          if constexpr (std::is_same_v<S, BFloat16>) {
            sum[i][j] = (__m512i)_mm512_dpbf16_ps((__m512)sum[i][j], (__m512bh)x, (__m512bh)y[j]);
          } else {
            sum[i][j] = _mm512_dpbusd_epi32(sum[i][j], y[j], x);
          }
        }
      }
#pragma GCC unroll 16
      for (int p = 0; p < kPointers; ++p) {
        a[p] += sizeof(int32_t);
        __asm__("" : "+r"(a[p]));
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < panels; ++j) {
      _mm512_storeu_si512(tile.c + i * tile.c_row + j * kPanelColumns, sum[i][j]);
    }
  }
}

template <class S, int rows = kVectorTileRows>
inline DotMicroKernel<S> find_dot_vectors(int row_count, int panels) {
  if constexpr (rows > 1) {
    if (row_count < rows) return find_dot_vectors<S, rows - 1>(row_count, panels);
  }
  return panels == 1 ? multiply_dot_vectors<S, rows, 1> : multiply_dot_vectors<S, rows, 2>;
}

// Tile registers: 0 to 3 the sums, 4 and 5 rows of A, 6 and 7 panels of B.
#define PYDL_TILE_DOT(sums, x, y)                 \
  if constexpr (std::is_same_v<S, BFloat16>) {    \
    _tile_dpbf16ps(sums, x, y);                   \
  } else {                                        \
    _tile_dpbssd(sums, x, y);                     \
  }

template <class S, bool two_rows, bool two_panels>
PYDL_AMX void multiply_amx_tile(const DotTile<S>& tile) {
  __asm__ volatile("" ::: "memory");  // the compiler does not know that tiles are read from memory
  const int64_t c_row = tile.c_row * static_cast<int64_t>(sizeof(DotSum<S>));
  DotSum<S>*const c0 = tile.c, *const c2 = tile.c + 16 * tile.c_row;
  if (tile.accumulate) {
    _tile_loadd(0, c0, c_row);
    if constexpr (two_panels) _tile_loadd(1, c0 + kPanelColumns, c_row);
    if constexpr (two_rows) _tile_loadd(2, c2, c_row);
    if constexpr (two_rows && two_panels) _tile_loadd(3, c2 + kPanelColumns, c_row);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  const char* a = tile.a;
  const char* b = tile.b;
  int64_t a_row = tile.a_row;
  int64_t left = tile.steps;
  bool tail = tile.tail_groups > 0;
  const char* ahead = tile.ahead.data;
  while (true) {
    if (left == 0) {
      if (!tail) break;
      a = tile.a_tail, a_row = kStepBytes, left = 1, tail = false;
    }
    do {
      _tile_stream_loadd(6, b, kStepBytes);  // leaves A in the first cache
      _tile_loadd(4, a, a_row);
      for (int i = 0; i < tile.ahead.lines; ++i) {
        __builtin_prefetch(ahead + i * tile.ahead.row, 0, 2);
      }
      ahead += tile.ahead.step;
      PYDL_TILE_DOT(0, 4, 6);
      if constexpr (two_panels) {
        _tile_stream_loadd(7, b + tile.panel, kStepBytes);
        PYDL_TILE_DOT(1, 4, 7);
      }
      if constexpr (two_rows) {
        _tile_loadd(5, a + 16 * a_row, a_row);
        PYDL_TILE_DOT(2, 5, 6);
        if constexpr (two_panels) {
          PYDL_TILE_DOT(3, 5, 7);
        }
      }
      a += kStepBytes;
      b += kStepPanelBytes;
    } while (--left > 0);
  }
  _tile_stored(0, c0, c_row);
  if constexpr (two_panels) _tile_stored(1, c0 + kPanelColumns, c_row);
  if constexpr (two_rows) _tile_stored(2, c2, c_row);
  if constexpr (two_rows && two_panels) _tile_stored(3, c2 + kPanelColumns, c_row);
}

template <class S>
inline DotMicroKernel<S> find_amx_tile(int row_count, int panels) {
  if (row_count > 16) {
    return panels == 1 ? multiply_amx_tile<S, true, false> : multiply_amx_tile<S, true, true>;
  }
  return panels == 1 ? multiply_amx_tile<S, false, false> : multiply_amx_tile<S, false, true>;
}

// Sets the shapes of the tile registers for `rows` rows of A.
PYDL_AMX inline void configure_amx(int rows) {
  alignas(64) struct {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {};
    uint8_t rows[16] = {};
  } shapes;
  const int top = rows < 16 ? rows : 16, bottom = rows > 16 ? rows - 16 : 16;
  const int heights[8] = {top, top, bottom, bottom, top, bottom, 16, 16};
  for (int i = 0; i < 8; ++i) {
    shapes.row_bytes[i] = kStepBytes;
    shapes.rows[i] = static_cast<uint8_t>(heights[i]);
  }
  __asm__ volatile("" : : "r"(&shapes) : "memory");
  _tile_loadconfig(&shapes);
}
PYDL_AMX inline void release_amx() { _tile_release(); }

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
