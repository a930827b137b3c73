// Operands of products in tile registers, see gemm/split_tile.h, and whether attention takes them.
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

constexpr int64_t kRowPairs = 16;  // from one row of a strip to the next

inline int64_t panels_of(int64_t n) { return divide_up(n, kSplitSide); }

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

// Spreads steps evenly over calls.
class Pace {
 public:
  Pace(int64_t steps, int64_t calls) : steps_(steps), calls_(larger(1, calls)) {}
  // How many steps are due at this call.
  int64_t due() {
    int64_t count = 0;
    for (sum_ += steps_; sum_ >= calls_; sum_ -= calls_) ++count;
    return count;
  }

 private:
  int64_t steps_, calls_, sum_ = 0;
};

// Splits operands while products of them are wanted.
class SplitBlocks {
 public:
  static int64_t left_size(int64_t m, int64_t k) { return panels_of(m) * stride(k); }
  static int64_t right_size(int64_t k, int64_t n) { return panels_of(n) * stride(k); }

  SplitMatrix pack_left(const TileRows<float>& from, int64_t m, int64_t k, Pairs* dst) {
    for (int64_t i = 0; i < m; i += kSplitSide) {
      split_strip(from.data + i * from.row, from.row, from.step, smaller(kSplitSide, m - i), k,
                  splitter_, dst + i / kSplitSide * stride(k));
    }
    return {dst, stride(k), m};
  }
  SplitMatrix pack_rows(const float* src, int64_t row_stride, int64_t k, int64_t n, Pairs* dst) {
    split_panels(src, row_stride, 1, k, n, stride(k), splitter_, dst);
    return {dst, stride(k), n};
  }
  SplitMatrix pack_transposed(const float* src, int64_t row_stride, int64_t k, int64_t n,
                              Pairs* dst) {
    split_panels(src, 1, row_stride, k, n, stride(k), splitter_, dst);
    return {dst, stride(k), n};
  }

  // Whether all operands were such that products of them are right.
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
