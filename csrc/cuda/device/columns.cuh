// Reductions down the columns of dense (items, rows, columns) arrays, in two passes where there are
// many rows: blocks reduce chunks of rows, and what they found is reduced again. How rows are cut
// depends on nothing but the shape.
#pragma once

#include "cuda/device/strided.cuh"
#include "cuda/kernel.h"
#include "pydl/cuda/dtype.cuh"

namespace pydl::cuda {
namespace {

constexpr int kColumnThreads = 256;

// Blocks of `lanes` columns, of all items, by kColumnThreads / lanes rows.
struct ColumnGrid {
  int64_t items, rows, columns;
  int64_t tiles, chunks, chunk_rows;
  int lanes;

  ColumnGrid(int64_t item_count, int64_t row_count, int64_t column_count, bool in_one_chunk = false)
      : items(item_count), rows(row_count), columns(column_count), chunks(1), lanes(1) {
    constexpr int64_t kRowsOfThread = 8, kEnoughBlocks = 1024;
    while (lanes < 32 && lanes < columns) lanes *= 2;
    while (lanes < kColumnThreads && kColumnThreads / lanes >= 2 * rows) lanes *= 2;
    tiles = divide_up(items * columns, lanes);
    if (!in_one_chunk) {
      const int64_t most = divide_up(rows, kColumnThreads / lanes * kRowsOfThread);
      const int64_t wanted = divide_up(kEnoughBlocks, tiles);
      chunks = most < wanted ? most : wanted;
    }
    if (chunks < 1) chunks = 1;
    chunk_rows = divide_up(rows, chunks);
  }
  uint32_t blocks() const { return static_cast<uint32_t>(chunks * tiles); }
  int64_t results() const { return items * chunks * columns; }
};

// A Reducer has a State, which starts as State(), and read(state, item, row, column), state.merge(other)
// and write(state, item, index), where index counts (item, chunk, column).
template <class Reducer>
__global__ void __launch_bounds__(kColumnThreads)
    reduce_columns_kernel(ColumnGrid grid, Reducer reducer) {
  using State = typename Reducer::State;
  __shared__ State states[kColumnThreads];
  const int lane = threadIdx.x % grid.lanes, group = threadIdx.x / grid.lanes;
  const int groups = kColumnThreads / grid.lanes;
  const int64_t all = blockIdx.x % grid.tiles * grid.lanes + lane;
  const int64_t item = all / grid.columns, column = all % grid.columns;
  const int64_t chunk = blockIdx.x / grid.tiles;
  const bool inside = item < grid.items;
  const int64_t begin = chunk * grid.chunk_rows;
  const int64_t end = begin + grid.chunk_rows < grid.rows ? begin + grid.chunk_rows : grid.rows;
  State state;
  if (inside) {
#pragma unroll 4
    for (int64_t row = begin + group; row < end; row += groups)
      reducer.read(state, item, row, column);
  }
  for (int step = groups / 2; step > 0; step /= 2) {
    states[threadIdx.x] = state;
    __syncthreads();
    if (group < step) state.merge(states[threadIdx.x + step * grid.lanes]);
    __syncthreads();
  }
  if (group == 0 && inside)
    reducer.write(state, item, (item * grid.chunks + chunk) * grid.columns + column);
}

template <class Reducer>
PydlStatus reduce_columns(const PydlContext* context, const ColumnGrid& grid,
                          const Reducer& reducer) {
  return launch(context, dim3(grid.blocks()), dim3(kColumnThreads), 0,
                reduce_columns_kernel<Reducer>, grid, reducer);
}

template <class C, int kSums>
struct Sums {
  C v[kSums] = {};
  __device__ void merge(const Sums& other) {
#pragma unroll
    for (int k = 0; k < kSums; ++k) v[k] += other.v[k];
  }
};

// Sums of terms(item, row, column, values), kSums values at a time.
template <class C, int kSums, class Terms>
struct SumReducer {
  using State = Sums<C, kSums>;
  Terms terms;
  C* out[kSums];  // each may be NULL

  __device__ void read(State& state, int64_t item, int64_t row, int64_t column) const {
    C values[kSums];
    terms(item, row, column, values);
#pragma unroll
    for (int k = 0; k < kSums; ++k) state.v[k] += values[k];
  }
  __device__ void write(const State& state, int64_t, int64_t index) const {
#pragma unroll
    for (int k = 0; k < kSums; ++k) {
      if (out[k]) out[k][index] = state.v[k];
    }
  }
};

// parts: (kSums, items, parts, columns)
template <class C, int kSums>
struct PartTerms {
  const C* parts;
  int64_t items, count, columns;
  __device__ void operator()(int64_t item, int64_t part, int64_t column, C (&values)[kSums]) const {
#pragma unroll
    for (int k = 0; k < kSums; ++k)
      values[k] = parts[((k * items + item) * count + part) * columns + column];
  }
};

// out[k] = the sums over the parts of (kSums, items, parts, columns): (items, columns)
template <class C, int kSums>
PydlStatus add_partial_sums(const PydlContext* context, const C* sums, int64_t items, int64_t parts,
                            int64_t columns, C* const (&out)[kSums]) {
  using Reducer = SumReducer<C, kSums, PartTerms<C, kSums>>;
  Reducer reducer = {{sums, items, parts, columns}, {}};
  for (int k = 0; k < kSums; ++k) reducer.out[k] = out[k];
  return reduce_columns(context, ColumnGrid(items, parts, columns, true), reducer);
}

// out[k] = the sums over rows of the terms: (items, columns)
template <class C, int kSums, class Terms>
PydlStatus sum_columns(const PydlContext* context, int64_t items, int64_t rows, int64_t columns,
                       const Terms& terms, C* const (&out)[kSums]) {
  const ColumnGrid grid(items, rows, columns);
  SumReducer<C, kSums, Terms> reducer = {terms, {}};
  for (int k = 0; k < kSums; ++k) reducer.out[k] = out[k];
  if (grid.chunks == 1) return reduce_columns(context, grid, reducer);
  Scratch<C> parts(context, kSums * grid.results());
  if (!parts) return context->fail(context, PYDL_ERROR_MEMORY, "[sum] out of memory");
  for (int k = 0; k < kSums; ++k) reducer.out[k] = parts.data() + k * grid.results();
  const PydlStatus status = reduce_columns(context, grid, reducer);
  if (status != PYDL_OK) return status;
  return add_partial_sums<C, kSums>(context, parts.data(), items, grid.chunks, columns, out);
}

}  // namespace
}  // namespace pydl::cuda
