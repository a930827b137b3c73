// Ops that make tensors, and the copies of one.
#pragma once

#include "core/tensor.h"

namespace pydl {

Tensor full(const Dims& shape, double value, DType dtype, Device device = {});
Tensor full_integer(const Dims& shape, int64_t value, DType dtype, Device device = {});
// A number beside a tensor.
inline Tensor constant(double value, const Tensor& like) {
  return full({}, value, like.dtype(), like.device());
}
// start, start + step, ... before stop.
Tensor arange(double start, double stop, double step, DType dtype);
Tensor arange_integer(int64_t start, int64_t stop, int64_t step, DType dtype);
// `count` values from start to stop, with or without the latter.
Tensor linspace(double start, double stop, int64_t count, bool endpoint, DType dtype);
Tensor eye(int64_t rows, int64_t columns, int64_t diagonal, DType dtype);
// 1 where the new last axis counts as far as the index; a negative index gives zeros.
Tensor one_hot(const Tensor& indices, int64_t classes, DType dtype);
// The elements on and below (above) a diagonal of the last two axes, zeros elsewhere.
Tensor tril(const Tensor& x, int64_t diagonal = 0);
Tensor triu(const Tensor& x, int64_t diagonal = 0);

Tensor copy(const Tensor& x);               // dense, differentiable
Tensor contiguous(const Tensor& x);         // x itself when it is dense
Tensor cast(const Tensor& x, DType dtype);  // x itself when it has the dtype
// Writes `source`, broadcast and converted, over the elements of `target`, outside any graph.
void assign(const Tensor& target, const Tensor& source);

}  // namespace pydl
