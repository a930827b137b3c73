// Unary ops on float and double: one small function an op, and the loop around it.
#pragma once

#include "cpu/elementwise.h"
#include "cpu/lanes.h"

namespace pydl::cpu::PYDL_ISA {

// The row kernel of an op for float (or double), NULL where the group has no such op.
RowKernel math_row(PydlUnaryOp op, bool is_double);
RowKernel activation_row(PydlUnaryOp op, bool is_double);
RowKernel math_backward_row(PydlUnaryOp op, bool is_double);
RowKernel activation_backward_row(PydlUnaryOp op, bool is_double);

namespace {

// PYDL_UNARY_FUNCTION(square, return x * x;)
#define PYDL_UNARY_FUNCTION(name, ...)                                                     \
  struct name##_function {                                                                 \
    template <class T>                                                                     \
    static Vec<T> apply(Vec<T> x, [[maybe_unused]] T alpha, [[maybe_unused]] T beta) {     \
      __VA_ARGS__                                                                          \
    }                                                                                      \
  };
// The gradient of an op: PYDL_UNARY_GRADIENT(square, return dy * (x + x);)
#define PYDL_UNARY_GRADIENT(name, ...)                                                     \
  struct name##_gradient {                                                                 \
    template <class T>                                                                     \
    static Vec<T> apply([[maybe_unused]] Vec<T> x, Vec<T> dy, [[maybe_unused]] T alpha,    \
                        [[maybe_unused]] T beta) {                                         \
      __VA_ARGS__                                                                          \
    }                                                                                      \
  };

// An op's line in the switches of math_row and its like.
#define PYDL_FORWARD_CASE(name) \
  case PYDL_UNARY_##name:       \
    return is_double ? unary_row<double, name##_function> : unary_row<float, name##_function>;
#define PYDL_BACKWARD_CASE(name)                                   \
  case PYDL_UNARY_##name:                                          \
    return is_double ? unary_backward_row<double, name##_gradient> \
                     : unary_backward_row<float, name##_gradient>;

template <class T, class Function>
void unary_row(const void* const* in, void* out, int64_t n, const Params& params) {
  const T alpha = static_cast<T>(params.alpha), beta = static_cast<T>(params.beta);
  map_lanes<T, 1>(in, out, n, [=](const Vec<T>* x) { return Function::apply(x[0], alpha, beta); });
}

template <class T, class Gradient>
void unary_backward_row(const void* const* in, void* out, int64_t n, const Params& params) {
  const T alpha = static_cast<T>(params.alpha), beta = static_cast<T>(params.beta);
  map_lanes<T, 2>(in, out, n, [=](const Vec<T>* x) {
    return Gradient::apply(x[0], x[1], alpha, beta);
  });
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
