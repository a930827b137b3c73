// Host side of warpgroup_kernel.cuh: when it serves, and its launch.
#pragma once

#include "cuda/gemm/run.cuh"
#include "cuda/gemm/warpgroup_kernel.cuh"

namespace pydl::cuda {
namespace {

// A tile's columns for a result of n: the widest that leaves at most an eighth of the work to columns
// outside.
inline int tile_columns(int64_t n) {
  for (const int columns : {256, 128}) {
    if (divide_up(n, columns) * columns * 7 <= divide_up(n, 64) * 64 * 8) return columns;
  }
  return 64;
}

// Divides a product among the blocks, one to a multiprocessor. Sums are split where there are too few
// tiles, but not into less than 8 stages each. False where most multiprocessors would have none.
template <class Product>
bool divide_among_warpgroups(int columns, Product* product) {
  using Tile = WarpgroupTile<256>;
  const int processors = device_attribute(cudaDevAttrMultiProcessorCount);
  Division by = {};
  by.row_tiles = static_cast<int>(divide_up(product->m, Tile::kRows));
  by.column_tiles = static_cast<int>(divide_up(product->n, columns));
  const int64_t tiles = by.row_tiles * int64_t{by.column_tiles} * product->batch.count;
  const int64_t depth_tiles = divide_up(product->k, Tile::kDepth);
  const int64_t wanted = processors / tiles, possible = depth_tiles / 8;
  const int64_t splits = wanted < possible ? wanted : possible;
  by.depth_per_split =
      static_cast<int>((splits > 1 ? divide_up(depth_tiles, splits) : depth_tiles) * Tile::kDepth);
  by.splits = static_cast<int>(divide_up(product->k, by.depth_per_split));
  product->division = by;
  return tiles * by.splits * 4 >= processors * 3 && tiles <= INT32_MAX;
}

// `done` becomes whether there is code for the device.
template <class T, class Tile, bool kADepth, bool kBDepth, class OperandA>
PydlStatus run_warpgroups(const PydlContext* context, WarpgroupProduct<OperandA> product,
                          bool* done) {
  const auto kernel = multiply_with_warpgroups<T, Tile, kADepth, kBDepth, OperandA>;
  *done = has_warpgroup_code(kernel);
  if (!*done) return PYDL_OK;
  Division& by = product.division;
  const int64_t count = product.batch.count;
  Scratch<float> partial(context, by.splits > 1 ? by.splits * count * product.m * product.n : 0);
  if (by.splits > 1 && !partial) return PYDL_ERROR_MEMORY;
  by.partial = by.splits > 1 ? partial.data() : nullptr;
  const int64_t tiles = by.row_tiles * int64_t{by.column_tiles} * by.splits * count;
  const int64_t processors = device_attribute(cudaDevAttrMultiProcessorCount);
  const PydlStatus status =
      launch(context, dim3(static_cast<unsigned>(tiles < processors ? tiles : processors)),
             dim3(Tile::kThreads), Tile::kSharedBytes, kernel, product);
  if (status != PYDL_OK || by.splits == 1) return status;
  return launch_add_splits<T, float>(context, product.batch, product.out, partial.data(), by.splits,
                                     product.m, product.n);
}

}  // namespace
}  // namespace pydl::cuda
