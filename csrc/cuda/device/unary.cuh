// Unary ops on float and double: one small function an op, and the kernel bodies that choose one.
#pragma once

#include "cuda/device/elementwise.cuh"
#include "cuda/device/math.cuh"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/elementwise.h"

namespace pydl::cuda {

// Launch the op; each group of ops says first whether it has it.
bool is_math(PydlUnaryOp op);
PydlStatus run_math(const PydlContext* context, const PydlUnaryArgs* args);
PydlStatus run_activation(const PydlContext* context, const PydlUnaryArgs* args);
bool has_math_gradient(PydlUnaryOp op);
PydlStatus run_math_backward(const PydlContext* context, const PydlUnaryBackwardArgs* args);
PydlStatus run_activation_backward(const PydlContext* context, const PydlUnaryBackwardArgs* args);

namespace {

inline const char* op_name(PydlUnaryOp op) {
#define PYDL_NAME(name) #name,
  static const char* const names[] = {PYDL_UNARY_OPS(PYDL_NAME) PYDL_UNARY_PREDICATES(PYDL_NAME)};
#undef PYDL_NAME
  return op >= 0 && op < PYDL_UNARY_COUNT ? names[op] : "unary";
}

// PYDL_UNARY_FUNCTION(square, return x * x;)
#define PYDL_UNARY_FUNCTION(name, ...)                                                    \
  template <class T>                                                                      \
  __device__ inline T name##_function(T x, [[maybe_unused]] T alpha, [[maybe_unused]] T beta) { \
    __VA_ARGS__                                                                           \
  }
// The gradient of an op: PYDL_UNARY_GRADIENT(square, return dy * (x + x);)
#define PYDL_UNARY_GRADIENT(name, ...)                                                    \
  template <class T>                                                                      \
  __device__ inline T name##_gradient([[maybe_unused]] T x, T dy, [[maybe_unused]] T alpha, \
                                      [[maybe_unused]] T beta) {                          \
    __VA_ARGS__                                                                           \
  }

#define PYDL_FORWARD_CASE(name)                                                    \
  case PYDL_UNARY_##name:                                                          \
    _Pragma("unroll") for (int i = 0; i < n; ++i) y[i] = name##_function(x[i], alpha, beta); \
    break;
#define PYDL_BACKWARD_CASE(name)                                                       \
  case PYDL_UNARY_##name:                                                              \
    _Pragma("unroll") for (int i = 0; i < n; ++i) dx[i] = name##_gradient(x[i], dy[i], alpha, beta); \
    break;

// Defines the body of a kernel for the ops of a list.
#define PYDL_UNARY_BODY(Name, LIST)                                \
  template <class T>                                               \
  struct Name {                                                    \
    PydlUnaryOp op;                                                \
    T alpha, beta;                                                 \
    template <int n>                                               \
    __device__ void operator()(T (&y)[n], const T (&x)[n]) const { \
      switch (op) {                                                \
        LIST(PYDL_FORWARD_CASE)                                    \
        default: break;                                            \
      }                                                            \
    }                                                              \
  };
#define PYDL_UNARY_BACKWARD_BODY(Name, LIST)                                           \
  template <class T>                                                                   \
  struct Name {                                                                        \
    PydlUnaryOp op;                                                                    \
    T alpha, beta;                                                                     \
    template <int n>                                                                   \
    __device__ void operator()(T (&dx)[n], const T (&x)[n], const T (&dy)[n]) const {  \
      switch (op) {                                                                    \
        LIST(PYDL_BACKWARD_CASE)                                                       \
        default: break;                                                                \
      }                                                                                \
    }                                                                                  \
  };

template <template <class> class Body>
PydlStatus run_unary(const PydlContext* context, const PydlUnaryArgs* args) {
  return visit_floating(context, op_name(args->op), args->dtype, [&](auto zero) {
    using T = decltype(zero);
    using C = Compute<T>;
    const Body<C> body = {args->op, static_cast<C>(args->alpha), static_cast<C>(args->beta)};
    return elementwise(context, args->rank, args->shape, body,
                       output<T>(args->out, args->out_strides), input<T>(args->x, args->x_strides));
  });
}

template <template <class> class Body>
PydlStatus run_unary_backward(const PydlContext* context, const PydlUnaryBackwardArgs* args) {
  return visit_floating(context, op_name(args->op), args->dtype, [&](auto zero) {
    using T = decltype(zero);
    using C = Compute<T>;
    const Body<C> body = {args->op, static_cast<C>(args->alpha), static_cast<C>(args->beta)};
    return elementwise(context, args->rank, args->shape, body,
                       output<T>(args->dx, args->dx_strides), input<T>(args->x, args->x_strides),
                       input<T>(args->dy, args->dy_strides));
  });
}

}  // namespace
}  // namespace pydl::cuda
