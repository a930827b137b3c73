// float32 products in tile registers (AMX), which multiply bfloat16 only. A float is exactly the
// sum of three bfloat16, its parts. Of the nine products of parts the six largest are added, in
// float32: the others are below 2^-24 of the whole. Errors are smaller than those of fused
// multiply-adds, half of them where k is 128.
#pragma once

#include "cpu/gemm/blocked.h"
#include "cpu/gemm/dot_unit.h"
#ifdef PYDL_ISA_avx512
#include "cpu/gemm/dot_tile.h"
#endif

namespace pydl::cpu::PYDL_ISA {
namespace {

#ifdef PYDL_ISA_avx512

constexpr int kParts = 3;
constexpr int kRegisterRows = 16;
constexpr int64_t kSplitSide = 2 * kRegisterRows;  // rows of a strip, columns of a panel
constexpr int64_t kSplitDepth = 32;                // of k in a register
constexpr int64_t kRegisterBytes = 64 * kRegisterRows;
constexpr int64_t kRegisterPairs = 16 * kRegisterRows;
constexpr int64_t kChunkPairs = kParts * 2 * kRegisterPairs;  // of kSplitDepth of a strip or panel
constexpr uint16_t kSplitLimit = 0x7f00;  // the upper half of 2^127: larger floats have no parts

using Pairs = uint32_t;  // two bfloat16, those of k = l and k = l + 16

// The calling thread's tile registers, each of 16 rows of 64 bytes, until the end of the scope.
class TileRegisters {
 public:
  explicit TileRegisters(bool used) : used_(used) {
    if (used) configure_amx(kSplitSide);
  }
  ~TileRegisters() {
    if (used_) release_amx();
  }
  TileRegisters(const TileRegisters&) = delete;
  TileRegisters& operator=(const TileRegisters&) = delete;

 private:
  bool used_;
};

// Splits floats and watches for those that have no parts: infinity and what rounds to it.
class Splitter {
 public:
  // Stores the parts of a and b as pairs, kChunkPairs / kParts from part to part.
  void split(Vec<float> a, Vec<float> b, Pairs* to) {
    const Vec<Pairs> first = pair_of(a, b);
    const Vec<Pairs> magnitude = first & Vec<Pairs>(0x7fff7fff);
    largest_ = (Vec<uint16_t>::Raw)_mm512_max_epu16((__m512i)largest_.v, (__m512i)magnitude.v);
    first.store(to);
    pair_of(a, b).store(to + 2 * kRegisterPairs);
    join(bit_cast<Pairs>(a) >> 16, bit_cast<Pairs>(b)).store(to + 4 * kRegisterPairs);
  }
  // The same of parts cut off instead of rounded, in less time: enough for one of two operands, as
  // what products leave out is then positive or negative by turns. NaN stays NaN.
  static void cut(Vec<float> a, Vec<float> b, Pairs* to) {
    for (int part = 0; part < kParts; ++part, to += 2 * kRegisterPairs) {
      const Vec<Pairs> high_a = bit_cast<Pairs>(a) & Vec<Pairs>(0xffff0000);
      const Vec<Pairs> high_b = bit_cast<Pairs>(b) & Vec<Pairs>(0xffff0000);
      join(bit_cast<Pairs>(a) >> 16, high_b).store(to);
      a -= bit_cast<float>(high_a);
      b -= bit_cast<float>(high_b);
    }
  }
  // The same of a square: x[i] are halves of rows i and i + 16 of a strip, or of k in a panel.
  static void cut_square(Vec<float> (&x)[2][2], Pairs* strip, Pairs* panel) {
    for (int part = 0; part < kParts; ++part) {
      const auto bits = [&](int i, int j) { return bit_cast<Pairs>(x[i][j]); };
      join(bits(0, 0) >> 16, bits(0, 1)).store(strip);
      join(bits(1, 0) >> 16, bits(1, 1)).store(strip + kRegisterPairs);
      join(bits(0, 0) >> 16, bits(1, 0)).store(panel);
      join(bits(0, 1) >> 16, bits(1, 1)).store(panel + kRegisterPairs);
      for (auto& row : x) {
        for (Vec<float>& v : row) v -= bit_cast<float>(bit_cast<Pairs>(v) & Vec<Pairs>(0xffff0000));
      }
      strip += 2 * kRegisterPairs;
      panel += 2 * kRegisterPairs;
    }
  }
  bool all_have_parts() const {
    uint16_t lanes[Vec<uint16_t>::size], largest = 0;
    largest_.store(lanes);
    for (uint16_t lane : lanes) largest = lane > largest ? lane : largest;
    return largest < kSplitLimit;
  }

