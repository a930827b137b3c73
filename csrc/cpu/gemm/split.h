// The product of matrices from tiles of split floats: threads share C, and each walks its region as
// blocked.h says, columns kept while strips of rows go by.
#pragma once

#include "cpu/gemm/epilogue.h"
#include "cpu/gemm/split_tile.h"
#include "pydl/kernels/gemm.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kSplitDepthMost = 512;     // of k at a time
constexpr int64_t kSplitKeptBytes = 1 << 20;  // of panels: half of the L2 cache of such CPUs

template <class Output>
class SplitProduct {
 public:
  SplitProduct(const PydlGemmArgs& args, const Output& out)
      : args_(args),
        out_(out),
        strips_(divide_up(args.m, kSplitSide)),
        panels_(divide_up(args.n, kSplitSide)),
        blocks_(divide_up(args.k, kSplitDepthMost)),
        depth_(divide_up(divide_up(args.k, blocks_), kSplitDepth) * kSplitDepth),
        size_(depth_ / kSplitDepth * kChunkPairs),
        kept_(larger(1, kSplitKeptBytes / (size_ * static_cast<int64_t>(sizeof(Pairs))))) {}

  // Whether it was computed; else an operand holds numbers that have no parts, and C is of no use.
  bool run(const PydlContext* context, PydlStatus* status) const {
    const Cut cut(strips_, panels_, kSplitSide, args_.k, context->num_threads);
    const int64_t size = (1 + smaller(kept_, panels_)) * size_;
    const Scratch<Pairs> memory(context, cut.regions() * size);
    if (!memory) {
      *status = context->fail(context, PYDL_ERROR_MEMORY, "[matmul] out of memory");
      return true;
    }
    bool computed = true;
    parallel_for(context, cut.regions(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const Region region = cut.region(i, strips_, panels_);
        if (!multiply_region(region, memory.data() + i * size)) {
          __atomic_store_n(&computed, false, __ATOMIC_RELAXED);
        }
      }
    });
    return computed;
  }

 private:
  bool multiply_region(const Region& region, Pairs* memory) const {
    const TileRegisters registers(true);
    Splitter splitter;
    Pairs *strip = memory, *panels = memory + size_;
    for (int64_t first = region.panel; first < region.panel_end; first += kept_) {
      const int64_t last = smaller(region.panel_end, first + kept_);
      for (int64_t l = 0; l < args_.k; l += depth_) {
        const int64_t columns = smaller(last * kSplitSide, args_.n) - first * kSplitSide;
        split_panels(b(l, first), args_.b_row_stride, args_.b_col_stride, depth(l), columns, size_,
                     splitter, panels);
        for (int64_t i = region.strip; i < region.strip_end; ++i) {
          split_strip(a(i, l), args_.a_row_stride, args_.a_col_stride, rows(i), depth(l), splitter,
                      strip);
          if (!splitter.all_have_parts()) return false;
          for (int64_t j = first; j < last; ++j) {
            multiply_one(i, j, l, strip, panels + (j - first) * size_);
          }
        }
      }
    }
    return true;
  }

  void multiply_one(int64_t i, int64_t j, int64_t l, const Pairs* strip, const Pairs* panel) const {
    TileOutput<float> c = out_.place(i * kSplitSide, j * kSplitSide);
    c.columns = columns(j);
    c.accumulate = l > 0;
    multiply_split(rows(i), divide_up(depth(l), kSplitDepth), strip, panel, c);
    if (l + depth_ < args_.k) return;
    out_.finish(i * kSplitSide, rows(i), j * kSplitSide, c.columns, c.data, c.row);
  }

  int rows(int64_t i) const {
    return static_cast<int>(smaller(kSplitSide, args_.m - i * kSplitSide));
  }
  int columns(int64_t j) const {
    return static_cast<int>(smaller(kSplitSide, args_.n - j * kSplitSide));
  }
  int64_t depth(int64_t l) const { return smaller(depth_, args_.k - l); }
  const float* a(int64_t i, int64_t l) const {
    return static_cast<const float*>(args_.a) + i * kSplitSide * args_.a_row_stride +
           l * args_.a_col_stride;
  }
  const float* b(int64_t l, int64_t j) const {
    return static_cast<const float*>(args_.b) + l * args_.b_row_stride +
           j * kSplitSide * args_.b_col_stride;
  }

  const PydlGemmArgs& args_;
  const Output& out_;
  const int64_t strips_, panels_, blocks_;
  const int64_t depth_, size_;  // of k in a block; of a strip or panel of that depth
  const int64_t kept_;          // panels
};

constexpr int64_t kSplitRows = 48;  // fewer do not pay for splitting B

// Whether it is faster than vectors: padding is at most half of the work.
inline bool worth_splitting(const PydlGemmArgs& args) {
  const auto padded_size = [](int64_t n) { return divide_up(n, kSplitSide) * kSplitSide; };
  if (!has_unit(kUnitAmx) || args.accumulate || args.m < kSplitRows) return false;
  if (smaller(args.n, args.k) < kSplitSide) return false;
  return 2 * padded_size(args.m) * padded_size(args.n) * padded_size(args.k) <=
         3 * args.m * args.n * args.k;
}

// Whether it computed C.
template <class S, class O>
inline bool multiply_by_parts(const PydlContext* context, const PydlGemmArgs& args,
                              const MatrixOutput<S, O>& out, PydlStatus* status) {
  if constexpr (std::is_same_v<S, float>) {
    if (!worth_splitting(args)) return false;
    return SplitProduct<MatrixOutput<S, O>>(args, out).run(context, status);
  } else {
    return false;
  }
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
