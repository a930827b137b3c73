// Reductions over any axes; with no axes given, over all of them.
#pragma once

#include <optional>

#include "core/tensor.h"

namespace pydl {

using Axes = std::optional<Dims>;

// sum and prod of bool, int8 and uint8 are int32; mean of integers is float32.
Tensor sum(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
Tensor mean(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
Tensor prod(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
Tensor sum_abs(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
Tensor sum_squares(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
// The gradient is shared equally by elements that tie.
Tensor max(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
Tensor min(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
Tensor any(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
Tensor all(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
Tensor count_nonzero(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
// int32 positions along one axis, or in the flattened tensor.
Tensor argmax(const Tensor& x, std::optional<int64_t> axis = {}, bool keepdims = false);
Tensor argmin(const Tensor& x, std::optional<int64_t> axis = {}, bool keepdims = false);

}  // namespace pydl
