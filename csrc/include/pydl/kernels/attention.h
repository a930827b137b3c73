// Scaled dot-product attention, in memory linear in the lengths: scores are made block by block and
// never stored.
//
//   scores = scale * query @ key^T + mask;  out = dropout(softmax(scores)) @ value
//
// Every operand is (batch, length, heads, size) with strides for the first three axes, in elements,
// and a dense last one. Query heads [h * heads / key_heads, (h + 1) * heads / key_heads) share key
// head h.
#pragma once

#include "pydl/abi.h"
#include "pydl/kernels/random.h"

typedef struct PydlAttentionGeometry {
  int64_t batch, heads, key_heads;
  int64_t queries, keys;          // lengths
  int64_t head_size, value_size;  // of query and key; of value and out
  double scale;
  int32_t causal;  // query i attends to keys 0 .. i only
  // bool (true: attend), or numbers to add in the dtype that is computed in; or NULL.
  const void* mask;
  PydlDType mask_dtype;
  int64_t mask_strides[4];  // batch, head, query, key
  double dropout_rate;      // rounded to a multiple of 2^-16
  // Row r of all batch * heads * queries rows of scores uses groups r * n .. r * n + n - 1 of the
  // random words, n = ceil(keys / 128), as the dropout kernel does.
  PydlRandomState random;
} PydlAttentionGeometry;

typedef struct PydlAttentionArgs {
  PydlDType dtype;  // of query, key, value and out; float16 and bfloat16 are computed in float32
  PydlAttentionGeometry geometry;
  const void* query;
  int64_t query_strides[3];
  const void* key;
  int64_t key_strides[3];
  const void* value;
  int64_t value_strides[3];
  void* out;       // dense; 0 where nothing may be attended
  void* log_sums;  // (batch, heads, queries), computed dtype: log(sum(exp(scores))), or inf for
                   // nothing
} PydlAttentionArgs;

typedef struct PydlAttentionBackwardArgs {
  PydlDType dtype;
  PydlAttentionGeometry geometry;
  const void* query;
  int64_t query_strides[3];
  const void* key;
  int64_t key_strides[3];
  const void* value;
  int64_t value_strides[3];
  const void* out;  // dense, as log_sums: what forward gave
  const void* log_sums;
  const void* out_gradient;
  int64_t out_gradient_strides[3];
  void* query_gradient;  // dense, like the next two
  void* key_gradient;
  void* value_gradient;
} PydlAttentionBackwardArgs;

#define PYDL_ATTENTION_KERNELS(X)         \
  X(attention_forward, PydlAttentionArgs) \
  X(attention_backward, PydlAttentionBackwardArgs)
