// Brings tiles of an operand into shared memory.
#pragma once

#include "cuda/device/ptx/copy_async.cuh"
#include "cuda/gemm/shared_tile.cuh"

namespace pydl::cuda {
namespace {

// A thread always copies the same chunk of a row, from every kStep-th row of a tile, so that what does
// not change from tile to tile is worked out once.
template <class Tile, class Operand, int kThreads>
class TileLoader {
  using T = typename Tile::T;
  static constexpr int kStep = kThreads / Tile::kChunks;
  static constexpr int kCopies = Tile::kRows / kStep;
  static_assert(kThreads % Tile::kChunks == 0 && Tile::kRows % kStep == 0, "whole copies");

 public:
  // Tiles start at `outer`; elements from outer_end or depth_end on are zeros.
  __device__ TileLoader(const Operand& operand, int outer, int outer_end, int depth_end)
      : operand_(operand),
        row_end_(Tile::kDepthContiguous ? outer_end : depth_end),
        column_end_(Tile::kDepthContiguous ? depth_end : outer_end),
        outer_(outer),
        chunk_(static_cast<int>(threadIdx.x) % Tile::kChunks),
        first_row_(static_cast<int>(threadIdx.x) / Tile::kChunks) {
    if constexpr (Tile::kDepthContiguous) {
#pragma unroll
      for (int i = 0; i < kCopies; ++i) rows_[i] = operand_.row(outer + first_row_ + i * kStep);
    } else {
      column_ = operand_.column(outer + chunk_ * Tile::kChunk);
    }
  }

  // Starts to copy the tile at `depth`.
  __device__ void load(T* tile, int depth) {
    const int row = (Tile::kDepthContiguous ? outer_ : depth) + first_row_;
    const int column = (Tile::kDepthContiguous ? depth : outer_) + chunk_ * Tile::kChunk;
    if constexpr (Tile::kDepthContiguous) column_ = operand_.column(column);
#pragma unroll
    for (int i = 0; i < kCopies; ++i) {
      const int at = row + i * kStep;
      const bool inside = at < row_end_ && column < column_end_;
      if constexpr (!Tile::kDepthContiguous) rows_[0] = operand_.row(at);
      const typename Operand::Row& found = rows_[Tile::kDepthContiguous ? i : 0];
      T* to = tile + Tile::offset(first_row_ + i * kStep, chunk_);
      if (operand_.aligned) {
        copy_chunk(to, inside ? operand_.find(found, column_) : nullptr, column_end_ - column);
      } else {
        copy_elements(to, inside, found, column);
      }
    }
  }

 private:
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
  const int row_end_, column_end_, outer_, chunk_, first_row_;
  typename Operand::Row rows_[Tile::kDepthContiguous ? kCopies : 1];
  typename Operand::Column column_;
};

}  // namespace
}  // namespace pydl::cuda
