// The product of matrices from tiles of split floats: threads share C, and each walks its region as
// blocked.h says, columns kept while strips of rows go by; or rows, where columns were split before.
#pragma once

#include "cpu/gemm/matrix.h"
#include "cpu/gemm/split_tile.h"
#include "pydl/kernels/gemm.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kSplitDepthMost = 512;     // of k at a time
constexpr int64_t kSplitKeptBytes = 1 << 20;  // of panels: half of the L2 cache of such CPUs
constexpr int64_t kSplitPiece = 128;          // of k: a strip of it stays in the L1 cache
constexpr int64_t kSplitRows = 48;            // of A: fewer do not pay for splitting B,
constexpr int64_t kStripRows = 24;            // or where that takes no time of its own,
constexpr int64_t kStripBytes = 1 << 20;      // as B is no larger than half of the L2 cache

// Blocks of k in which products are added up.
inline int64_t split_depth(int64_t k) {
  return divide_up(even_part(k, kSplitDepthMost), kSplitDepth) * kSplitDepth;
}

struct ProductSize {
  int64_t m, n, k;
};

// Which matrix B is, where what is made of it may be kept.
struct KeptOperand {
  const PydlPrepared* prepared = nullptr;
  const void* data = nullptr;
  int64_t row = 0, column = 0;
};

// C = A @ B. A Source of A has strip() as in blocked.h, for kSplitSide rows and kSplitPiece of k.
// `split_b(column, columns, l, depth, size, splitter, to)` makes panels of columns [column, column +
// columns) and rows [l, l + depth) of B, `size` from one to the next. An Output has what blocked.h
// says, or else, where it is not kInPlace, partial(), which takes sums that are not complete.
template <class Source, class SplitB, class Output>
class SplitProduct {
 public:
  SplitProduct(const ProductSize& of, const Source& source, const SplitB& split_b,
               const Output& out)
      : of_(of),
        source_(source),
        split_b_(split_b),
        out_(out),
        strips_(divide_up(of.m, kSplitSide)),
        panels_(divide_up(of.n, kSplitSide)),
        depth_(split_depth(of.k)),
        size_(depth_ / kSplitDepth * kChunkPairs),
        kept_(larger(1, kSplitKeptBytes / (size_ * static_cast<int64_t>(sizeof(Pairs))))) {}

