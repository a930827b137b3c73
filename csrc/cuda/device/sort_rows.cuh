// Stable sorts of rows: short ones in shared memory, long ones by digits.
#pragma once

#include "cuda/device/radix_sort.cuh"
#include "cuda/device/sort_tile.cuh"

namespace pydl::cuda {
namespace {

// A block sorts as many rows as fit in its tile, each padded to n elements.
template <class K, bool kPositions>
__global__ void __launch_bounds__(kTileThreads)
    sort_rows_kernel(int64_t rows, int columns, int n, SortedArray from, SortedArray to) {
  __shared__ K keys[kTile];
  __shared__ int32_t positions[kPositions ? kTile : 1];
  const int64_t first = int64_t{blockIdx.x} * (kTile / n);
  for (int i = static_cast<int>(threadIdx.x); i < kTile; i += kTileThreads) {
    const int64_t row = first + i / n;
    const int column = i % n;
    const bool inside = row < rows && column < columns;
    keys[i] = inside ? from.codec.load<K>(from.keys, row * columns + column) : ~K{0};
    if constexpr (kPositions) positions[i] = column;
  }
  sort_tile<K, kPositions>(keys, positions, n);
  for (int i = static_cast<int>(threadIdx.x); i < kTile; i += kTileThreads) {
    const int64_t row = first + i / n;
    const int column = i % n;
    if (row >= rows || column >= columns) continue;
    if (to.keys) to.codec.store(to.keys, row * columns + column, keys[i]);
    if constexpr (kPositions) to.positions[row * columns + column] = positions[i];
  }
}

// Sorts rows by the lowest `bits` bits of their keys, which are all that differ. The result has
// keys, positions or both.
template <class K, bool kPositions>
PydlStatus sort_rows(const PydlContext* context, int64_t rows, int64_t columns, int bits,
                     const SortedArray& from, const SortedArray& to) {
  if (columns > kTile) return radix_sort<K, kPositions>(context, rows, columns, bits, from, to);
  const int n = power_of_two_from(columns);
  const int64_t blocks = (rows - 1) / (kTile / n) + 1;
  return launch(context, dim3(static_cast<unsigned>(blocks)), dim3(kTileThreads), 0,
                sort_rows_kernel<K, kPositions>, rows, static_cast<int>(columns), n, from, to);
}

}  // namespace
}  // namespace pydl::cuda
