// Optimizer steps over many tensors in one call. Every tensor is dense; parameters change in place.
// Weight decay is decoupled: parameter -= learning_rate * weight_decay * parameter before the step.
#pragma once

#include "pydl/abi.h"

// One parameter with its gradient and state, `count` elements each.
typedef struct PydlOptimizerTensor {
  int64_t count;
  void* parameter;
  const void* gradient;
  void* first;   // sgd, rmsprop: momentum or NULL; adam: mean of the gradient
  void* second;  // rmsprop, adam: mean of the squared gradient
  void* third;   // rmsprop: mean of the gradient or NULL; adam: largest `second` so far or NULL
  double scale;  // multiplies the gradient before everything else (clipping by norm)
} PydlOptimizerTensor;

typedef struct PydlSgdStepArgs {
  PydlDType dtype;
  int64_t tensor_count;
  const PydlOptimizerTensor* tensors;
  double learning_rate, weight_decay;
  double clip_value;  // gradients are clipped to [-clip_value, clip_value]; infinity leaves them
  double momentum;
  int32_t nesterov;
} PydlSgdStepArgs;

typedef struct PydlRmspropStepArgs {
  PydlDType dtype;
  int64_t tensor_count;
  const PydlOptimizerTensor* tensors;
  double learning_rate, weight_decay;
  double clip_value;
  double rho, momentum, epsilon;
} PydlRmspropStepArgs;

typedef struct PydlAdamStepArgs {
  PydlDType dtype;
  int64_t tensor_count;
  const PydlOptimizerTensor* tensors;
  double learning_rate, weight_decay;
  double clip_value;
  double corrected_rate;  // learning_rate sqrt(1 - beta_2^step) / (1 - beta_1^step), step from 1
  double beta_1, beta_2, epsilon;
} PydlAdamStepArgs;

// squared_norms[i] = the sum of the squares of tensors[i].gradient (its scale is not used).
typedef struct PydlSquaredNormsArgs {
  PydlDType dtype;
  int64_t tensor_count;
  const PydlOptimizerTensor* tensors;
  double* squared_norms;
} PydlSquaredNormsArgs;

// tensors[i].parameter *= tensors[i].scale
typedef struct PydlScaleTensorsArgs {
  PydlDType dtype;
  int64_t tensor_count;
  const PydlOptimizerTensor* tensors;
} PydlScaleTensorsArgs;

#define PYDL_OPTIMIZER_KERNELS(X)         \
  X(sgd_step, PydlSgdStepArgs)            \
  X(rmsprop_step, PydlRmspropStepArgs)    \
  X(adam_step, PydlAdamStepArgs)          \
  X(squared_norms, PydlSquaredNormsArgs)  \
  X(scale_tensors, PydlScaleTensorsArgs)
