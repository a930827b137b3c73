// Elementwise kernels over strided arrays. Shapes come coalesced: the last dimension is the longest
// run that all operands walk with one stride each. Strides count elements; 0 broadcasts.
#pragma once

#include "pydl/abi.h"

// name(x): result dtype is x's.
#define PYDL_UNARY_OPS(X)                                                                   \
  X(abs) X(neg) X(sign) X(exp) X(expm1) X(log) X(log1p) X(sqrt) X(rsqrt) X(square)          \
  X(reciprocal) X(sin) X(cos) X(tan) X(tanh) X(sigmoid) X(erf) X(floor) X(ceil) X(round)    \
  X(clip) X(relu) X(relu6) X(leaky_relu) X(elu) X(selu) X(celu) X(gelu) X(gelu_tanh)        \
  X(silu) X(softplus) X(softsign) X(hard_sigmoid) X(hard_silu) X(mish) X(log_sigmoid)

// name(x): result dtype is bool.
#define PYDL_UNARY_PREDICATES(X) X(isnan) X(isinf) X(isfinite) X(logical_not)

// The ops whose gradient is found from what forward returned, not from what it got.
#define PYDL_UNARY_GRADIENT_FROM_OUTPUT(X) \
  X(exp) X(expm1) X(sqrt) X(rsqrt) X(reciprocal) X(tan) X(tanh) X(sigmoid) X(relu) X(relu6)

// name(a, b): result dtype is that of a and b, which agree.
#define PYDL_BINARY_OPS(X)                                                             \
  X(add) X(subtract) X(multiply) X(divide) X(floor_divide) X(mod) X(power) X(maximum)  \
  X(minimum)

// name(a, b): result dtype is bool.
#define PYDL_BINARY_PREDICATES(X)                                                 \
  X(equal) X(not_equal) X(less) X(less_equal) X(greater) X(greater_equal)         \
  X(logical_and) X(logical_or) X(logical_xor)

#define PYDL_ENUM_UNARY(name) PYDL_UNARY_##name,
#define PYDL_ENUM_BINARY(name) PYDL_BINARY_##name,
typedef int32_t PydlUnaryOp;
enum { PYDL_UNARY_OPS(PYDL_ENUM_UNARY) PYDL_UNARY_PREDICATES(PYDL_ENUM_UNARY) PYDL_UNARY_COUNT };
typedef int32_t PydlBinaryOp;
enum { PYDL_BINARY_OPS(PYDL_ENUM_BINARY) PYDL_BINARY_PREDICATES(PYDL_ENUM_BINARY) PYDL_BINARY_COUNT };
#undef PYDL_ENUM_UNARY
#undef PYDL_ENUM_BINARY

typedef struct PydlUnaryArgs {
  PydlUnaryOp op;
  PydlDType dtype;  // of x
  int32_t rank;
  int64_t shape[PYDL_MAX_RANK];
  const void* x;
  int64_t x_strides[PYDL_MAX_RANK];
  void* out;
  int64_t out_strides[PYDL_MAX_RANK];
  double alpha, beta;  // parameters of clip (low, high), leaky_relu, elu, celu (slope)
} PydlUnaryArgs;

// dx = dy * f'(x) in one pass, for every op with a gradient that is not 0 everywhere.
typedef struct PydlUnaryBackwardArgs {
  PydlUnaryOp op;
  PydlDType dtype;
  int32_t rank;
  int64_t shape[PYDL_MAX_RANK];
  const void* x;  // what forward got; for PYDL_UNARY_GRADIENT_FROM_OUTPUT what it returned
  int64_t x_strides[PYDL_MAX_RANK];
  const void* dy;
  int64_t dy_strides[PYDL_MAX_RANK];
  void* dx;
  int64_t dx_strides[PYDL_MAX_RANK];
  double alpha, beta;
} PydlUnaryBackwardArgs;

typedef struct PydlBinaryArgs {
  PydlBinaryOp op;
  PydlDType dtype;  // of a and b
  int32_t rank;
  int64_t shape[PYDL_MAX_RANK];
  const void* a;
  int64_t a_strides[PYDL_MAX_RANK];
  const void* b;
  int64_t b_strides[PYDL_MAX_RANK];
  void* out;
  int64_t out_strides[PYDL_MAX_RANK];
} PydlBinaryArgs;

// out = condition ? a : b; only the element size of a, b and out matters.
typedef struct PydlWhereArgs {
  int32_t item_size;
  int32_t rank;
  int64_t shape[PYDL_MAX_RANK];
  const void* condition;  // bool
  int64_t condition_strides[PYDL_MAX_RANK];
  const void* a;
  int64_t a_strides[PYDL_MAX_RANK];
  const void* b;
  int64_t b_strides[PYDL_MAX_RANK];
  void* out;
  int64_t out_strides[PYDL_MAX_RANK];
} PydlWhereArgs;

// out = x converted to another dtype (or the same one: a strided copy).
typedef struct PydlCopyArgs {
  PydlDType dtype;      // of x
  PydlDType out_dtype;  // of out
  int32_t rank;
  int64_t shape[PYDL_MAX_RANK];
  const void* x;
  int64_t x_strides[PYDL_MAX_RANK];
  void* out;
  int64_t out_strides[PYDL_MAX_RANK];
} PydlCopyArgs;

// out[0..count) = one value, given as the bytes of one element.
typedef struct PydlFillArgs {
  int32_t item_size;
  int32_t rank;
  int64_t shape[PYDL_MAX_RANK];
  void* out;
  int64_t out_strides[PYDL_MAX_RANK];
  uint64_t value;
} PydlFillArgs;

#define PYDL_ELEMENTWISE_KERNELS(X)         \
  X(unary, PydlUnaryArgs)                   \
  X(unary_backward, PydlUnaryBackwardArgs)  \
  X(binary, PydlBinaryArgs)                 \
  X(where, PydlWhereArgs)                   \
  X(copy, PydlCopyArgs)                     \
  X(fill, PydlFillArgs)
