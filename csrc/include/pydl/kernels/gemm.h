// Matrix product with a fused epilogue: c = activation(a @ b + bias), batched.
#pragma once

#include "pydl/abi.h"
#include "pydl/kernels/activation.h"
#include "pydl/prepared.h"

typedef struct PydlGemmArgs {
  PydlDType dtype;      // of a, b, bias and pre_activation; float16 and bfloat16 accumulate in float32
  PydlDType out_dtype;  // of c: dtype, or float32 when dtype is float16 or bfloat16
  int64_t m, n, k;
  const void* a;  // (m, k); one of its two strides is 1 unless that extent is 1
  int64_t a_row_stride, a_col_stride;
  const void* b;  // (k, n)
  int64_t b_row_stride, b_col_stride;
  void* c;  // (m, n), columns contiguous
  int64_t c_row_stride;
  int32_t accumulate;  // c += a @ b (no epilogue then) instead of c = ...
  const void* bias;    // (n,) or NULL
  PydlActivation activation;
  void* pre_activation;  // like c: receives what the activation is applied to; or NULL
  // Batch: outer dimensions with strides in elements; a stride of 0 broadcasts an operand.
  int32_t batch_rank;
  int64_t batch_shape[PYDL_MAX_RANK];
  int64_t a_batch_strides[PYDL_MAX_RANK];
  int64_t b_batch_strides[PYDL_MAX_RANK];
  int64_t c_batch_strides[PYDL_MAX_RANK];
  const PydlPrepared* prepared_b;  // what was made of b; NULL when its values may change
  const void* residual;  // like c: added before the activation; or NULL. Only CPU kernels take it
} PydlGemmArgs;

#define PYDL_GEMM_KERNELS(X) X(gemm, PydlGemmArgs)
