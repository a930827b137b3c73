// Statistics of floating tensors over any axes; integers become float32.
#pragma once

#include "ops/reduce.h"

namespace pydl {

Tensor var(const Tensor& x, const Axes& axes = {}, bool keepdims = false);  // divides by n
Tensor stddev(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
Tensor logsumexp(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
Tensor norm(const Tensor& x, const Axes& axes = {}, bool keepdims = false);  // Euclidean

}  // namespace pydl
