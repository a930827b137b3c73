// Reading and adding at positions that index tensors name. Indices are integers; negative ones
// count from the end of the axis.
#pragma once

#include <optional>
#include <vector>

#include "core/tensor.h"

namespace pydl {

// Whole entries of an axis, in the shape of `indices`; without an axis, elements of the flat x.
Tensor take(const Tensor& x, const Tensor& indices, const std::optional<int64_t>& axis);
// Rows of a matrix. Negative indices are errors.
Tensor embedding(const Tensor& weights, const Tensor& indices);
// y[.., j, ..] = x[.., indices[.., j, ..], ..]; indices have x's rank and, on the other axes, at
// most its extents.
Tensor gather(const Tensor& x, const Tensor& indices, int64_t axis);
// The same with x and indices broadcast together on the other axes, as numpy.take_along_axis.
Tensor take_along_axis(const Tensor& x, const Tensor& indices, int64_t axis);
// x with `updates` added where gather would read. Equal indices add up, in ascending order.
Tensor scatter_add(const Tensor& x, const Tensor& indices, const Tensor& updates, int64_t axis);

// One axis, or several taken as one, and the index tensor for it.
struct AxisIndex {
  Tensor indices;
  int64_t extent;
  int axis;  // for error messages
};
// The indices broadcast together, as checked int64 positions in their axes taken as one.
Tensor positions(const char* op, const std::vector<AxisIndex>& indices, bool wrap = true);
// take() with such positions; its gradient, which sums rows of dy into zeros of `shape`; and its
// opposite, in place.
Tensor take_at(const char* op, const Tensor& x, const Tensor& at, int axis);
Tensor take_backward(const char* op, const Tensor& dy, const Tensor& at, const Dims& shape,
                     int axis);
void put_at(const char* op, const Tensor& x, const Tensor& at, const Tensor& values, int axis);

}  // namespace pydl