 private:
  // The upper halves of a and b, rounded, and what is left of them.
  static Vec<Pairs> pair_of(Vec<float>& a, Vec<float>& b) {
    const Vec<Pairs> sum_a = bit_cast<Pairs>(a) + Vec<Pairs>(0x8000);
    const Vec<Pairs> sum_b = bit_cast<Pairs>(b) + Vec<Pairs>(0x8000);
    const Vec<Pairs> high_a = sum_a & Vec<Pairs>(0xffff0000);
    const Vec<Pairs> high_b = sum_b & Vec<Pairs>(0xffff0000);
    a -= bit_cast<float>(high_a);
    b -= bit_cast<float>(high_b);
    return join(sum_a >> 16, sum_b);
  }
  // low | high & 0xffff0000
  static Vec<Pairs> join(Vec<Pairs> low, Vec<Pairs> high) {
    const __m512i mask = _mm512_set1_epi32(static_cast<int>(0xffff0000));
    return (Vec<Pairs>::Raw)_mm512_ternarylogic_epi32((__m512i)low.v, (__m512i)high.v, mask, 0xf8);
  }

  Vec<uint16_t> largest_ = 0;
};

struct Square {
  const float* data;
  int64_t row;
};
// `height` x 32 elements of a matrix, (i, j) at data[i * row + j * column], one of the two being 1:
// where they are, or in `buffer`, with zeros where there are fewer.
inline Square square_of(const float* data, int64_t row, int64_t column, int height, int64_t rows,
                        int64_t columns, float* buffer) {
  if (column == 1 && rows >= height && columns >= kSplitSide) return {data, row};
  rows = smaller(rows, kSplitSide);
  columns = smaller(columns, kSplitSide);
  if (rows < kSplitSide || columns < kSplitSide) {
    memset(buffer, 0, kSplitSide * kSplitSide * sizeof(float));
  }
  if (column == 1) {
    copy_rows(data, row, rows, columns, buffer, kSplitSide);
  } else {
    for (int64_t j = 0; j < columns; j += Vec<float>::size) {
      const int count = static_cast<int>(smaller(Vec<float>::size, columns - j));
      transpose_rows(data + j * column, column, count, rows, buffer + j, kSplitSide);
    }
  }
  return {buffer, kSplitSide};
}

// A strip of A: `rows` rows, at most 32, and all of k. Row i of a register is row i of A.
inline void split_strip(const float* a, int64_t row, int64_t column, int64_t rows, int64_t k,
                        Splitter& of_all, Pairs* to) {
  alignas(64) float buffer[kSplitSide * kSplitSide];
  Splitter splitter = of_all;  // in a register: another's would be written and read again each time
  const int height = rows <= kRegisterRows ? kRegisterRows : kSplitSide;
  for (int64_t l = 0; l < k; l += kSplitDepth, to += kChunkPairs) {
    const Square from = square_of(a + l * column, row, column, height, rows, k - l, buffer);
    for (int i = 0; i < height; ++i) {
      const float* x = from.data + i * from.row;
      splitter.split(Vec<float>::load(x), Vec<float>::load(x + 16), to + i * 16);
    }
  }
  of_all = splitter;
}

// Panels of B, one every `size` pairs: all of k and `columns` columns. Row l of a register holds l
// and l + 16. Panels take turns, so that rows are read along their length.
inline void split_panels(const float* b, int64_t row, int64_t column, int64_t k, int64_t columns,
                         int64_t size, Splitter& of_all, Pairs* to) {
  alignas(64) float buffer[kSplitSide * kSplitSide];
  Splitter splitter = of_all;
  for (int64_t l = 0; l < k; l += kSplitDepth, to += kChunkPairs) {
    Pairs* chunk = to;
    for (int64_t j = 0; j < columns; j += kSplitSide, chunk += size) {
      const Square from =
          square_of(b + l * row + j * column, row, column, kSplitSide, k - l, columns - j, buffer);
      for (int i = 0; i < kRegisterRows; ++i) {
        const float *x = from.data + i * from.row, *y = x + kRegisterRows * from.row;
        splitter.split(Vec<float>::load(x), Vec<float>::load(y), chunk + i * 16);
        splitter.split(Vec<float>::load(x + 16), Vec<float>::load(y + 16),
                       chunk + kRegisterPairs + i * 16);
      }
    }
  }
  of_all = splitter;
}

// A register of the next chunk of B, from the second-level cache.
inline void prefetch_register(const Pairs* next) {
#pragma GCC unroll 16
  for (int i = 0; i < kRegisterRows; ++i) __builtin_prefetch(next + i * 16);
}

// While tile registers multiply, vectors are free. What they are to do meanwhile is a function that
// is called kMeanwhileCalls times a chunk; this one brings what comes next, a panel from beyond that
// cache: so many lines of it at each call.
constexpr int64_t kMeanwhileCalls = 6;
struct PairsAhead {
  const Pairs* data = nullptr;
  int64_t lines = 0;

