// Products of matrices and tensors.
#pragma once

#include <string>

#include "core/tensor.h"

namespace pydl {

// As numpy.matmul: 1-D operands become a row or a column, batches broadcast.
Tensor matmul(const Tensor& a, const Tensor& b);
// As numpy.dot, numpy.outer.
Tensor dot(const Tensor& a, const Tensor& b);
Tensor outer(const Tensor& a, const Tensor& b);
// As numpy.tensordot: sums over pairs of axes of a and b.
Tensor tensordot(const Tensor& a, const Tensor& b, const Dims& a_axes, const Dims& b_axes);

// activation(x @ kernel + bias) along the last axis of x; the bias may be absent, the activation "".
Tensor linear(const Tensor& x, const Tensor& kernel, const Tensor& bias,
              const std::string& activation);
// The same along the last `axes` of x, which are the first of the kernel; the bias has the others.
Tensor linear(const Tensor& x, const Tensor& kernel, const Tensor& bias,
              const std::string& activation, int64_t axes);

}  // namespace pydl
