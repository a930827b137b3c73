// Rows of dense (rows, columns) arrays, each read by a team of threads: in batches of kItems elements a
// thread, as whole vectors where all rows are aligned.
#pragma once

#include "cuda/device/strided.cuh"
#include "pydl/cuda/dtype.cuh"
#include "pydl/cuda/vector.cuh"

namespace pydl::cuda {
namespace {

template <class T, int kTeam_, int kItems_>
struct RowTeam {
  using C = Compute<T>;
  static constexpr int kTeam = kTeam_, kItems = kItems_;
  static constexpr int kWidth = kItems * sizeof(T) < kVectorBytes
                                    ? kItems
                                    : static_cast<int>(kVectorBytes / sizeof(T));
  static constexpr int kThreads = kTeam < 128 ? 128 : kTeam;
  static constexpr int kTeams = kThreads / kTeam;  // of a block
  static constexpr int64_t kBatch = kTeam * kItems;

  int64_t columns;
  bool vectors;
  int lane;

  __device__ RowTeam(int64_t column_count, bool aligned)
      : columns(column_count), vectors(aligned), lane(threadIdx.x % kTeam) {}

  // The row of this thread; those of the last block may lie past the end.
  __device__ static int64_t row() {
    return static_cast<int64_t>(blockIdx.x) * kTeams + threadIdx.x / kTeam;
  }
  // The column of item i of the batch that begins at `start`.
  __device__ int64_t column(int64_t start, int i) const {
    return start +
           (vectors ? (i / kWidth * kTeam + lane) * kWidth + i % kWidth : i * kTeam + lane);
  }
  __device__ bool has(int64_t start, int i) const { return column(start, i) < columns; }

  template <class S>
  __device__ void load(const S* row, int64_t start, Compute<S> (&v)[kItems],
                       Compute<S> filler) const {
    if (vectors) {
      S raw[kItems];
#pragma unroll
      for (int i = 0; i < kItems; i += kWidth) {
        if (has(start, i)) load_pack<kWidth>(row + column(start, i), raw + i);
      }
#pragma unroll
      for (int i = 0; i < kItems; ++i) v[i] = has(start, i) ? to_compute(raw[i]) : filler;
    } else {
#pragma unroll
      for (int i = 0; i < kItems; ++i)
        v[i] = has(start, i) ? to_compute(row[column(start, i)]) : filler;
    }
  }
  __device__ void store(T* row, int64_t start, const C (&v)[kItems]) const {
    if (vectors) {
#pragma unroll
      for (int i = 0; i < kItems; i += kWidth) {
        if (!has(start, i)) continue;
        T raw[kWidth];
#pragma unroll
        for (int j = 0; j < kWidth; ++j) raw[j] = from_compute<T>(v[i + j]);
        store_pack<kWidth>(raw, row + column(start, i));
      }
    } else {
#pragma unroll
      for (int i = 0; i < kItems; ++i) {
        if (has(start, i)) row[column(start, i)] = from_compute<T>(v[i]);
      }
    }
  }
};

// Whether whole vectors can be read of rows of all these arrays (of elements at least as large).
template <class T, class... Pointer>
bool rows_are_aligned(int64_t columns, Pointer... data) {
  return columns % (kVectorBytes / static_cast<int>(sizeof(T))) == 0 && (is_aligned(data) && ...);
}

template <class Team>
uint32_t row_blocks(int64_t rows) {
  return static_cast<uint32_t>(divide_up(rows, Team::kTeams));
}

// visit(team size, items) as integral constants: so many that a row is one batch, if it is not too
// long for the registers of a block.
template <class Visitor>
PydlStatus visit_team(int64_t columns, Visitor&& visit) {
  using std::integral_constant;
  if (columns <= 32) return visit(integral_constant<int, 8>{}, integral_constant<int, 4>{});
  if (columns <= 256) return visit(integral_constant<int, 32>{}, integral_constant<int, 8>{});
  if (columns <= 1024) return visit(integral_constant<int, 128>{}, integral_constant<int, 8>{});
  return visit(integral_constant<int, 512>{}, integral_constant<int, 8>{});
}

}  // namespace
}  // namespace pydl::cuda
