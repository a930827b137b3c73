// How a tile of an operand lies in shared memory: as in global memory, in rows of contiguous elements,
// their 16-byte chunks permuted so that no access pattern of the multipliers meets a bank conflict.
#pragma once

#include <cuda_runtime.h>
#include <stdint.h>

namespace pydl::cuda {
namespace {

// Where a sum of a tile with kColumns waits for the way out: groups of 8 columns are permuted so that rows
// that follow one another start in different banks.
template <int kColumns>
__device__ inline int sum_place(int row, int column) {
  return row * kColumns + (column ^ (row & 7) * 8);
}

// kOuter rows of A (or columns of B) by kDepth; kDepthContiguous where neighbours in depth are
// neighbours in memory.
template <class Element, int kOuter, int kDepth, bool kDepthContiguous_>
struct SharedTile {
  using T = Element;
  static constexpr bool kDepthContiguous = kDepthContiguous_;
  static constexpr int kRows = kDepthContiguous ? kOuter : kDepth;
  static constexpr int kColumns = kDepthContiguous ? kDepth : kOuter;
  static constexpr int kChunk = 16 / sizeof(T);  // elements
  static constexpr int kChunks = kColumns / kChunk;
  static constexpr int kSize = kOuter * kDepth;  // elements
  static_assert(kChunks >= 4, "rows of at least 64 bytes");

  // ldmatrix reads a chunk of 8 rows at once, SIMT code a few chunks of a row: rows that share banks
  // must differ in the chunk. Fragments of 32 bits are read 2 chunks from each of 4 rows; of 8 bits,
  // where ldmatrix transposes, from pairs of rows with a pair between (tensor8.cuh).
  static __device__ int offset(int row, int chunk) {
    int twist;
    if constexpr (!kDepthContiguous && sizeof(T) == 4) {
      twist = (row & 3) << 1;
    } else if constexpr (!kDepthContiguous && sizeof(T) == 1) {
      twist = kChunks == 4 ? row >> 2 & 3 : (row & 1) | (row >> 2 & 3) << 1;
    } else {
      twist = kChunks == 4 ? row >> 1 & 3 : row & 7;
    }
    return row * kColumns + (chunk ^ twist) * kChunk;
  }

  // Of one element, given by its place in the operand.
  static __device__ int element(int outer, int depth) {
    const int row = kDepthContiguous ? outer : depth, column = kDepthContiguous ? depth : outer;
    return offset(row, column / kChunk) + column % kChunk;
  }
};

}  // namespace
}  // namespace pydl::cuda
