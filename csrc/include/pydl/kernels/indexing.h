// Reading and writing at computed places. Arrays are dense and seen as (outer, extent, inner); they
// are indexed along the middle. Indices are int64 in [0, extent), as `ravel_index` makes them.
#pragma once

#include "pydl/abi.h"

// Several index arrays, broadcast together, become positions in the axes that they index, taken as
// one axis. Checks their range.
typedef struct PydlRavelIndexArgs {
  int32_t operands;
  int32_t wrap;  // negative indices count from the end; without it they are errors
  int32_t rank;
  int64_t shape[PYDL_MAX_RANK];  // of the result
  int64_t* out;                  // dense
  // Of each operand:
  PydlDType dtypes[PYDL_MAX_RANK];  // int32 or int64
  const void* indices[PYDL_MAX_RANK];
  int64_t strides[PYDL_MAX_RANK][PYDL_MAX_RANK];
  int64_t extents[PYDL_MAX_RANK];
  int32_t axes[PYDL_MAX_RANK];  // for the error message
} PydlRavelIndexArgs;

// The positions of the true elements, in ascending order.
typedef struct PydlNonzeroArgs {
  int64_t count;
  const uint8_t* mask;  // bool
  int64_t* total;       // receives how many there are
  int64_t* out;         // (total,) or NULL, to count only
} PydlNonzeroArgs;

// out[o, j, i] = x[o, indices[j], i]
typedef struct PydlTakeArgs {
  int64_t item_size;
  int64_t outer, extent, inner;
  int64_t count;  // of indices
  const int64_t* indices;
  const void* x;
  void* out;
} PydlTakeArgs;

// dx[o, e, i] = sum of dy[o, j, i] over the j with indices[j] == e, in ascending order of j
typedef struct PydlTakeBackwardArgs {
  PydlDType dtype;  // floating
  int64_t outer, extent, inner;
  int64_t count;
  const int64_t* indices;
  const void* dy;
  void* dx;
} PydlTakeBackwardArgs;

// out[o, indices[j], i] = values[o, j, i], for ascending j
typedef struct PydlPutArgs {
  int64_t item_size;
  int64_t outer, extent, inner;
  int64_t count;
  const int64_t* indices;
  const void* values;
  void* out;
} PydlPutArgs;

// out[o, j, i] = x[o, indices[o, j, i], i]
typedef struct PydlGatherArgs {
  int64_t item_size;
  int64_t outer, extent, inner;
  int64_t count;  // of j
  const int64_t* indices;
  const void* x;
  void* out;
} PydlGatherArgs;

// out[o, indices[o, j, i], i] += updates[o, j, i], for ascending j
typedef struct PydlScatterAddArgs {
  PydlDType dtype;  // float32, float64 or an integer type
  int64_t outer, extent, inner;
  int64_t count;
  const int64_t* indices;
  const void* updates;
  void* out;
} PydlScatterAddArgs;

// x with entries added at both ends of its axes but the last, which is a block that moves as one.
// The added entries are copies of others or, where `ends` is NULL, made of `value`.
typedef struct PydlPadArgs {
  int32_t item_size;
  int32_t rank;  // without the block
  int64_t block;
  int64_t x_shape[PYDL_MAX_RANK];
  int64_t before[PYDL_MAX_RANK], after[PYDL_MAX_RANK];
  const int64_t* ends[PYDL_MAX_RANK];  // (before + after,): which entry of x each added one copies
  uint64_t value;                      // the bytes of one element
  const void* x;                       // dense
  void* out;
} PydlPadArgs;

#define PYDL_INDEXING_KERNELS(X)         \
  X(ravel_index, PydlRavelIndexArgs)     \
  X(nonzero, PydlNonzeroArgs)            \
  X(take, PydlTakeArgs)                  \
  X(take_backward, PydlTakeBackwardArgs) \
  X(put, PydlPutArgs)                    \
  X(gather, PydlGatherArgs)              \
  X(scatter_add, PydlScatterAddArgs)     \
  X(pad, PydlPadArgs)
