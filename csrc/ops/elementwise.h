// Elementwise ops with broadcasting.
#pragma once

#include "core/tensor.h"

namespace pydl {

Tensor add(const Tensor& a, const Tensor& b);
Tensor subtract(const Tensor& a, const Tensor& b);
Tensor multiply(const Tensor& a, const Tensor& b);

Tensor neg(const Tensor& x);

// The part of `grad` that belongs to an input of this shape and dtype which was broadcast: summed
// over the dimensions that were stretched, cast back.
Tensor gradient_for(const Tensor& grad, const Dims& shape, DType dtype);

}  // namespace pydl
