// Unary ops on float and double: one small function an op, and the loop around it.
#pragma once

#include "cpu/elementwise.h"

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
void unary_row(const void* const* in, void* out_, int64_t n, const Params& params) {
  const T* x = static_cast<const T*>(in[0]);
  T* out = static_cast<T*>(out_);
  const T alpha = static_cast<T>(params.alpha), beta = static_cast<T>(params.beta);
  for (int64_t i = 0; i < n; i += Vec<T>::size) {
    const int rest = static_cast<int>(n - i < Vec<T>::size ? n - i : Vec<T>::size);
    const bool whole = rest == Vec<T>::size;
    const Vec<T> y = Function::apply(whole ? load(x + i) : load(x + i, rest), alpha, beta);
    whole ? store(y, out + i) : store(y, out + i, rest);
  }
}

template <class T, class Gradient>
void unary_backward_row(const void* const* in, void* dx_, int64_t n, const Params& params) {
  const T* x = static_cast<const T*>(in[0]);
  const T* dy = static_cast<const T*>(in[1]);
  T* dx = static_cast<T*>(dx_);
  const T alpha = static_cast<T>(params.alpha), beta = static_cast<T>(params.beta);
  for (int64_t i = 0; i < n; i += Vec<T>::size) {
    const int rest = static_cast<int>(n - i < Vec<T>::size ? n - i : Vec<T>::size);
    const bool whole = rest == Vec<T>::size;
    const Vec<T> y = Gradient::apply(whole ? load(x + i) : load(x + i, rest),
                                     whole ? load(dy + i) : load(dy + i, rest), alpha, beta);
    whole ? store(y, dx + i) : store(y, dx + i, rest);
  }
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
