// Operands of dot-product instructions in the order in which these read them: groups of four bytes
// along k.
#pragma once

#include "cpu/gemm/dot_tile.h"
#include "cpu/gemm/pack.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// A matrix in the caller's memory; one of the strides is 1.
template <class S>
struct DotMatrix {
  const S* data;
  int64_t row, column;

  const S* at(int64_t i, int64_t j) const { return data + i * row + j * column; }
};

// `bytes` of at most 64, the rest 0.
inline Vec<float> load_bytes(const void* from, int64_t bytes) {
  if (bytes >= kStepBytes) return (isa::Raw<float>)_mm512_loadu_ps(from);
  return (isa::Raw<float>)_mm512_maskz_loadu_epi8(isa::first_lanes(static_cast<int>(bytes)), from);
}

inline __m512i widen_columns(const BFloat16* from, int count) {
  return _mm512_cvtepu16_epi32((__m256i)isa::load_partial_half(&from->bits, count));
}
inline __m512i widen_columns(const int8_t* from, int count) {
  return _mm512_cvtepu8_epi32(
      _mm_maskz_loadu_epi8(static_cast<__mmask16>(isa::first_lanes(count)), from));
}

// A group from each of `columns` columns: they are contiguous, rows are `row` apart, of which there are
// `count`.
template <class S>
inline Vec<float> interleave(const S* from, int64_t row, int64_t count, int columns) {
  constexpr int kGroup = 4 / sizeof(S), kBits = 8 * sizeof(S);
  __m512i groups = _mm512_setzero_si512();
#pragma GCC unroll 4
  for (int l = 0; l < kGroup; ++l) {
    if (l >= count) break;
    const __m512i values = widen_columns(from + l * row, columns);
    groups = _mm512_or_si512(groups, _mm512_slli_epi32(values, l * kBits));
  }
  return (isa::Raw<float>)groups;
}

// One step of k, of which there are `depth` values, of at most 16 rows of A from (i, l) on.
template <class S>
inline void pack_step_of_rows(const DotMatrix<S>& a, int64_t i, int rows, int64_t l, int64_t depth,
                              char* to, int64_t to_row) {
  constexpr int kGroup = 4 / sizeof(S);
  Vec<float> block[kStepGroups];
  if (a.column == 1) {
    for (int r = 0; r < rows; ++r) {
      load_bytes(a.at(i + r, l), depth * static_cast<int64_t>(sizeof(S)))
          .store(reinterpret_cast<float*>(to + r * to_row));
    }
    return;
  }
#pragma GCC unroll 16
  for (int g = 0; g < kStepGroups; ++g) {
    block[g] = interleave(a.at(i, l + g * kGroup), a.column, depth - g * kGroup, rows);
  }
  transpose_blocks<1>(block);
#pragma GCC unroll 16
  for (int r = 0; r < kStepGroups; ++r) {
    if (r < rows) block[r].store(reinterpret_cast<float*>(to + r * to_row));
  }
}

// `depth` values of k from l on of columns [j, j + columns) of B, as panels that are panel_bytes apart;
// `flip` is applied to each group.
template <class S>
void pack_dot_panels(const DotMatrix<S>& b, int64_t l, int64_t depth, int64_t j, int64_t columns,
                     int32_t flip, char* to, int64_t panel_bytes) {
  constexpr int kGroup = 4 / sizeof(S);
  const int64_t steps = (depth + kStep<S> - 1) / kStep<S>;
  const __m512i flips = _mm512_set1_epi32(flip);
  const auto put = [&](Vec<float> groups, char* at) {
    _mm512_store_si512(at, _mm512_xor_si512((__m512i)groups.v, flips));
  };
  if (b.column == 1) {
    for (int64_t g = 0; g < steps * kStepGroups; ++g, to += kStepBytes) {
      const S* from = b.at(l + g * kGroup, j);
      const int64_t count = depth - g * kGroup;
      char* at = to;
      int64_t left = columns;
      if (count >= kGroup) {
        for (; left >= kPanelColumns; left -= kPanelColumns, from += kPanelColumns) {
          put(interleave(from, b.row, kGroup, kPanelColumns), at);
          at += panel_bytes;
        }
      }
      for (; left > 0; left -= kPanelColumns, from += kPanelColumns, at += panel_bytes) {
        put(interleave(from, b.row, count, static_cast<int>(left < 16 ? left : 16)), at);
      }
    }
    return;
  }
  for (int64_t left = columns; left > 0; left -= kPanelColumns, j += kPanelColumns) {
    char* at = to;
    for (int64_t step = 0; step < steps; ++step) {
      const int64_t bytes = (depth - step * kStep<S>) * static_cast<int64_t>(sizeof(S));
      Vec<float> block[kPanelColumns];
#pragma GCC unroll 16
      for (int c = 0; c < kPanelColumns; ++c) {
        block[c] = c < left ? load_bytes(b.at(l + step * kStep<S>, j + c), bytes) : Vec<float>(0.0f);
      }
      transpose_blocks<1>(block);
#pragma GCC unroll 16
      for (int g = 0; g < kStepGroups; ++g, at += kStepBytes) put(block[g], at);
    }
    to += panel_bytes;
  }
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
