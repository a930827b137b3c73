// Walks N strided operands of one shape row by row, in parallel.
#pragma once

#include "cpu/kernel.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// The operands' common shape (rank 0 to PYDL_MAX_RANK) and their strides in elements.
template <int N>
struct StridedSpace {
  int32_t rank;
  const int64_t* shape;
  const int64_t* strides[N];

  int64_t columns() const { return rank > 0 ? shape[rank - 1] : 1; }
  int64_t column_stride(int k) const { return columns() > 1 ? strides[k][rank - 1] : 1; }
  int64_t count() const {
    int64_t product = 1;
    for (int d = 0; d < rank; ++d) product *= shape[d];
    return product;
  }
  // Whether operand k lies in memory as the shape does, without gaps.
  bool is_dense(int k) const {
    int64_t expected = 1;
    for (int d = rank - 1; d >= 0; expected *= shape[d--]) {
      if (shape[d] != 1 && strides[k][d] != expected) return false;
    }
    return true;
  }
  // Whether all rows of operand k are one row, broadcast.
  bool repeats_rows(int k) const {
    for (int d = 0; d + 1 < rank; ++d) {
      if (shape[d] != 1 && strides[k][d] != 0) return false;
    }
    return true;
  }
};

// Where the operands are in a walk over all dimensions but the last.
template <int N>
class RowCursor {
 public:
  RowCursor(const StridedSpace<N>& space, int64_t row) : space_(space), index_(), offset_() {
    for (int d = space.rank - 2; d >= 0; --d) {
      index_[d] = row % space.shape[d];
      row /= space.shape[d];
      for (int k = 0; k < N; ++k) offset_[k] += index_[d] * space.strides[k][d];
    }
  }
  int64_t offset(int k) const { return offset_[k]; }
  void next() {
    for (int d = space_.rank - 2; d >= 0; --d) {
      const bool wraps = ++index_[d] == space_.shape[d];
      const int64_t step = wraps ? 1 - space_.shape[d] : 1;
      for (int k = 0; k < N; ++k) offset_[k] += step * space_.strides[k][d];
      if (!wraps) return;
      index_[d] = 0;
    }
  }

 private:
  const StridedSpace<N>& space_;
  int64_t index_[PYDL_MAX_RANK];
  int64_t offset_[N];
};

// Calls row(offsets, n) for every run of n elements along the last dimension; operand k's run
// starts offsets[k] elements into it. Threads get at least `grain` elements, and may share a row.
template <int N, class Row>
inline void for_each_row(const PydlContext* context, const StridedSpace<N>& space, int64_t grain,
                         Row&& row) {
  const int64_t columns = space.columns();
  parallel_for(context, space.count(), grain, [&](int64_t begin, int64_t end) {
    if (begin >= end) return;
    RowCursor<N> cursor(space, begin / columns);
    int64_t column = begin % columns;
    while (begin < end) {
      const int64_t n = columns - column < end - begin ? columns - column : end - begin;
      int64_t offsets[N];
      for (int k = 0; k < N; ++k) offsets[k] = cursor.offset(k) + column * space.column_stride(k);
      row(offsets, n);
      begin += n;
      column = 0;
      cursor.next();
    }
  });
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