  // Whether it was computed; else it does not pay, or an operand holds numbers that have no parts,
  // and C is of no use.
  bool run(const PydlContext* context, const KeptOperand& b, PydlStatus* status) const {
    const Pairs* ready = of_.m <= kPreparedRows ? find_ready(b) : nullptr;
    if (!ready && of_.m < kSplitRows) return false;
    if (ready && !ready[ready_size()]) return false;
    const int64_t bytes = ready_size() * static_cast<int64_t>(sizeof(Pairs));
    const bool packs_b = !ready || bytes > kKeptBytes;  // reading it from afar takes as long
    const Cut cut(strips_, panels_, kSplitSide, of_.k, context->num_threads, packs_b);
    const int64_t size = size_ * (ready ? smaller(kept_, strips_) : 1 + smaller(kept_, panels_));
    const Scratch<Pairs> memory(context, cut.regions() * size);
    if (!memory) {
      *status = context->fail(context, PYDL_ERROR_MEMORY, "[matmul] out of memory");
      return true;
    }
    bool computed = true;
    parallel_for(context, cut.regions(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const Region region = cut.region(i, strips_, panels_);
        Pairs* own = memory.data() + i * size;
        if (!(ready ? multiply_by_panels(region, ready, own) : multiply_by_strips(region, own))) {
          __atomic_store_n(&computed, false, __ATOMIC_RELAXED);
        }
      }
    });
    return computed;
  }

 private:
  int64_t ready_size() const { return divide_up(of_.k, depth_) * panels_ * size_; }

  // All panels, block of k by block, and behind them whether all of B has parts.
  const Pairs* find_ready(const KeptOperand& b) const {
    if (!b.prepared) return nullptr;
    const PydlPreparedKey key = {b.data,
                                 {kChunkPairs, of_.k, of_.n, depth_, b.row, b.column},
                                 (ready_size() + 1) * static_cast<int64_t>(sizeof(Pairs))};
    const auto make = [](void* self, void* memory) {
      static_cast<const SplitProduct*>(self)->split_all(static_cast<Pairs*>(memory));
    };
    return static_cast<const Pairs*>(
        b.prepared->get(b.prepared, &key, make, const_cast<SplitProduct*>(this)));
  }
  void split_all(Pairs* to) const {
    Splitter splitter;
    for (int64_t l = 0; l < of_.k; l += depth_, to += panels_ * size_) {
      split_b_(0, of_.n, l, depth(l), size_, splitter, to);
    }
    *to = splitter.all_have_parts();
  }

  bool multiply_by_panels(const Region& region, const Pairs* ready, Pairs* strips) const {
    const TileRegisters registers(true);
    Splitter splitter;
    const int64_t group = even_part(region.strip_end - region.strip, kept_);
    for (int64_t first = region.strip; first < region.strip_end; first += group) {
      const int64_t last = smaller(region.strip_end, first + group);
      const int64_t lines = divide_up(kRegisterRows, last - first);
      const Pairs* panels = ready;
      for (int64_t l = 0; l < of_.k; l += depth_, panels += panels_ * size_) {
        for (int64_t i = first; i < last; ++i) {
          split_rows(i, l, splitter, strips + (i - first) * size_);
        }
        if (!splitter.all_have_parts()) return false;
        for (int64_t j = region.panel; j < region.panel_end; ++j) {
          const Pairs* panel = panels + j * size_;
          for (int64_t i = first; i < last; ++i) {
            const PairsAhead next = {panel + size_ + (i - first) * (size_ / (last - first)), lines};
            multiply_one(i, j, l, strips + (i - first) * size_, panel, next);
          }
        }
      }
    }
    return true;
  }

  bool multiply_by_strips(const Region& region, Pairs* memory) const {
    const TileRegisters registers(true);
    Splitter splitter;
    Pairs *strip = memory, *panels = memory + size_;
    for (int64_t first = region.panel; first < region.panel_end; first += kept_) {
      const int64_t last = smaller(region.panel_end, first + kept_);
      const int64_t column = first * kSplitSide;
      for (int64_t l = 0; l < of_.k; l += depth_) {
        split_b_(column, smaller(last * kSplitSide, of_.n) - column, l, depth(l), size_, splitter,
                 panels);
        for (int64_t i = region.strip; i < region.strip_end; ++i) {
          split_rows(i, l, splitter, strip);
          if (!splitter.all_have_parts()) return false;
          for (int64_t j = first; j < last; ++j) {
            multiply_one(i, j, l, strip, panels + (j - first) * size_, {});
          }
        }
      }
    }
    return true;
  }

  void split_rows(int64_t i, int64_t l, Splitter& splitter, Pairs* to) const {
    alignas(64) float buffer[kSplitSide * kSplitPiece + Vec<float>::size];
    const int64_t end = l + depth(l);
    for (; l < end; l += kSplitPiece, to += kSplitPiece / kSplitDepth * kChunkPairs) {
      const int64_t piece = smaller(kSplitPiece, end - l);
      const TileRows<float> a = source_.strip(i * kSplitSide, rows(i), l, piece, buffer);
      split_strip(a.data, a.row, a.step, rows(i), piece, splitter, to);
    }
  }

  void multiply_one(int64_t i, int64_t j, int64_t l, const Pairs* strip, const Pairs* panel,
                    PairsAhead ahead) const {
    const int64_t row = i * kSplitSide, column = j * kSplitSide;
    const int64_t chunks = divide_up(depth(l), kSplitDepth);
    const bool completes = l + depth_ >= of_.k;
    if constexpr (Output::kInPlace) {
      TileOutput<float> c = out_.place(row, column);
      c.columns = columns(j);
      c.accumulate = l > 0;
      multiply_split(rows(i), chunks, strip, panel, c, ahead);
      if (completes) out_.finish(row, rows(i), column, c.columns, c.data, c.row);
    } else {
      alignas(64) float sums[kSplitSide * kSplitSide];
      multiply_registers(rows(i), chunks, strip, panel, sums, kSplitSide, ahead);
      const Output& to = completes ? out_ : out_.partial();
      to.write(row, rows(i), column, columns(j), sums, kSplitSide, l > 0);
    }
  }

  int rows(int64_t i) const {
    return static_cast<int>(smaller(kSplitSide, of_.m - i * kSplitSide));
  }
  int columns(int64_t j) const {
    return static_cast<int>(smaller(kSplitSide, of_.n - j * kSplitSide));
  }
  int64_t depth(int64_t l) const { return smaller(depth_, of_.k - l); }

  const ProductSize of_;
  const Source& source_;
  const SplitB& split_b_;
  const Output& out_;
  const int64_t strips_, panels_;
  const int64_t depth_, size_;  // of k in a block; of a strip or panel of that depth
  const int64_t kept_;          // panels
};

