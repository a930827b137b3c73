// Kernels that make tensors from a rule.
#pragma once

#include "pydl/abi.h"

// out[i] = start + i * step; integers wrap around.
typedef struct PydlArangeArgs {
  PydlDType dtype;  // float32, float64, int32 or int64
  int64_t count;
  void* out;
  double start, step;                   // of floats
  int64_t integer_start, integer_step;  // of integers
} PydlArangeArgs;

// out[j, c] = indices[j] == c. A negative index gives a row of zeros.
typedef struct PydlOneHotArgs {
  int32_t item_size;
  uint64_t one;  // the bytes of a 1
  int64_t count, classes;
  const int64_t* indices;
  void* out;  // (count, classes)
} PydlOneHotArgs;

// Copies the elements on and below a diagonal (or on and above it); the others become 0.
typedef struct PydlTriangleArgs {
  int32_t item_size;
  int32_t upper;
  int64_t matrices, rows, columns;
  int64_t diagonal;  // 0 is the main one, 1 the one above
  const void* x;
  void* out;
} PydlTriangleArgs;

#define PYDL_CREATION_KERNELS(X) \
  X(arange, PydlArangeArgs)      \
  X(one_hot, PydlOneHotArgs)     \
  X(triangle, PydlTriangleArgs)
