// Matrix products of int8 numbers that stand for floating-point ones.
#pragma once

#include <string>

#include "core/tensor.h"

namespace pydl {

// activation(x @ kernel / (x_scale * kernel_scale) + bias) of int8 x and kernel, in float32. A floating x
// is quantized row by row, and the result is of its dtype. Nothing flows back.
Tensor quantized_linear(const Tensor& x, const Tensor& kernel, const Tensor& kernel_scale,
                        const Tensor& bias, const std::string& activation, const Tensor& x_scale);

}  // namespace pydl
