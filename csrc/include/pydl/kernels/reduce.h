// Reductions. The kept dimensions come first, then the reduced ones, each group coalesced; strides
// count elements of x. The result is dense over the kept dimensions.
#pragma once

#include "pydl/abi.h"

// Results have x's dtype, except that sum and prod of int8, uint8 and bool give int32, and
// count_nonzero gives int32. mean takes floating dtypes only.
#define PYDL_REDUCE_OPS(X) X(sum) X(mean) X(prod) X(max) X(min) X(count_nonzero)

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

#define PYDL_REDUCE_KERNELS(X) X(reduce, PydlReduceArgs)
