#pragma once

#include "core/tensor.h"

namespace pydl {

Tensor softmax(const Tensor& x, int64_t axis = -1);
Tensor log_softmax(const Tensor& x, int64_t axis = -1);

}  // namespace pydl
