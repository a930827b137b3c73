// Ascending, stable sorts of the rows of a dense (rows, columns) array. NaN counts as the largest value.
#pragma once

#include "pydl/abi.h"

typedef struct PydlSortArgs {
  PydlDType dtype;
  int64_t rows, columns;
  const void* x;
  void* values;  // exactly one of these two is wanted, the other is NULL
  int32_t* indices;
} PydlSortArgs;

// The k largest elements of each row, largest first, equal ones by position.
typedef struct PydlTopKArgs {
  PydlDType dtype;
  int64_t rows, columns, k;
  const void* x;
  void* values;      // (rows, k)
  int32_t* indices;  // (rows, k)
} PydlTopKArgs;

#define PYDL_SORT_KERNELS(X) X(sort, PydlSortArgs) X(top_k, PydlTopKArgs)