  void operator()() {
    constexpr int64_t kLine = 64 / sizeof(Pairs);
    for (int64_t i = 0; i < lines; ++i, data += kLine) __builtin_prefetch(data, 0, 2);
  }
};

#define PYDL_LOAD(tile, from, part, half) \
  _tile_loadd(tile, (from) + (part * 2 + half) * kRegisterPairs, 64)

// Both add up in the same order, so that an element does not depend on how many rows there are.
// `idle` gets what nobody reads: a register stored after some 130 products without any store takes
// 230 ns on Granite Rapids, and so would those of the sums.
#define PYDL_MULTIPLY_PARTS() \
  PYDL_LOAD_A(0);             \
  _tile_stored(4, idle, 64);  \
  PYDL_LOAD_B(2);             \
  PYDL_MULTIPLY(0);           \
  PYDL_LOAD_B(1);             \
  PYDL_MULTIPLY(1);           \
  PYDL_LOAD_A(1);             \
  PYDL_MULTIPLY(2);           \
  PYDL_LOAD_B(0);             \
  PYDL_MULTIPLY(3);           \
  PYDL_LOAD_A(2);             \
  PYDL_MULTIPLY(4);           \
  PYDL_LOAD_A(0);             \
  PYDL_MULTIPLY(5)
#define PYDL_LOAD_B(part)   \
  PYDL_LOAD(6, b, part, 0); \
  PYDL_LOAD(7, b, part, 1)

// One register of rows by two of columns.
template <class Meanwhile>
PYDL_AMX inline void multiply_half_strip(int64_t chunks, const Pairs* a, const Pairs* b,
                                         Meanwhile& meanwhile) {
  alignas(64) Pairs idle[kRegisterPairs];
#define PYDL_LOAD_A(part) PYDL_LOAD(4, a, part, 0)
#define PYDL_MULTIPLY(i)                                        \
  prefetch_register(b + kChunkPairs + i * kRegisterPairs);      \
  meanwhile();                                                  \
  _tile_dpbf16ps(0, 4, 6);                                      \
  _tile_dpbf16ps(1, 4, 7)
  for (; chunks > 0; --chunks, a += kChunkPairs, b += kChunkPairs) {
    PYDL_MULTIPLY_PARTS();
  }
#undef PYDL_LOAD_A
#undef PYDL_MULTIPLY
}

// Two by two: each register that is loaded serves at least twice.
template <class Meanwhile>
PYDL_AMX inline void multiply_whole_strip(int64_t chunks, const Pairs* a, const Pairs* b,
                                          Meanwhile& meanwhile) {
  alignas(64) Pairs idle[kRegisterPairs];
#define PYDL_LOAD_A(part)   \
  PYDL_LOAD(4, a, part, 0); \
  PYDL_LOAD(5, a, part, 1)
#define PYDL_MULTIPLY(i)                                   \
  prefetch_register(b + kChunkPairs + i * kRegisterPairs); \
  meanwhile();                                             \
  _tile_dpbf16ps(0, 4, 6);                                 \
  _tile_dpbf16ps(1, 4, 7);                                 \
  _tile_dpbf16ps(2, 5, 6);                                 \
  _tile_dpbf16ps(3, 5, 7)
  for (; chunks > 0; --chunks, a += kChunkPairs, b += kChunkPairs) {
    PYDL_MULTIPLY_PARTS();
  }
#undef PYDL_LOAD_A
#undef PYDL_MULTIPLY
}
#undef PYDL_MULTIPLY_PARTS
#undef PYDL_LOAD_B
#undef PYDL_LOAD

// Sums in tile registers start at 0,
PYDL_AMX inline void clear_registers() {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}
// products are added,
template <class Meanwhile>
PYDL_AMX inline void multiply_chunks(int64_t rows, int64_t chunks, const Pairs* a, const Pairs* b,
                                     Meanwhile&& meanwhile) {
  // The compiler does not know what tile registers read: its stores of operands come before.
  __asm__ volatile("" ::: "memory");
  if (rows > kRegisterRows) {
    multiply_whole_strip(chunks, a, b, meanwhile);
  } else {
    multiply_half_strip(chunks, a, b, meanwhile);
  }
}
// and they are stored.
PYDL_AMX inline void store_registers(int64_t rows, float* c, int64_t c_row) {
  const int64_t bytes = c_row * static_cast<int64_t>(sizeof(float));
  float* lower = c + kRegisterRows * c_row;
  if (rows > kRegisterRows) {
    _tile_stored(2, lower, bytes);
    _tile_stored(3, lower + 16, bytes);
  }
  _tile_stored(0, c, bytes);
  _tile_stored(1, c + 16, bytes);
  __asm__ volatile("" ::: "memory");
}

template <class Meanwhile = PairsAhead>
void multiply_registers(int64_t rows, int64_t chunks, const Pairs* a, const Pairs* b, float* c,
                        int64_t c_row, Meanwhile&& meanwhile = {}) {
  clear_registers();
  multiply_chunks(rows, chunks, a, b, meanwhile);
  store_registers(rows, c, c_row);
}

// The product of a strip of `rows` rows and a panel; needs TileRegisters. It is added to C as a
// whole, as long sums have larger errors.
template <class Meanwhile = PairsAhead>
void multiply_split(int64_t rows, int64_t chunks, const Pairs* a, const Pairs* b,
                    const TileOutput<float>& c, Meanwhile&& meanwhile = {}) {
  if (rows % kRegisterRows == 0 && c.columns == kSplitSide && !c.accumulate) {
    return multiply_registers(rows, chunks, a, b, c.data, c.row, meanwhile);
  }
  alignas(64) float sums[kSplitSide * kSplitSide];
  multiply_registers(rows, chunks, a, b, sums, kSplitSide, meanwhile);
  for (int64_t i = 0; i < rows; ++i) {
    for_registers<float>(c.columns, [&](int64_t j, auto... count) {
      float* to = c.data + i * c.row + j;
      Vec<float> sum = Vec<float>::load(sums + i * kSplitSide + j);
      if (c.accumulate) sum += load(to, count...);
      store(sum, to, count...);
    });
  }
}

#else

struct TileRegisters {
  explicit TileRegisters(bool) {}
  ~TileRegisters() {}
};

#endif

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
