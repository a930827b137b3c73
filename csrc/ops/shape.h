// Views of a tensor under another shape, and ops that move whole blocks.
#pragma once

#include <vector>

#include "core/tensor.h"

namespace pydl {

Tensor reshape(const Tensor& x, const Dims& shape);  // one extent may be -1
Tensor permute(const Tensor& x, const Dims& axes);
Tensor broadcast_to(const Tensor& x, const Dims& shape);
// The view x[begin : begin + count * step : step] along every axis; steps may be negative.
Tensor slice(const Tensor& x, const Dims& begin, const Dims& count, const Dims& step);
// Zeros of `shape` with x written into that slice: the gradient of slice.
Tensor embed(const Tensor& x, const Dims& shape, const Dims& begin, const Dims& step);
Tensor stack(const std::vector<Tensor>& xs, int64_t axis = 0);
Tensor swap_last(const Tensor& x);  // the last two axes

}  // namespace pydl
