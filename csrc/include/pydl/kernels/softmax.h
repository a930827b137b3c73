// Softmax and log-softmax over the last axis of a dense (rows, columns) array.
#pragma once

#include "pydl/abi.h"

typedef struct PydlSoftmaxArgs {
  PydlDType dtype;
  int64_t rows, columns;
  int32_t log;  // log_softmax instead of softmax
  const void* x;
  void* y;
} PydlSoftmaxArgs;

typedef struct PydlSoftmaxBackwardArgs {
  PydlDType dtype;
  int64_t rows, columns;
  int32_t log;
  const void* y;   // what the forward kernel returned
  const void* dy;
  void* dx;
} PydlSoftmaxBackwardArgs;

#define PYDL_SOFTMAX_KERNELS(X)                \
  X(softmax_forward, PydlSoftmaxArgs)          \
  X(softmax_backward, PydlSoftmaxBackwardArgs)
