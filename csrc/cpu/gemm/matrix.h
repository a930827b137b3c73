// Operands that are plain matrices in memory, for the blocked product.
#pragma once

#include "cpu/gemm/blocked.h"
#include "cpu/gemm/epilogue.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kDirectColumns = 128;      // with fewer columns of C, packing A costs too much
constexpr int64_t kDirectBytes = 1 << 15;    // an A^T or B that small is read where it is
constexpr int64_t kDirectRows = 280;         // of C: with more of them packing B is cheap
constexpr int64_t kPreparedRows = 1024;      // of C: with more, packing B takes no time worth memory
constexpr int64_t kAliasingBytes = 1 << 12;  // rows this far apart share few cache sets

template <class S>
inline bool aliasing(int64_t row) {
  return row * static_cast<int64_t>(sizeof(S)) % kAliasingBytes == 0;
}

// Whether tiles shall read B, its rows contiguous and `row` apart, where it is.
template <class S>
inline bool worth_reading_in_place(int64_t m, int64_t n, int64_t k, int64_t row) {
  if (!std::is_same_v<S, Compute<S>>) return false;
  return m <= (aliasing<S>(row) ? kDirectRows / 5 : kDirectRows) ||
         n * k * static_cast<int64_t>(sizeof(S)) <= kDirectBytes;
}

// Adds to `sum`, whole vectors, those that follow it, `stride` apart: `parts` in all.
template <class T>
inline void add_parts(T* sum, int64_t parts, int64_t stride, int64_t size) {
  for (int64_t i = 1; i < parts; ++i) {
    const T* more = sum + i * stride;
    for_registers<T>(size, [&](int64_t j, auto...) {
      (Vec<T>::load(sum + j) + Vec<T>::load(more + j)).store(sum + j);
    });
  }
}

// Strips of A, element (i, l) at data[i * row + l * column].
template <class S>
struct MatrixStrips {
  using T = Compute<S>;
  const S* data;
  int64_t row, column, m, k;
  bool direct;

  // n is how many columns of C need it.
  MatrixStrips(const S* a, int64_t row_stride, int64_t column_stride, int64_t rows, int64_t n,
               int64_t columns)
      : data(a), row(row_stride), column(column_stride), m(rows), k(columns) {
    constexpr int64_t bytes = sizeof(S);
    const bool few = n <= kTileColumns<T> || m * k * bytes <= kDirectBytes;
    direct = std::is_same_v<S, T> && n <= kDirectColumns && (column == 1 ? !aliasing<S>(row) : few);
  }

  Strips strips() const { return Strips(m); }
  Depth<T> depth() const { return Depth<T>(k); }
  int64_t buffer_size(int64_t depth) const { return padded<T>(depth) * padded<T>(kTileRows); }

  // Rows of A come in the time of all tiles; columns, which are short, in that of the first.
  LookAhead look_ahead(int64_t i, int rows, int64_t l, int64_t depth, int64_t tiles) const {
    constexpr int64_t bytes = sizeof(S);
    const S* next = data + i * row + l * column;
    if (column != 1) return {{next + rows - 1, column * bytes}, 0, 1};
    if (row == depth) {  // one run of memory
      const int64_t step = divide_up(rows * bytes, tiles);
      return {{next, step}, step * depth};
    }
    const int64_t rows_of_tile = divide_up(rows, tiles), run = divide_up(depth, rows_of_tile);
    const int64_t step = rows_of_tile * bytes;
    return {{next, step, row * bytes - run * step, run}, rows_of_tile * row * bytes};
  }

  TileRows<T> strip(int64_t i, int rows, int64_t l, int64_t depth, T* buffer) const {
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

// Packs k rows of panels [panel, panel_end) of B, element (l, j) at data[l * row + j * column];
// panels are panel_size apart. Rows are read along their length, several panels at a time.
template <class S>
void pack_matrix_panels(const S* data, int64_t row, int64_t column, int64_t k, int64_t n,
                        int64_t panel, int64_t panel_end, Compute<S>* dst, int64_t panel_size) {
  using T = Compute<S>;
  constexpr int64_t kWidth = kTileColumns<T>, kSize = Vec<T>::size, kChunk = 16;
  for (; panel < panel_end; panel += kChunk, dst += kChunk * panel_size) {
    const int64_t first = panel * kWidth;
    const int64_t columns = smaller(n, smaller(panel + kChunk, panel_end) * kWidth) - first;
    if (column == 1) {
      for (int64_t l = 0; l < k; ++l) {
        const S* from = data + l * row + first;
        T* to = dst + l * kWidth;
        int64_t j = 0;
        for (; j + kWidth <= columns; j += kWidth, to += panel_size) copy_row(from + j, kWidth, to);
        if (j < columns) copy_row(from + j, columns - j, to);
      }
    } else {
      for (int64_t j = 0; j < columns; j += kSize) {
        const int rows = static_cast<int>(smaller(kSize, columns - j));
        transpose_rows(data + (first + j) * column, column, rows, k,
                       dst + j / kWidth * panel_size + j % kWidth, kWidth);
      }
    }
  }
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
