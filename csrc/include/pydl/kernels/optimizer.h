// Optimizer steps over many tensors in one call. Every tensor is dense; parameters change in place.
// Weight decay is decoupled: parameter -= learning_rate * weight_decay * parameter before the step.
#pragma once

#include "pydl/abi.h"

// One parameter with its gradient and state, `count` elements each.
typedef struct PydlOptimizerTensor {
  int64_t count;
  void* parameter;
  const void* gradient;
  // State. sgd, rmsprop: first is the momentum or NULL; adam, nadam, adamax, lion: first is the mean
  // of the gradient. rmsprop, adam, nadam, adadelta: second is the mean of the squared gradient;
  // adagrad, ftrl: its sum; adamax: the largest gradient. third: rmsprop: mean of the gradient or
  // NULL; adam: largest `second` so far or NULL; adadelta: mean of the squared move; ftrl: `linear`.
  void* first;
  void* second;
  void* third;
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

// second += g^2; parameter -= learning_rate g / sqrt(second + epsilon)
typedef struct PydlAdagradStepArgs {
  PydlDType dtype;
  int64_t tensor_count;
  const PydlOptimizerTensor* tensors;
  double learning_rate, weight_decay;
  double clip_value;
  double epsilon;
} PydlAdagradStepArgs;

// move = g sqrt(third + epsilon) / sqrt(second + epsilon); parameter -= learning_rate move
typedef struct PydlAdadeltaStepArgs {
  PydlDType dtype;
  int64_t tensor_count;
  const PydlOptimizerTensor* tensors;
  double learning_rate, weight_decay;
  double clip_value;
  double rho, epsilon;
} PydlAdadeltaStepArgs;

// second = max(beta_2 second, |g|); parameter -= corrected_rate first / (second + epsilon)
typedef struct PydlAdamaxStepArgs {
  PydlDType dtype;
  int64_t tensor_count;
  const PydlOptimizerTensor* tensors;
  double learning_rate, weight_decay;
  double clip_value;
  double corrected_rate;  // learning_rate / (1 - beta_1^step), step from 1
  double beta_1, beta_2, epsilon;
} PydlAdamaxStepArgs;

// parameter -= (mean_rate first + gradient_rate g) / (sqrt(square_scale second) + epsilon)
typedef struct PydlNadamStepArgs {
  PydlDType dtype;
  int64_t tensor_count;
  const PydlOptimizerTensor* tensors;
  double learning_rate, weight_decay;
  double clip_value;
  double mean_rate, gradient_rate, square_scale;  // corrected for the start from 0
  double beta_1, beta_2, epsilon;
} PydlNadamStepArgs;

// parameter -= learning_rate sign(beta_1 first + (1 - beta_1) g); then beta_2 updates first
typedef struct PydlLionStepArgs {
  PydlDType dtype;
  int64_t tensor_count;
  const PydlOptimizerTensor* tensors;
  double learning_rate, weight_decay;
  double clip_value;
  double beta_1, beta_2;
} PydlLionStepArgs;

// sum^-power / learning_rate, plus 2 l2, is the curvature that divides what exceeds l1
typedef struct PydlFtrlStepArgs {
  PydlDType dtype;
  int64_t tensor_count;
  const PydlOptimizerTensor* tensors;
  double learning_rate, weight_decay;
  double clip_value;
  double power;  // at most 0
  double l1, l2, l2_shrinkage;
} PydlFtrlStepArgs;

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
  X(scale_tensors, PydlScaleTensorsArgs)  \
  X(adagrad_step, PydlAdagradStepArgs)    \
  X(adadelta_step, PydlAdadeltaStepArgs)  \
  X(adamax_step, PydlAdamaxStepArgs)      \
  X(nadam_step, PydlNadamStepArgs)        \
  X(lion_step, PydlLionStepArgs)          \
  X(ftrl_step, PydlFtrlStepArgs)
