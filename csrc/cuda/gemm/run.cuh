// Host side of the main loop: divides a product among blocks and launches it.
#pragma once

#include "cuda/device_attribute.h"
#include "cuda/gemm/main_loop.cuh"
#include "pydl/kernel.h"

namespace pydl::cuda {
namespace {

inline int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Whether tiles of 128 x 128 keep all multiprocessors busy; else those of 64 x 64 do better.
inline bool worth_large_tiles(int64_t m, int64_t n, int64_t batch) {
  const int processors = device_attribute(cudaDevAttrMultiProcessorCount);
  return m > 64 && n > 64 && divide_up(m, 128) * divide_up(n, 128) * batch >= processors;
}

// Splits the sum where there are fewer tiles than multiprocessors, but not into less than 8 tiles each:
// the partial sums have to be written and read again.
template <class Multiplier>
Division divide(int m, int n, int k, int64_t batch) {
  constexpr int kDepth = Multiplier::kDepth;
  Division by = {};
  by.row_tiles = static_cast<int>(divide_up(m, Multiplier::kTileRows));
  by.column_tiles = static_cast<int>(divide_up(n, Multiplier::kTileColumns));
  const int64_t blocks = by.row_tiles * int64_t{by.column_tiles} * batch;
  const int64_t wanted = 2 * device_attribute(cudaDevAttrMultiProcessorCount) / blocks;
  const int64_t depth_tiles = divide_up(k, kDepth), possible = depth_tiles / 8;
  const int64_t splits = wanted < possible ? wanted : possible;
  by.depth_per_split =
      static_cast<int>((splits > 1 ? divide_up(depth_tiles, splits) : depth_tiles) * kDepth);
  by.splits = k > 0 ? static_cast<int>(divide_up(k, by.depth_per_split)) : 1;
  return by;
}

template <class Multiplier, class OperandA, class OperandB>
PydlStatus launch_tiles(const PydlContext* context, const Product<OperandA, OperandB>& product) {
  const Division& by = product.division;
  const int64_t tiles = by.row_tiles * int64_t{by.column_tiles} * by.splits;
  const int64_t blocks = tiles * product.batch.count;
  if (blocks > INT32_MAX) {
    return context->fail(context, PYDL_ERROR_VALUE, "expected a product of less than 2^31 tiles");
  }
  return launch(context, dim3(static_cast<unsigned>(blocks)), dim3(Multiplier::kThreads),
                MainLoopShared<Multiplier>::kBytes, multiply_tiles<Multiplier, OperandA, OperandB>,
                product);
}

template <class S, class Sum>
PydlStatus launch_add_splits(const PydlContext* context, const Batch& batch, const Output& out,
                             const Sum* partial, int splits, int m, int n) {
  const int64_t fours = batch.count * m * divide_up(n, 4);
  return launch(context, dim3(blocks_for(fours, 256)), dim3(256), 0, add_splits<S, Sum>, batch, out,
                partial, splits, m, n);
}

template <class Multiplier, class OperandA, class OperandB>
PydlStatus run_product(const PydlContext* context, Product<OperandA, OperandB> product) {
  using T = typename Multiplier::T;
  using Sum = typename Multiplier::Sum;
  const int m = product.m, n = product.n;
  if (product.batch.count == 0 || m == 0 || n == 0) return PYDL_OK;
  Division& by = product.division;
  by = divide<Multiplier>(m, n, product.k, product.batch.count);
  if (by.splits == 1) return launch_tiles<Multiplier>(context, product);

  Scratch<Sum> partial(context, by.splits * product.batch.count * m * n);
  if (!partial) return PYDL_ERROR_MEMORY;
  by.partial = partial.data();
  const PydlStatus status = launch_tiles<Multiplier>(context, product);
  if (status != PYDL_OK) return status;
  return launch_add_splits<T, Sum>(context, product.batch, product.out, partial.data(), by.splits, m,
                                   n);
}

}  // namespace
}  // namespace pydl::cuda
