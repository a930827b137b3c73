// Blocks of the operands of attention, packed for the tiles of the matrix product.
#pragma once

#include "cpu/gemm/blocked.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// A block of keys is whole panels.
constexpr int64_t kQueryBlock = 64, kKeyBlock = kTileVectors == 3 ? 384 : 512;
static_assert(kKeyBlock % kTileColumns<float> == 0 && kKeyBlock % kTileColumns<double> == 0);
// A line more than a block of scores, so that its columns do not compete for the same cache sets.
constexpr int64_t kScoreRow = kKeyBlock + 16;

// Consecutive parts of one piece of memory; of none where only their total is wanted.
template <class T>
class Carver {
 public:
  explicit Carver(T* data) : data_(data) {}
  T* take(int64_t count) {
    T* part = data_ ? data_ + taken_ : nullptr;
    taken_ += count;
    return part;
  }
  int64_t taken() const { return taken_; }

 private:
  T* data_;
  int64_t taken_ = 0;
};

// The least multiple of a panel's width that holds n columns.
template <class T>
inline int64_t whole_panels(int64_t n) {
  return divide_up(n, kTileColumns<T>) * kTileColumns<T>;
}

// dst[r * dst_row + i] = src[r * src_row + i] * scale for i < n.
template <class S, class T = Compute<S>>
inline void copy_scaled(const S* src, int64_t src_row, int64_t rows, int64_t n, T scale, T* dst,
                        int64_t dst_row) {
  for (int64_t r = 0; r < rows; ++r, src += src_row, dst += dst_row) {
    for_registers<T>(n, [&](int64_t i, auto... count) {
      (load(src + i, count...) * scale).store(dst + i);  // rows of dst are whole registers
    });
  }
}

// A right-hand operand (k, n) as panels of kTileColumns columns, each dense, `stride` apart.
template <class T>
struct PanelMatrix {
  const T* data = nullptr;
  int64_t stride = 0, n = 0;

  PanelMatrix from_row(int64_t row) const { return {data + row * kTileColumns<T>, stride, n}; }
  // Columns [column, column + count); column is a multiple of kTileColumns.
  PanelMatrix columns(int64_t column, int64_t count) const {
    return {data + column / kTileColumns<T> * stride, stride, count};
  }
};

// Products in vectors. Another class of this form is in strided_blocks.h; `Left` and `Right` are
// the operands of a product.
template <class S>
class VectorBlocks {
 public:
  using T = Compute<S>;
  using Left = TileRows<T>;
  using Right = PanelMatrix<T>;

  static int64_t right_size(int64_t k, int64_t n) { return k * whole_panels<T>(n); }

  // Rows of `n` values, `row_stride` apart: element (l, j) is src[l * row_stride + j].
  template <class From>
  Right pack_rows(const From* src, int64_t row_stride, int64_t k, int64_t n, T* dst) {
    const int64_t stride = k * kWidth;
    for (int64_t j = 0; j < n; j += kWidth) {
      copy_rows(src + j, row_stride, k, smaller(n - j, kWidth), dst + j / kWidth * stride, kWidth);
    }
    return {dst, stride, n};
  }

  // Their transpose: element (l, j) is src[j * row_stride + l].
  template <class From>
  Right pack_transposed(const From* src, int64_t row_stride, int64_t k, int64_t n, T* dst) {
    const int64_t stride = k * kWidth;
    for (int64_t j = 0; j < n; j += kSize) {
      transpose_rows(src + j * row_stride, row_stride, static_cast<int>(smaller(n - j, kSize)), k,
                     dst + j / kWidth * stride + j % kWidth, kWidth);
    }
    return {dst, stride, n};
  }

  // c (m, n) = a (m, k) @ b (k, n), or c += it. Rows of c are `c_row` apart and have room for whole
  // panels. Every element adds up in the order of k, whatever m.
  void multiply(int64_t m, int64_t k, const Left& a, const Right& b, T* c, int64_t c_row,
                bool accumulate) const {
    const Strips strips(m);
    const int64_t panels = divide_up(b.n, kWidth);
    const int last_columns = static_cast<int>(b.n - (panels - 1) * kWidth);
    for (int64_t strip = 0; strip < strips.count; ++strip) {
      const int64_t row = strips.begin(strip);
      const TileRows<T> rows = {a.data + row * a.row, a.row, a.step};
      const auto full_tile = find_tile<T>(strips.height(strip), kTileVectors);
      const auto last_tile = find_tile<T>(strips.height(strip), (last_columns + kSize - 1) / kSize);
      for (int64_t panel = 0; panel < panels; ++panel) {
        const int columns = panel + 1 < panels ? kWidth : last_columns;
        const TilePanel<T> part = {b.data + panel * b.stride, kWidth};
        const TileOutput<T> out = {c + row * c_row + panel * kWidth, c_row, columns, accumulate};
        (columns == kWidth ? full_tile : last_tile)(k, rows, part, out);
      }
    }
  }

 private:
  static constexpr int kWidth = kTileColumns<T>, kSize = Vec<T>::size;
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
