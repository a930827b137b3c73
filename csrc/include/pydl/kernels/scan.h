// Running results along the middle axis of a dense (outer, n, inner) array.
#pragma once

#include "pydl/abi.h"

typedef int32_t PydlScanOp;
enum {
  PYDL_SCAN_sum = 0,     // out[i] = out[i - 1] + x[i]
  PYDL_SCAN_prod = 1,    // out[i] = out[i - 1] * x[i]
  PYDL_SCAN_linear = 2,  // out[i] = out[i - 1] * factors[i] + x[i]
};

typedef struct PydlScanArgs {
  PydlScanOp op;
  PydlDType dtype;  // floating, int32 or int64
  int64_t outer, n, inner;
  int32_t reverse;  // from the end: out[i + 1] takes the place of out[i - 1]
  const void* x;
  const void* factors;  // of linear
  void* out;
} PydlScanArgs;

#define PYDL_SCAN_KERNELS(X) X(scan, PydlScanArgs)
