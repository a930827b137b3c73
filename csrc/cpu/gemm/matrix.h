// Operands that are plain matrices in memory, for the blocked product.
#pragma once

#include "cpu/gemm/blocked.h"
#include "cpu/gemm/epilogue.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kDirectColumns = 128;      // with fewer columns of C, packing A costs too much
constexpr int64_t kDirectBytes = 1 << 15;    // a block of A^T that small is read where it is
constexpr int64_t kAliasingBytes = 1 << 11;  // rows this far apart compete for the same cache sets

// Strips of A, element (i, l) at data[i * row + l * column].
template <class S>
struct MatrixStrips {
  using T = Compute<S>;
  const S* data;
  int64_t row, column;
  bool direct;

  MatrixStrips(const S* a, int64_t row_stride, int64_t column_stride, int64_t m, int64_t n,
               int64_t k)
      : data(a), row(row_stride), column(column_stride) {
    constexpr int64_t bytes = sizeof(S);
    const bool by_rows = column == 1;
    direct = std::is_same_v<S, T> && n <= kDirectColumns &&
             (by_rows ? row * bytes % kAliasingBytes != 0 : m * k * bytes <= kDirectBytes);
  }

  TileInput<T> strip(int64_t i, int rows, int64_t l, int64_t depth, T* buffer) const {
    const S* from = data + i * row + l * column;
    if constexpr (std::is_same_v<S, T>) {
      if (direct) return {from, row, column};
    }
    if (column == 1) {
      const int64_t stride = padded<T>(depth);
      copy_rows(from, row, rows, depth, buffer, stride);
      return {buffer, stride, 1};
    }
    const int64_t stride = padded<T>(kTileRows);
    copy_rows(from, column, depth, rows, buffer, stride);
    return {buffer, 1, stride};
  }
};

// Packs panel `panel` of B, element (l, j) at data[l * row + j * column].
template <class S>
void pack_matrix_panel(const S* data, int64_t row, int64_t column, int64_t k, int64_t n,
                       int64_t panel, Compute<S>* dst) {
  using T = Compute<S>;
  constexpr int kWidth = kTileColumns<T>, kSize = Vec<T>::size;
  const int64_t first = panel * kWidth, columns = smaller(kWidth, n - first);
  if (column == 1) return copy_rows(data + first, row, k, columns, dst, kWidth);
  for (int64_t j = 0; j < columns; j += kSize) {
    transpose_rows(data + (first + j) * column, column, static_cast<int>(smaller(kSize, columns - j)),
                   k, dst + j, kWidth);
  }
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
