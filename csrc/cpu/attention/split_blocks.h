// Products of blocks of float32 in tile registers, see gemm/split_tile.h, and whether attention
// takes them.
#pragma once

#include "cpu/attention/blocks.h"
#include "pydl/kernels/attention.h"
#ifdef PYDL_ISA_avx512
#include "cpu/gemm/split.h"
#endif

namespace pydl::cpu::PYDL_ISA {
namespace {

#ifdef PYDL_ISA_avx512

static_assert(kTileColumns<float> == kSplitSide);

// Parts of a matrix as strips of rows, or as panels of columns, `stride` apart.
struct SplitMatrix {
  const Pairs* data = nullptr;
  int64_t stride = 0, n = 0;

  // Rows and columns start at multiples of a panel's width.
  SplitMatrix from_row(int64_t row) const {
    return {data + row / kSplitDepth * kChunkPairs, stride, n};
  }
  SplitMatrix columns(int64_t column, int64_t count) const {
    return {data + column / kSplitSide * stride, stride, count};
  }
};

// Has the form of VectorBlocks.
class SplitBlocks {
 public:
  using Element = Pairs;
  using Left = SplitMatrix;
  using Right = SplitMatrix;
  static constexpr int64_t kKeys = 256;  // parts of their scores stay in the L2 cache
  static_assert(kKeys <= kKeyBlock && kKeys % kSplitSide == 0);

  static int64_t left_size(int64_t m, int64_t k) { return divide_up(m, kSplitSide) * stride(k); }
  static int64_t right_size(int64_t k, int64_t n) { return divide_up(n, kSplitSide) * stride(k); }

  Left pack_left(const TileRows<float>& from, int64_t m, int64_t k, Pairs* dst) {
    for (int64_t i = 0; i < m; i += kSplitSide) {
      split_strip(from.data + i * from.row, from.row, from.step, smaller(kSplitSide, m - i), k,
                  splitter_, dst + i / kSplitSide * stride(k));
    }
    return {dst, stride(k), m};
  }
  Right pack_rows(const float* src, int64_t row_stride, int64_t k, int64_t n, Pairs* dst) {
    split_panels(src, row_stride, 1, k, n, stride(k), splitter_, dst);
    return {dst, stride(k), n};
  }
  Right pack_transposed(const float* src, int64_t row_stride, int64_t k, int64_t n, Pairs* dst) {
    split_panels(src, 1, row_stride, k, n, stride(k), splitter_, dst);
    return {dst, stride(k), n};
  }

  void multiply(int64_t m, int64_t k, const Left& a, const Right& b, float* c, int64_t c_row,
                bool accumulate) const {
    for (int64_t i = 0; i < m; i += kSplitSide) {
      for (int64_t j = 0; j < b.n; j += kSplitSide) {
        multiply_split(smaller(kSplitSide, m - i), divide_up(k, kSplitDepth),
                       a.data + i / kSplitSide * a.stride, b.data + j / kSplitSide * b.stride,
                       {c + i * c_row + j, c_row, kSplitSide, accumulate});
      }
    }
  }

  bool exact() const { return splitter_.all_have_parts(); }

 private:
  static int64_t stride(int64_t k) { return divide_up(k, kSplitDepth) * kChunkPairs; }

  const TileRegisters registers_{true};
  Splitter splitter_;
};

#endif

// Whether tile registers are faster than vectors. They cannot take infinity and NaN.
template <class S>
bool worth_splitting_heads(const PydlAttentionGeometry& g) {
#ifdef PYDL_ISA_avx512
  return std::is_same_v<S, float> && worth_splitting({g.queries, g.keys, g.head_size}) &&
         worth_splitting({g.queries, g.value_size, g.keys});
#else
  (void)g;
  return false;
#endif
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
