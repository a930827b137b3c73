// Elementwise ops. Those of two operands broadcast and promote; functions that leave the integers,
// such as exp and divide, take integers as float32.
#pragma once

#include "core/tensor.h"
#include "pydl/kernels/elementwise.h"

namespace pydl {

// Ops of one tensor and nothing else.
#define PYDL_PLAIN_UNARY_OPS(X)                                                                  \
  X(abs) X(neg) X(sign) X(exp) X(expm1) X(log) X(log1p) X(sqrt) X(rsqrt) X(square) X(reciprocal) \
  X(sin) X(cos) X(tan) X(tanh) X(sigmoid) X(erf) X(floor) X(ceil) X(round) X(relu) X(relu6)      \
  X(selu) X(gelu) X(gelu_tanh) X(silu) X(softplus) X(softsign) X(hard_sigmoid) X(hard_silu)      \
  X(mish) X(log_sigmoid) PYDL_UNARY_PREDICATES(X)

#define PYDL_DECLARE_UNARY(name) Tensor name(const Tensor& x);
#define PYDL_DECLARE_BINARY(name) Tensor name(const Tensor& a, const Tensor& b);
PYDL_PLAIN_UNARY_OPS(PYDL_DECLARE_UNARY)
PYDL_BINARY_OPS(PYDL_DECLARE_BINARY)
PYDL_BINARY_PREDICATES(PYDL_DECLARE_BINARY)
#undef PYDL_DECLARE_UNARY
#undef PYDL_DECLARE_BINARY

Tensor clip(const Tensor& x, double low, double high);
Tensor leaky_relu(const Tensor& x, double negative_slope);
Tensor elu(const Tensor& x, double alpha);
Tensor celu(const Tensor& x, double alpha);
Tensor power(const Tensor& base, double exponent);
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);

// The part of `grad` that belongs to an input of this shape and dtype which was broadcast: summed
// over the dimensions that were stretched, cast back.
Tensor gradient_for(const Tensor& grad, const Dims& shape, DType dtype);

}  // namespace pydl
