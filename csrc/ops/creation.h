// Ops that make tensors, and the copies of one.
#pragma once

#include "core/tensor.h"

namespace pydl {

Tensor full(const Dims& shape, double value, DType dtype, Device device = {});
Tensor full_integer(const Dims& shape, int64_t value, DType dtype, Device device = {});
Tensor copy(const Tensor& x);              // dense, differentiable
Tensor contiguous(const Tensor& x);        // x itself when it is dense
Tensor cast(const Tensor& x, DType dtype); // x itself when it has the dtype
// Writes `source`, broadcast and converted, over the elements of `target`, outside any graph.
void assign(const Tensor& target, const Tensor& source);

}  // namespace pydl
