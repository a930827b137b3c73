// Views of a tensor under another shape.
#pragma once

#include <optional>

#include "core/tensor.h"

namespace pydl {

// A view where the layout of x allows it, else a copy; one extent may be -1.
Tensor reshape(const Tensor& x, const Dims& shape);
Tensor squeeze(const Tensor& x, const std::optional<Dims>& axes = {});  // drops axes of extent 1
Tensor expand_dims(const Tensor& x, const Dims& axes);  // adds such axes, counted in the result
Tensor permute(const Tensor& x, const Dims& axes);
Tensor swap_last(const Tensor& x);  // the last two axes
Tensor broadcast_to(const Tensor& x, const Dims& shape);
// The view x[begin : begin + count * step : step] along every axis; steps may be negative.
Tensor slice(const Tensor& x, const Dims& begin, const Dims& count, const Dims& step);
Tensor flip(const Tensor& x, const std::optional<Dims>& axes = {});
// `value` everywhere in `shape` but in that slice, which is x; with 0 the gradient of slice.
Tensor embed(const Tensor& x, const Dims& shape, const Dims& begin, const Dims& step,
             double value = 0);
// The view of the elements whose indices along two axes differ by `offset`, as a new last axis.
Tensor diagonal(const Tensor& x, int64_t offset = 0, int64_t axis1 = 0, int64_t axis2 = 1);

// slice() without a gradient, for ops that write through it.
Tensor slice_view(const Tensor& x, const Dims& begin, const Dims& count, const Dims& step);

}  // namespace pydl
