// Brings tiles of an operand into shared memory.
#pragma once

#include "cuda/device/ptx/copy_async.cuh"
#include "cuda/gemm/shared_tile.cuh"

namespace pydl::cuda {
namespace {

// A thread always copies the same chunk of a row, from every kStep-th row of a tile, so that what does
// not change from tile to tile is worked out once. kAligned: 16-byte loads will do for sure.
template <class Tile, class Operand, int kThreads, bool kAligned = false>
class TileLoader {
  using T = typename Tile::T;
  static constexpr int kStep = kThreads / Tile::kChunks;
  static constexpr int kCopies = Tile::kRows / kStep;
  static_assert(kThreads % Tile::kChunks == 0 && Tile::kRows % kStep == 0, "whole copies");

 public:
  // Tiles start at `outer`; elements from outer_end or depth_end on are zeros.
  __device__ TileLoader(const Operand& operand, int outer, int outer_end, int depth_end)
      : operand_(operand),
        rows_left_((Tile::kDepthContiguous ? outer_end - outer : depth_end) - first_row()),
        first_column_((Tile::kDepthContiguous ? 0 : outer) + chunk() * Tile::kChunk),
        column_end_(Tile::kDepthContiguous ? depth_end : outer_end) {
    if constexpr (Tile::kDepthContiguous) {
#pragma unroll
      for (int i = 0; i < kCopies; ++i) rows_[i] = operand_.row(outer + first_row() + i * kStep);
    } else {
      column_ = operand_.column(first_column_);
    }
  }

  // Starts to copy the tile at `depth`.
  __device__ void load(T* tile, int depth) {
    const int first = Tile::kDepthContiguous ? 0 : depth;
    const int column = Tile::kDepthContiguous ? depth + first_column_ : first_column_;
    if constexpr (Tile::kDepthContiguous) column_ = operand_.column(column);
#pragma unroll
    for (int i = 0; i < kCopies; ++i) {
      const bool inside = first + i * kStep < rows_left_ && column < column_end_;
      if constexpr (!Tile::kDepthContiguous) {
        rows_[0] = operand_.row(depth + first_row() + i * kStep);
      }
      const typename Operand::Row& row = rows_[Tile::kDepthContiguous ? i : 0];
      T* to = tile + Tile::offset(first_row() + i * kStep, chunk());
      if (kAligned || operand_.aligned) {
        copy_chunk(to, inside ? operand_.find(row, column_) : nullptr, column_end_ - column);
      } else {
        copy_elements(to, inside, row, column);
      }
    }
  }

 private:
  static __device__ int chunk() { return static_cast<int>(threadIdx.x) % Tile::kChunks; }
  static __device__ int first_row() { return static_cast<int>(threadIdx.x) / Tile::kChunks; }

  __device__ void copy_chunk(T* to, const T* from, int rest) const {
    const int valid = from ? (rest < Tile::kChunk ? rest : Tile::kChunk) : 0;
    ptx::copy_async<16>(to, from ? from : operand_.data, valid * static_cast<int>(sizeof(T)));
  }

  __device__ void copy_elements(T* to, bool inside, const typename Operand::Row& row,
                                int column) const {
    // Not unrolled: the way of odd shapes shall not cost the others registers.
#pragma unroll 1
    for (int e = 0; e < Tile::kChunk; ++e) {
      const T* from = inside && column + e < column_end_
                          ? operand_.find(row, operand_.column(column + e))
                          : nullptr;
      if constexpr (sizeof(T) >= 4) {
        ptx::copy_async<sizeof(T)>(to + e, from ? from : operand_.data, from ? sizeof(T) : 0);
      } else {
        to[e] = from ? *from : T{};
      }
    }
  }

  const Operand& operand_;
  const int rows_left_, first_column_, column_end_;
  typename Operand::Row rows_[Tile::kDepthContiguous ? kCopies : 1];
  typename Operand::Column column_;
};

}  // namespace
}  // namespace pydl::cuda
