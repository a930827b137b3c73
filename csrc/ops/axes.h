// Shapes and layouts of ops that work along axes. Lists of axes are ascending, as Op::axes returns them.
#pragma once

#include "ops/op.h"
#include "ops/ops.h"

namespace pydl {

// `shape` with extent 1 for each of the axes.
inline Dims kept_shape(const Dims& shape, const Dims& axes) {
  Dims kept = shape;
  for (int64_t axis : axes) kept[static_cast<int>(axis)] = 1;
  return kept;
}

inline Dims without_axes(const Dims& shape, const Dims& axes) {
  Dims result;
  for (int i = 0; i < shape.size(); ++i)
    if (!axes.contains(i)) result.push_back(shape[i]);
  return result;
}

inline Dims reduced_shape(const Dims& shape, const Dims& axes, bool keepdims) {
  return keepdims ? kept_shape(shape, axes) : without_axes(shape, axes);
}

inline int64_t reduced_count(const Dims& shape, const Dims& axes) {
  int64_t count = 1;
  for (int64_t axis : axes) count *= shape[static_cast<int>(axis)];
  return count;
}

// A result of a reduction, or its gradient, back at the shape that was reduced.
inline Tensor expand(const Tensor& result, const Dims& shape, const Dims& axes) {
  return broadcast_to(reshape(result, kept_shape(shape, axes)), shape);
}

// The permutation that puts `axes` last, and its inverse.
inline Dims axes_last(int rank, const Dims& axes) {
  Dims order;
  for (int i = 0; i < rank; ++i)
    if (!axes.contains(i)) order.push_back(i);
  for (int64_t axis : axes) order.push_back(axis);
  return order;
}
inline Dims inverse_of(const Dims& permutation) {
  Dims inverse = permutation;
  for (int i = 0; i < permutation.size(); ++i) inverse[static_cast<int>(permutation[i])] = i;
  return inverse;
}

inline bool are_last(const Dims& axes, int rank) {
  return axes.empty() || axes[0] == rank - axes.size();
}

// Dense, with `axes` last: rows for a kernel that works on rows.
inline Tensor to_rows(const Tensor& x, const Dims& axes) {
  return contiguous(are_last(axes, x.rank()) ? x : permute(x, axes_last(x.rank(), axes)));
}
// What to_rows did to the shape, undone.
inline Tensor from_rows(const Tensor& rows, const Dims& axes) {
  int rank = rows.rank();
  return are_last(axes, rank) ? rows : permute(rows, inverse_of(axes_last(rank, axes)));
}

// A dense tensor as (outer, n, inner) around one axis.
struct AroundAxis {
  int64_t outer = 1, n = 1, inner = 1;
  AroundAxis(const Dims& shape, int axis) : n(shape[axis]) {
    for (int i = 0; i < axis; ++i) outer *= shape[i];
    for (int i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  }
};

}  // namespace pydl
