// Products of int8 matrices that stand for floating-point ones.
#pragma once

#include "pydl/abi.h"
#include "pydl/kernels/activation.h"
#include "pydl/prepared.h"

// y = activation(x @ kernel / (x_scale * kernel_scale) + bias). Scales are what numbers were
// multiplied by. A floating x is quantized on the way, so that the largest magnitude of each row is 127.
typedef struct PydlQuantizedLinearArgs {
  PydlDType dtype;  // of x: PYDL_INT8, or float32, float16 or bfloat16
  int64_t m, n, k;
  const void* x;         // (m, k), dense
  const int8_t* kernel;  // (k, n); one of its two strides is 1 unless that extent is 1
  int64_t kernel_row_stride, kernel_col_stride;
  const float* x_scale;       // (m,) for x of int8, else NULL
  const float* kernel_scale;  // (n,)
  const float* bias;          // (n,) or NULL
  PydlActivation activation;
  void* y;                              // (m, n), dense: float32 for x of int8, else of its dtype
  const PydlPrepared* prepared_kernel;  // what was made of it; NULL when its values may change
} PydlQuantizedLinearArgs;

#define PYDL_QUANTIZED_KERNELS(X) X(quantized_linear, PydlQuantizedLinearArgs)
