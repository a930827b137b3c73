// Pooling of a dense (batch, height, width, channels) array; 1-D pooling has height 1. Every window
// holds at least one element of x: the others of a window lie in the padding, which counts for
// nothing.
#pragma once

#include "pydl/abi.h"

typedef struct PydlPoolArgs {
  PydlDType dtype;
  int64_t batch, channels;
  int64_t size[2];      // height and width of x
  int64_t out_size[2];  // of y
  int64_t window[2], strides[2];
  int64_t padding[2];  // before the first row and column
  const void* x;
  void* y;
  // max_pool: NULL, or shaped like y, the position (row * window[1] + column) in the window of what
  // won: the first of equals, the last NaN. max_pool_pick reads them: y gets the elements of x
  // there.
  uint16_t* winners;
} PydlPoolArgs;

typedef struct PydlPoolBackwardArgs {
  PydlDType dtype;
  int64_t batch, channels;
  int64_t size[2];
  int64_t out_size[2];
  int64_t window[2], strides[2];
  int64_t padding[2];
  const void* dy;
  const uint16_t* winners;  // max_pool only
  void* dx;
} PydlPoolBackwardArgs;

#define PYDL_POOL_KERNELS(X)                 \
  X(max_pool_forward, PydlPoolArgs)          \
  X(max_pool_backward, PydlPoolBackwardArgs) \
  X(max_pool_pick, PydlPoolArgs)             \
  X(average_pool_forward, PydlPoolArgs)      \
  X(average_pool_backward, PydlPoolBackwardArgs)