// Whether it is faster than vectors: padding is at most half of the work.
inline bool worth_splitting(const ProductSize& of, int64_t least_rows = kSplitRows) {
  const auto padded_size = [](int64_t n) { return divide_up(n, kSplitSide) * kSplitSide; };
  if (!has_unit(kUnitAmx) || of.m < least_rows) return false;
  if (smaller(of.n, of.k) < kSplitSide) return false;
  return 2 * padded_size(of.m) * padded_size(of.n) * padded_size(of.k) <= 3 * of.m * of.n * of.k;
}

// Whether it is for few rows and a B that is small enough to be split meanwhile.
inline bool worth_splitting_strip(const ProductSize& of) {
  const int64_t bytes = of.n * of.k * static_cast<int64_t>(sizeof(float));
  return of.m <= kSplitSide && bytes <= kStripBytes && worth_splitting(of, kStripRows);
}

template <class Source, class SplitB, class Output>
bool multiply_split_matrices(const PydlContext* context, const ProductSize& of,
                             const Source& source, const SplitB& split_b, const KeptOperand& b,
                             const Output& out, PydlStatus* status) {
  return SplitProduct<Source, SplitB, Output>(of, source, split_b, out).run(context, b, status);
}

// A that is a matrix in memory.
struct MatrixRows {
  const float* data;
  int64_t row, column;
  TileRows<float> strip(int64_t i, int, int64_t l, int64_t, float*) const {
    return {data + i * row + l * column, row, column};
  }
};

// Whether it computed C.
template <class S, class O>
inline bool multiply_by_parts(const PydlContext* context, const PydlGemmArgs& args,
                              const MatrixOutput<S, O>& out, PydlStatus* status) {
  if constexpr (std::is_same_v<S, float>) {
    const ProductSize of = {args.m, args.n, args.k};
    const bool kept = args.prepared_b && worth_splitting_strip(of);
    if (args.accumulate || !(kept || worth_splitting(of))) return false;
    const float* b = static_cast<const float*>(args.b);
    const int64_t row = args.b_row_stride, column = args.b_col_stride;
    const MatrixRows a = {static_cast<const float*>(args.a), args.a_row_stride, args.a_col_stride};
    const auto split_b = [&](int64_t j, int64_t columns, int64_t l, int64_t depth, int64_t size,
                             Splitter& splitter, Pairs* to) {
      split_panels(b + l * row + j * column, row, column, depth, columns, size, splitter, to);
    };
    return multiply_split_matrices(context, of, a, split_b, {args.prepared_b, b, row, column}, out,
                                   status);
  } else {
    return false;
  }
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
