// A batch of products as kernels see it, and which part of it a block computes.
#pragma once

#include "cuda/gemm/epilogue.cuh"
#include "cuda/gemm/operand.cuh"
#include "pydl/abi.h"

namespace pydl::cuda {
namespace {

struct BatchOffsets {
  int64_t a = 0, b = 0, c = 0, bias = 0;
};

// Outer dimensions; strides in elements.
struct Batch {
  int64_t rank = 0;
  int64_t count = 1;
  int64_t shape[PYDL_MAX_RANK] = {};
  int64_t a[PYDL_MAX_RANK] = {}, b[PYDL_MAX_RANK] = {}, c[PYDL_MAX_RANK] = {};
  int64_t bias = 0;  // of the whole index: the bias of groups of channels

  // From the outermost on; dimensions that lie one in another become one.
  void append(int64_t extent, int64_t a_stride, int64_t b_stride, int64_t c_stride) {
    count *= extent;
    if (extent == 1) return;
    const int64_t last = rank - 1;
    const bool nested = rank > 0 && a[last] == extent * a_stride && b[last] == extent * b_stride &&
                        c[last] == extent * c_stride;
    const int64_t d = nested ? last : rank++;
    shape[d] = nested ? shape[d] * extent : extent;
    a[d] = a_stride;
    b[d] = b_stride;
    c[d] = c_stride;
  }

  __device__ BatchOffsets offsets(int64_t index) const {
    BatchOffsets at;
    at.bias = index * bias;
    for (int64_t d = rank - 1; d >= 0; --d) {
      const int64_t i = index % shape[d];
      index /= shape[d];
      at.a += i * a[d];
      at.b += i * b[d];
      at.c += i * c[d];
    }
    return at;
  }
};

// How a product is divided among blocks.
struct Division {
  int row_tiles, column_tiles;
  int splits, depth_per_split;  // of the sum; with several, `partial` gets them, one after another
  void* partial;                // (splits, batch, m, n)
};

template <class OperandA, class OperandB>
struct Product {
  OperandA a;
  OperandB b;
  int m, n, k;
  Division division;
  Batch batch;
  Output out;
};

// The tile, the split and the batch item of a block.
struct BlockWork {
  int row_tile, column_tile, split;
  int64_t item;

  __device__ BlockWork(const Division& by, int64_t block) {
    const int tiles = by.row_tiles * by.column_tiles;
    int tile = static_cast<int>(block % tiles);
    split = static_cast<int>(block / tiles % by.splits);
    item = block / tiles / by.splits;
    // Blocks that run together share rows and columns: bands of 8 tile rows, down each first.
    constexpr int kBand = 8;
    const int band = tile / (kBand * by.column_tiles), first = band * kBand;
    const int height = by.row_tiles - first < kBand ? by.row_tiles - first : kBand;
    tile -= band * kBand * by.column_tiles;
    row_tile = first + tile % height;
    column_tile = tile / height;
  }
};

}  // namespace
}  // namespace pydl::cuda
