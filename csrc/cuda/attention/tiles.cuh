// What the attention kernels on the ordinary arithmetic units share, for float64 and exact float32: tiles
// of rows of a head in shared memory, and products of two of them in registers.
#pragma once

#include "cuda/attention/choose.cuh"
#include "cuda/attention/scores.cuh"
#include "cuda/kernel.h"
#include "pydl/cuda/dtype.cuh"
#include "pydl/cuda/warp.cuh"

namespace pydl::cuda {
namespace {

// kHead: the head size, rounded up; kTiles: of rows of a head, with half as many of scores; kPer: rows, and
// columns, of a tile of scores for one thread; kSide: threads along the rows, and along the columns.
template <class S, int kHead_, int kTiles, int kPer_, int kSide_ = 16>
struct AttentionShape {
  using Storage = S;
  using T = Compute<S>;
  template <int kPerThread, int kAcross>
  using Like = AttentionShape<S, kHead_, kTiles, kPerThread, kAcross>;
  using Halved = Like<kPer_ / 2, kSide_>;
  using Smaller = std::conditional_t<
      (kPer_ > 2), Halved,
      std::conditional_t<(kSide_ > 8), Like<kPer_, 8>, std::conditional_t<(kPer_ > 1), Halved, void>>>;
  static constexpr int kSide = kSide_, kThreads = kSide * kSide;
  static constexpr int kHead = kHead_, kPer = kPer_, kTile = kSide * kPer;
  static constexpr int kRow = kHead + 1, kScoreRow = kTile + 1;  // odd: no two lanes share a bank
  static constexpr int kParts = kHead / kSide;                   // columns of a result per thread
  static constexpr size_t kTileBytes = sizeof(T) * kTile * kRow;
  static constexpr size_t kScoreBytes = sizeof(T) * kTile * kScoreRow;
  static constexpr size_t kSharedBytes = kTiles * kTileBytes + kTiles / 2 * kScoreBytes;
};

template <class Shape>
struct TilePlace {
  int x = threadIdx.x % Shape::kSide, y = threadIdx.x / Shape::kSide;  // of this thread
  __device__ TilePlace() {}
};

// Rows [first, first + kTile) of a head, times `factor`; 0 past the ends.
template <class Shape>
__device__ void load_tile(const typename Shape::Storage* head, int64_t stride, int64_t first,
                          int64_t rows, int64_t size, typename Shape::T factor,
                          typename Shape::T* tile) {
  using T = typename Shape::T;
  for (int i = threadIdx.x; i < Shape::kTile * Shape::kHead; i += Shape::kThreads) {
    const int row = i / Shape::kHead, column = i % Shape::kHead;
    const bool inside = first + row < rows && column < size;
    tile[row * Shape::kRow + column] =
        inside ? to_compute(head[(first + row) * stride + column]) * factor : T(0);
  }
}

// out[i][j] = the product of row kPer y + i of a and row x + kSide j of b.
template <class Shape, class T>
__device__ void multiply_rows(const T* a, const T* b, T (&out)[Shape::kPer][Shape::kPer]) {
  const TilePlace<Shape> at;
#pragma unroll
  for (int i = 0; i < Shape::kPer; ++i)
#pragma unroll
    for (int j = 0; j < Shape::kPer; ++j) out[i][j] = T(0);
  a += at.y * Shape::kPer * Shape::kRow;
  b += at.x * Shape::kRow;
#pragma unroll 4
  for (int d = 0; d < Shape::kHead; ++d) {
    T left[Shape::kPer], right[Shape::kPer];
#pragma unroll
    for (int i = 0; i < Shape::kPer; ++i) {
      left[i] = a[i * Shape::kRow + d];
      right[i] = b[i * Shape::kSide * Shape::kRow + d];
    }
#pragma unroll
    for (int i = 0; i < Shape::kPer; ++i)
#pragma unroll
      for (int j = 0; j < Shape::kPer; ++j) out[i][j] += left[i] * right[j];
  }
}

// sums[i][j] += row kPer y + i of the scores times column x + kSide j of the rows.
template <class Shape, class T>
__device__ void add_products(const T* scores, const T* rows,
                             T (&sums)[Shape::kPer][Shape::kParts]) {
  const TilePlace<Shape> at;
  scores += at.y * Shape::kPer * Shape::kScoreRow;
  rows += at.x;
#pragma unroll 2
  for (int k = 0; k < Shape::kTile; ++k) {
    T left[Shape::kPer];
#pragma unroll
    for (int i = 0; i < Shape::kPer; ++i) left[i] = scores[i * Shape::kScoreRow + k];
#pragma unroll
    for (int j = 0; j < Shape::kParts; ++j) {
      const T right = rows[k * Shape::kRow + j * Shape::kSide];
#pragma unroll
      for (int i = 0; i < Shape::kPer; ++i) sums[i][j] += left[i] * right;
    }
  }
}

// Rows kPer y + i of a result whose rows are `stride` apart.
template <class Shape, class T>
__device__ void store_rows(const T (&sums)[Shape::kPer][Shape::kParts], T factor,
                           typename Shape::Storage* head, int64_t stride, int64_t first,
                           int64_t rows, int64_t size) {
  const TilePlace<Shape> at;
#pragma unroll
  for (int i = 0; i < Shape::kPer; ++i) {
    const int64_t row = first + at.y * Shape::kPer + i;
    if (row >= rows) continue;
#pragma unroll
    for (int j = 0; j < Shape::kParts; ++j) {
      const int column = at.x + j * Shape::kSide;
      if (column < size)
        head[row * stride + column] = from_compute<typename Shape::Storage>(sums[i][j] * factor);
    }
  }
}

// Calls visit(shape) with the smallest tiles that hold a head, as many rows of them as memory allows.
template <class S, int kTiles, class Visitor>
PydlStatus visit_shape(const PydlContext* context, const PydlAttentionGeometry& g,
                       Visitor&& visit) {
  constexpr bool is_double = std::is_same_v<S, double>;
  const int64_t size = largest_size(g);
  constexpr int kFew = is_double ? 1 : 2;
  if (size <= 64)
    return visit_fitting<AttentionShape<S, 64, kTiles, 2 * kFew>>(context, visit);
  if (size <= 128) return visit_fitting<AttentionShape<S, 128, kTiles, 2>>(context, visit);
  if (size <= 256) return visit_fitting<AttentionShape<S, 256, kTiles, kFew>>(context, visit);
  return fail_size(context, size);
}

}  // namespace
}  // namespace pydl::cuda
