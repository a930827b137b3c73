// Reductions. The kept dimensions come first, then the reduced ones, each group coalesced; strides
// count elements of x, extents are at least 1. The result is dense over the kept dimensions.
#pragma once

#include "pydl/abi.h"

// Results have x's dtype, except that those of int8, uint8 and bool are int32 for everything but max
// and min, and count_nonzero gives int32. mean takes floating dtypes only.
#define PYDL_REDUCE_OPS(X) \
  X(sum) X(mean) X(prod) X(max) X(min) X(count_nonzero) X(sum_abs) X(sum_squares)

#define PYDL_ENUM_REDUCE(name) PYDL_REDUCE_##name,
typedef int32_t PydlReduceOp;
enum { PYDL_REDUCE_OPS(PYDL_ENUM_REDUCE) PYDL_REDUCE_COUNT };
#undef PYDL_ENUM_REDUCE

typedef struct PydlReduceArgs {
  PydlReduceOp op;
  PydlDType dtype;
  const void* x;
  void* out;
  int32_t kept_rank;
  int64_t kept_shape[PYDL_MAX_RANK];
  int64_t kept_strides[PYDL_MAX_RANK];
  int32_t reduced_rank;
  int64_t reduced_shape[PYDL_MAX_RANK];
  int64_t reduced_strides[PYDL_MAX_RANK];
} PydlReduceArgs;

// Where the largest (or smallest) element lies along the middle axis of a dense (outer, n, inner)
// array: the first of equal ones; NaN counts as larger and as smaller than everything.
typedef struct PydlArgReduceArgs {
  PydlDType dtype;
  int32_t largest;
  int64_t outer, n, inner;  // n > 0
  const void* x;
  int32_t* out;
} PydlArgReduceArgs;

// The variance along the middle axis of a dense (outer, n, inner) array.
typedef struct PydlVarianceArgs {
  PydlDType dtype;
  int64_t outer, n, inner;  // n > 0
  const void* x;
  void* out;
} PydlVarianceArgs;

// log(sum(exp(x))) of each row of a dense (rows, columns) array; columns > 0.
typedef struct PydlLogSumExpArgs {
  PydlDType dtype;
  int64_t rows, columns;
  const void* x;
  void* out;
} PydlLogSumExpArgs;

#define PYDL_REDUCE_KERNELS(X)          \
  X(reduce, PydlReduceArgs)             \
  X(arg_reduce, PydlArgReduceArgs)      \
  X(variance, PydlVarianceArgs)         \
  X(logsumexp, PydlLogSumExpArgs)
