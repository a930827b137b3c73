// Products of a query with keys and values where they are: packing them would take longer.
#pragma once

#include "cpu/attention/blocks.h"
#include "cpu/rows.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// Element (l, j) is data[l * row + j * column], where one of the two is 1.
template <class S>
struct StridedMatrix {
  const S* data = nullptr;
  int64_t row = 0, column = 0, n = 0;

  StridedMatrix from_row(int64_t l) const { return {data + l * row, row, column, n}; }
  StridedMatrix columns(int64_t j, int64_t count) const {
    return {data + j * column, row, column, count};
  }
};

// Has the form of VectorBlocks.
template <class S>
class StridedBlocks {
 public:
  using T = Compute<S>;
  using Left = TileRows<T>;
  using Right = StridedMatrix<S>;

  static int64_t right_size(int64_t, int64_t) { return 0; }

  Right pack_rows(const S* src, int64_t row_stride, int64_t, int64_t n, T*) {
    return {src, row_stride, 1, n};
  }
  Right pack_transposed(const S* src, int64_t row_stride, int64_t, int64_t n, T*) {
    return {src, 1, row_stride, n};
  }

  void multiply(int64_t m, int64_t k, const Left& a, const Right& b, T* c, int64_t c_row,
                bool accumulate) const {
    for (int64_t i = 0; i < m; ++i, c += c_row) {
      const T* left = a.data + i * a.row;
      if (b.column == 1) {
        add_rows(left, k, b, c, accumulate);
      } else {
        write_dots(left, k, b, c);
      }
    }
  }

 private:
  static constexpr int kSize = Vec<T>::size, kTogether = 4;

  // c[j] = a . column j of b.
  static void write_dots(const T* a, int64_t k, const Right& b, T* c) {
    const auto some = [&](auto count, int64_t j) {
      const S* from = b.data + j * b.column;
      Vec<T> sum[count.value];
      for (int i = 0; i < count.value; ++i) sum[i] = T(0);
      for_registers<T>(k, [&](int64_t l, auto... lanes) {
        const Vec<T> x = load(a + l, lanes...);
#pragma GCC unroll 4
        for (int i = 0; i < count.value; ++i) {
          sum[i] = fma(x, load(from + i * b.column + l, lanes...), sum[i]);
        }
      });
      for (int i = 0; i < count.value; ++i) c[j + i] = reduce_add(sum[i]);
    };
    int64_t j = 0;
    for (; j + kTogether <= b.n; j += kTogether) some(std::integral_constant<int, kTogether>(), j);
    for (; j < b.n; ++j) some(std::integral_constant<int, 1>(), j);
  }

  // c = the rows of b times a, or c += it.
  static void add_rows(const T* a, int64_t k, const Right& b, T* c, bool accumulate) {
    const auto some = [&](auto count, int64_t j, auto... lanes) {
      Vec<T> sum[count.value];
      for (int i = 0; i < count.value; ++i) {
        sum[i] = accumulate ? load(c + j + i * kSize, lanes...) : Vec<T>(T(0));
      }
      for (int64_t l = 0; l < k; ++l) {
        const Vec<T> x(a[l]);
        const S* from = b.data + l * b.row + j;
#pragma GCC unroll 4
        for (int i = 0; i < count.value; ++i) {
          sum[i] = fma(x, load(from + i * kSize, lanes...), sum[i]);
        }
      }
      for (int i = 0; i < count.value; ++i) store(sum[i], c + j + i * kSize, lanes...);
    };
    int64_t j = 0;
    for (; j + kTogether * kSize <= b.n; j += kTogether * kSize) {
      some(std::integral_constant<int, kTogether>(), j);
    }
    for_each_vector<T>(b.n - j, [&](int64_t i, auto... lanes) {
      some(std::integral_constant<int, 1>(), j + i, lanes...);
    });
  }
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
