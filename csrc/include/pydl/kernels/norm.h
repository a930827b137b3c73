// Normalisation. x, y and their gradients have `dtype`; parameters, statistics and their gradients
// are float64 for a float64 x and float32 for every other.
#pragma once

#include "pydl/abi.h"

// Each row of a dense (rows, columns) array.
typedef struct PydlLayerNormArgs {
  PydlDType dtype;
  int64_t rows, columns;
  int32_t rms;  // rms_norm: the mean is neither taken away nor saved
  double epsilon;
  const void* x;
  const void* gamma;  // (columns,) or NULL for 1
  const void* beta;   // (columns,) or NULL for 0
  void* y;
  void* mean;         // (rows,)
  void* inverse_std;  // (rows,): 1 / sqrt(variance + epsilon)
} PydlLayerNormArgs;

typedef struct PydlLayerNormBackwardArgs {
  PydlDType dtype;
  int64_t rows, columns;
  int32_t rms;
  const void* x;
  const void* gamma;
  const void* mean;
  const void* inverse_std;
  const void* dy;
  void* dx;  // these three may be NULL
  void* dgamma;
  void* dbeta;
} PydlLayerNormBackwardArgs;

// Each group of channels of each item of a dense (batch, rows, channels) array.
typedef struct PydlGroupNormArgs {
  PydlDType dtype;
  int64_t batch, rows, channels, groups;
  double epsilon;
  const void* x;
  const void* gamma;  // (channels,) or NULL for 1
  const void* beta;   // (channels,) or NULL for 0
  void* y;
  void* mean;         // (batch, groups)
  void* inverse_std;  // (batch, groups)
} PydlGroupNormArgs;

typedef struct PydlGroupNormBackwardArgs {
  PydlDType dtype;
  int64_t batch, rows, channels, groups;
  const void* x;
  const void* gamma;
  const void* mean;
  const void* inverse_std;
  const void* dy;
  void* dx;  // these three may be NULL
  void* dgamma;
  void* dbeta;
} PydlGroupNormBackwardArgs;

// Each column of a dense (rows, channels) array.
typedef struct PydlBatchNormArgs {
  PydlDType dtype;
  int64_t rows, channels;
  double epsilon, momentum;
  int32_t
      training;  // by the statistics of x, which then move the moving ones; or by the moving ones
  const void* x;
  const void* gamma;  // (channels,) or NULL for 1
  const void* beta;   // (channels,) or NULL for 0
  void* moving_mean;
  void* moving_variance;
  void* y;
  void* mean;         // (channels,): what x was normalised by
  void* inverse_std;  // (channels,)
} PydlBatchNormArgs;

typedef struct PydlBatchNormBackwardArgs {
  PydlDType dtype;
  int64_t rows, channels;
  int32_t training;
  const void* x;
  const void* gamma;
  const void* mean;
  const void* inverse_std;
  const void* dy;
  void* dx;  // these three may be NULL
  void* dgamma;
  void* dbeta;
} PydlBatchNormBackwardArgs;

#define PYDL_NORM_KERNELS(X)                        \
  X(layer_norm_forward, PydlLayerNormArgs)          \
  X(layer_norm_backward, PydlLayerNormBackwardArgs) \
  X(group_norm_forward, PydlGroupNormArgs)          \
  X(group_norm_backward, PydlGroupNormBackwardArgs) \
  X(batch_norm_forward, PydlBatchNormArgs)          \
  X(batch_norm_backward, PydlBatchNormBackwardArgs)
