// The product of few rows and a matrix, in tile registers: B is split piece by piece, each while
// the one before is multiplied, so that its parts never leave the L1 cache. Threads share blocks
// of k, so each reads rows of B, and nearly the same ones as when it writes gradients and takes
// steps of optimizers: rows stay in the cache of one thread.
#pragma once

#include "cpu/gemm/split.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// What vectors do while tile registers multiply: split the next 32 x 32 elements of B, and bring
// near the parts of A that belong to them and the elements below.
class SplitMeanwhile {
 public:
  SplitMeanwhile(const Square& from, const Splitter& splitter, Pairs* to, const Pairs* strip)
      : from_(from), splitter_(splitter), to_(to), strip_(strip) {}

  void operator()() {
    prefetch_register(strip_);
    strip_ += kRegisterPairs;
    for (int i = 0; i < kRowsACall && row_ < kRegisterRows; ++i, ++row_, to_ += 16) {
      const float *x = from_.data + row_ * from_.row, *y = x + kRegisterRows * from_.row;
      const int64_t below = kSplitDepth * from_.row;
      __builtin_prefetch(x + below);
      __builtin_prefetch(x + below + 16);
      __builtin_prefetch(y + below);
      __builtin_prefetch(y + below + 16);
      splitter_.split(Vec<float>::load(x), Vec<float>::load(y), to_);
      splitter_.split(Vec<float>::load(x + 16), Vec<float>::load(y + 16), to_ + kRegisterPairs);
    }
  }
  void run() {
    for (int64_t i = 0; i < kMeanwhileCalls; ++i) (*this)();
  }
  const Splitter& splitter() const { return splitter_; }

 private:
  static constexpr int kRowsACall = (kRegisterRows + kMeanwhileCalls - 1) / kMeanwhileCalls;
  const Square from_;
  Splitter splitter_;
  Pairs* to_;
  const Pairs* strip_;
  int row_ = 0;
};

// C = A @ B with at most kSplitSide rows.
template <class Output>
class StripProduct {
 public:
  StripProduct(const PydlGemmArgs& args, const Output& out)
      : args_(args),
        out_(out),
        panels_(divide_up(args.n, kSplitSide)),
        depth_(split_depth(args.k)),
        blocks_(divide_up(args.k, depth_)),
        row_(panels_ * kSplitSide) {}

  // As SplitProduct::run.
  bool run(const PydlContext* context, PydlStatus* status) const {
    const int64_t items = blocks_ * panels_, products = kSplitSide * row_ * args_.k;
    const int64_t threads = larger(1, smaller(context->num_threads, products / kProductsPerThread));
    const int64_t regions = smaller(threads, items), size = depth_ / kSplitDepth * kChunkPairs;
    const Scratch<float> sums(context, blocks_ * kSplitSide * row_);
    const Scratch<Pairs> strips(context, regions * size);
    if (!sums || !strips) {
      *status = context->fail(context, PYDL_ERROR_MEMORY, "[matmul] out of memory");
      return true;
    }
    bool computed = true;
    parallel_for(context, regions, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t first = items * i / regions, last = items * (i + 1) / regions;
        if (!multiply(first, last, strips.data() + i * size, sums.data())) {
          __atomic_store_n(&computed, false, __ATOMIC_RELAXED);
        }
      }
    });
    if (!computed) return false;
    add_parts(sums.data(), blocks_, kSplitSide * row_, args_.m * row_);
    out_.write(0, static_cast<int>(args_.m), 0, args_.n, sums.data(), row_, false);
    return true;
  }

 private:
  struct Place {  // of 32 x 32 elements of B
    int64_t item, chunk;
  };

  // Sums of blocks and panels [item, last).
  bool multiply(int64_t item, int64_t last, Pairs* strip, float* sums) const {
    const TileRegisters registers(true);
    alignas(64) Pairs ring[2][kChunkPairs];
    alignas(64) float buffer[kSplitSide * kSplitSide];
    Splitter splitter;
    SplitMeanwhile first(square({item, 0}, buffer), splitter, ring[0], strip);
    first.run();
    splitter = first.splitter();
    int turn = 0;
    for (int64_t block = -1; item < last; ++item) {
      if (block != item / panels_) {
        block = item / panels_;
        const float* a = static_cast<const float*>(args_.a) + block * depth_ * args_.a_col_stride;
        split_strip(a, args_.a_row_stride, args_.a_col_stride, args_.m, depth(block), splitter,
                    strip);
      }
      const int64_t chunks = divide_up(depth(block), kSplitDepth);
      clear_registers();
      for (int64_t chunk = 0; chunk < chunks; ++chunk, turn ^= 1) {
        const Place next = chunk + 1 < chunks ? Place{item, chunk + 1} : Place{item + 1, 0};
        const Pairs* from = strip + chunk * kChunkPairs;
        if (next.item == last) {
          multiply_chunks(args_.m, 1, from, ring[turn], PairsAhead{});
          break;
        }
        SplitMeanwhile meanwhile(square(next, buffer), splitter, ring[turn ^ 1],
                                 strip + next.chunk * kChunkPairs);
        multiply_chunks(args_.m, 1, from, ring[turn], meanwhile);
        splitter = meanwhile.splitter();
      }
      store_registers(args_.m, sums + block * kSplitSide * row_ + item % panels_ * kSplitSide,
                      row_);
    }
    return splitter.all_have_parts();
  }

  Square square(const Place& at, float* buffer) const {
    const int64_t l = at.item / panels_ * depth_ + at.chunk * kSplitDepth;
    const int64_t j = at.item % panels_ * kSplitSide;
    const int64_t row = args_.b_row_stride, column = args_.b_col_stride;
    return square_of(static_cast<const float*>(args_.b) + l * row + j * column, row, column,
                     kSplitSide, args_.k - l, args_.n - j, buffer);
  }

  int64_t depth(int64_t block) const { return smaller(depth_, args_.k - block * depth_); }

  const PydlGemmArgs& args_;
  const Output& out_;
  const int64_t panels_, depth_, blocks_;
  const int64_t row_;  // of sums
};

// Whether it computed C.
template <class S, class O>
inline bool multiply_strip_by_parts(const PydlContext* context, const PydlGemmArgs& args,
                                    const MatrixOutput<S, O>& out, PydlStatus* status) {
  if constexpr (std::is_same_v<S, float>) {
    if (args.accumulate || !worth_splitting_strip({args.m, args.n, args.k})) return false;
    return StripProduct<MatrixOutput<S, O>>(args, out).run(context, status);
  } else {
    return false;
  }
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
