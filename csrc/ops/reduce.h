// Reductions over any axes.
#pragma once

#include <optional>

#include "core/tensor.h"

namespace pydl {

Tensor sum(const Tensor& x, const std::optional<Dims>& axes = {}, bool keepdims = false);
Tensor mean(const Tensor& x, const std::optional<Dims>& axes = {}, bool keepdims = false);

}  // namespace pydl
