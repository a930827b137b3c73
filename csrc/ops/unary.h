// How ops of one tensor run and record themselves.
#pragma once

#include <functional>

#include "ops/op.h"
#include "ops/ops.h"

namespace pydl {

// dy/dx of an op, written with ops, from what its gradient saves: x, or y for the ops of
// PYDL_UNARY_GRADIENT_FROM_OUTPUT.
using Slope = std::function<Tensor(const Tensor& saved)>;

Tensor run_unary(const Op& op, PydlUnaryOp kind, const Tensor& x, DType out_dtype, double alpha = 0,
                 double beta = 0);

// dx from dy and what was saved. While gradients of gradients are recorded it runs as separate ops,
// otherwise in one kernel.
Tensor unary_gradient(const char* name, PydlUnaryOp kind, const Tensor& saved, const Tensor& dy,
                      const Slope& slope, double alpha = 0, double beta = 0);

// An op on any dtype whose kernel allows it.
Tensor unary_op(const char* name, PydlUnaryOp kind, const Tensor& x, const Slope& slope,
                double alpha = 0, double beta = 0);
// An op on floating dtypes; integers become float32.
Tensor real_op(const char* name, PydlUnaryOp kind, const Tensor& x, const Slope& slope,
               double alpha = 0, double beta = 0);

// Of the activations that kernels fuse.
Slope fusable_slope(PydlUnaryOp kind);

// With a number beside a tensor, for slopes.
inline Tensor operator+(const Tensor& x, double y) { return add(x, constant(y, x)); }
inline Tensor operator*(const Tensor& x, double y) { return multiply(x, constant(y, x)); }
inline Tensor operator-(double x, const Tensor& y) { return subtract(constant(x, y), y); }
inline Tensor operator+(const Tensor& x, const Tensor& y) { return add(x, y); }
inline Tensor operator*(const Tensor& x, const Tensor& y) { return multiply(x, y); }

}  // namespace pydl
