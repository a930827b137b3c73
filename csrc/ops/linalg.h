// Products of matrices.
#pragma once

#include "core/tensor.h"

namespace pydl {

// As numpy.matmul: 1-D operands become a row or a column, batches broadcast.
Tensor matmul(const Tensor& a, const Tensor& b);

}  // namespace pydl
