// Running sums and products along an axis, from its end when `reverse`.
#pragma once

#include "core/tensor.h"

namespace pydl {

// Of bool, int8 and uint8 as int32.
Tensor cumsum(const Tensor& x, int64_t axis, bool reverse = false);
Tensor cumprod(const Tensor& x, int64_t axis, bool reverse = false);
// The product of the elements before each one; 1 for the first.
Tensor cumprod_before(const Tensor& x, int64_t axis, bool reverse = false);
// y[i] = factors[i] y[i - 1] + x[i], y[-1] being 0.
Tensor linear_scan(const Tensor& factors, const Tensor& x, int64_t axis, bool reverse = false);

}  // namespace pydl
