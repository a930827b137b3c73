// The weights that every step multiplies by, packed once.
#pragma once

#include "cpu/gemm/matrix.h"
#include "cpu/gemm/split_tile.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kKeptWeights = 1 << 20;  // bytes: half of the L2 cache of CPUs with AMX

// Rows that are multiplied by weights: where they are, or split into parts.
template <class T>
struct StepRows {
  const T* data;
  int64_t row, count;
};

// Their products, one matrix `matrix` values after the other.
template <class T>
struct StepProducts {
  T* data;
  int64_t matrix, row;
};

// Matrices of (depth, columns) as panels of kTileColumns columns.
template <class T>
class StepWeights {
 public:
  static constexpr int64_t kWidth = kTileColumns<T>;

  // Element (l, j) of matrix g is data[l * row + (g * columns + j) * column]. `batch` is how many
  // rows they are multiplied by in a step.
  StepWeights(const PydlContext* context, const T* data, int64_t row, int64_t column, int64_t depth,
              int64_t columns, int64_t matrices, int64_t batch)
      : depth_(depth),
        columns_(columns),
        panels_(divide_up(columns, kWidth)),
        split_(worth_splitting(batch, depth)),
        panel_size_(split_ ? split_size(depth) : depth * kWidth),
        packed_(context, larger(1, matrices * panels_ * panel_size_)) {
    if (!packed_) return;
    const int64_t grain = divide_up(kProductsPerThread / 8, larger(1, panel_size_));
    parallel_for(context, matrices * panels_, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        pack(data + i / panels_ * columns * column, row, column, i % panels_,
             packed_.data() + i * panel_size_);
      }
    });
  }
  explicit operator bool() const { return static_cast<bool>(packed_); }

  bool split() const { return split_; }
  int64_t panels() const { return panels_; }  // of one matrix
  int64_t bytes() const { return panels_ * panel_size_ * static_cast<int64_t>(sizeof(T)); }
  // Values of memory that `count` rows need to be multiplied.
  int64_t rows_size(int64_t count) const {
    return split_ ? divide_up(count, kWidth) * split_size(depth_) : 0;
  }
  StepRows<T> rows(const T* data, int64_t row, int64_t count, T* memory) const {
#ifdef PYDL_ISA_avx512
    if constexpr (std::is_same_v<T, float>) {
      if (split_) {
        Splitter splitter;
        for (int64_t i = 0; i < count; i += kSplitSide) {
          split_strip(data + i * row, row, 1, smaller(kSplitSide, count - i), depth_, splitter,
                      pairs(memory + i / kSplitSide * panel_size_));
        }
        return {memory, 0, count};
      }
    }
#endif
    (void)memory;
    return {data, row, count};
  }

  // out = rows @ each of `count` matrices from `first` on. Every other step goes from the last
  // panel to the first: the cache still has those that the step before took last.
  void multiply(const StepRows<T>& a, int64_t first, int64_t count, int64_t step,
                const StepProducts<T>& out) const {
    const int64_t panels = count * panels_;
    for (int64_t i = 0; i < panels; ++i) {
      const int64_t at = step % 2 ? panels - 1 - i : i, panel = at % panels_;
      const T* weights = packed_.data() + (first * panels_ + at) * panel_size_;
      T* to = out.data + at / panels_ * out.matrix + panel * kWidth;
      multiply_panel(a, weights, columns(panel), to, out.row);
    }
  }

 private:
#ifdef PYDL_ISA_avx512
  // Fewer rows leave most of a tile register empty.
  static bool worth_splitting(int64_t batch, int64_t depth) {
    return std::is_same_v<T, float> && has_unit(kUnitAmx) && batch >= kRegisterRows / 2 &&
           depth >= kSplitDepth;
  }
  static int64_t split_size(int64_t depth) { return divide_up(depth, kSplitDepth) * kChunkPairs; }
  static Pairs* pairs(T* memory) { return reinterpret_cast<Pairs*>(memory); }
  static const Pairs* pairs(const T* memory) { return reinterpret_cast<const Pairs*>(memory); }

  void multiply_parts(const StepRows<T>& a, const T* weights, int wide, T* out,
                      int64_t out_row) const {
    static_assert(kWidth == kSplitSide || !std::is_same_v<T, float>);
    for (int64_t i = 0; i < a.count; i += kSplitSide) {
      multiply_split(smaller(kSplitSide, a.count - i), divide_up(depth_, kSplitDepth),
                     pairs(a.data + i / kSplitSide * panel_size_), pairs(weights),
                     {out + i * out_row, out_row, wide});
    }
  }
#else
  static bool worth_splitting(int64_t, int64_t) { return false; }
  static int64_t split_size(int64_t) { return 0; }
#endif

  int columns(int64_t panel) const {
    return static_cast<int>(smaller(kWidth, columns_ - panel * kWidth));
  }

  void multiply_panel(const StepRows<T>& a, const T* weights, int wide, T* out,
                      int64_t out_row) const {
#ifdef PYDL_ISA_avx512
    if constexpr (std::is_same_v<T, float>) {
      if (split_) return multiply_parts(a, weights, wide, out, out_row);
    }
#endif
    const Depth<T> depth(depth_);
    const Strips strips(a.count);
    const int vectors = (wide + Vec<T>::size - 1) / Vec<T>::size;
    for (int64_t block = 0; block < depth.blocks; ++block) {
      const int64_t l = depth.begin(block);
      const TilePanel<T> b = {weights + l * kWidth, kWidth};
      for (int64_t strip = 0; strip < strips.count; ++strip) {
        const int64_t row = strips.begin(strip);
        find_tile<T>(strips.height(strip), vectors)(
            depth.count(block, depth_), {a.data + row * a.row + l, a.row, 1}, b,
            {out + row * out_row, out_row, wide, block > 0});
      }
    }
  }

  void pack(const T* data, int64_t row, int64_t column, int64_t panel, T* to) const {
#ifdef PYDL_ISA_avx512
    if constexpr (std::is_same_v<T, float>) {
      if (split_) {
        Splitter splitter;
        return split_panels(data + panel * kWidth * column, row, column, depth_, columns(panel), 0,
                            splitter, pairs(to));
      }
    }
#endif
    pack_matrix_panels(data, row, column, depth_, columns_, panel, panel + 1, to, panel_size_);
  }

  int64_t depth_, columns_, panels_;
  bool split_;
  int64_t panel_size_;
  Scratch<T> packed_;
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
