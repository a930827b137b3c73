// Sorting along an axis, ascending and stable; NaN counts as the largest value. Positions are int32.
#pragma once

#include <utility>

#include "core/tensor.h"

namespace pydl {

Tensor sort(const Tensor& x, int64_t axis = -1);
Tensor argsort(const Tensor& x, int64_t axis = -1);
// The k largest elements along the last axis, largest first, and their positions.
std::pair<Tensor, Tensor> top_k(const Tensor& x, int64_t k);

}  // namespace pydl
