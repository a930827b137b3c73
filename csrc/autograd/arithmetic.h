// The few ops that the engine itself needs. Declared here and defined in ops/, so that autograd does
// not include what is built on top of it.
#pragma once

#include "core/tensor.h"

namespace pydl::engine {

Tensor sum_of(const Tensor& a, const Tensor& b);
Tensor filled(const Dims& shape, double value, DType dtype, Device device);
Tensor copy_of(const Tensor& x);

}  // namespace pydl::engine
