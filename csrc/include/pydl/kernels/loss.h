// Losses fused with what comes before them: softmax and cross entropy, sigmoid and cross entropy;
// and losses of pairs of numbers. All arrays are dense.
#pragma once

#include "pydl/abi.h"

// Cross entropy of the rows of `scores`, logits or probabilities, with labels: class numbers, one a
// row, or distributions like `scores`. Labels t become t (1 - label_smoothing) + label_smoothing /
// columns. Probabilities are made to sum to 1 and clipped to [epsilon, 1 - epsilon].
typedef struct PydlCrossEntropyArgs {
  PydlDType dtype;        // of scores, losses, total, and of labels that are distributions
  PydlDType label_dtype;  // PYDL_INT32 or PYDL_INT64 for class numbers, else dtype
  int64_t rows, columns;
  const void* scores;
  int32_t from_logits;
  const void* labels;
  double label_smoothing, epsilon;
  void* losses;  // (rows,) or NULL
  void* total;   // one element, factor * (sum of the losses); or NULL
  double factor;
  void* normalizers;  // (2, rows): largest logits, then log(sum(exp(logit - largest))), float32, or
                      // float64 when dtype is; unused for probabilities
  void* dscores;  // NULL, or where the gradient of total goes, of logits on CPUs
} PydlCrossEntropyArgs;

typedef struct PydlCrossEntropyBackwardArgs {
  PydlDType dtype;
  PydlDType label_dtype;
  int64_t rows, columns;
  const void* scores;  // NULL: multiplies dscores, which the forward kernel wrote, with dlosses
  int32_t from_logits;
  const void* labels;
  double label_smoothing, epsilon;
  const void* normalizers;  // what the forward kernel wrote
  const void* dlosses;      // (rows,), or one element for all rows
  int64_t dlosses_stride;   // 1 or 0
  double factor;            // multiplies dlosses
  void* dscores;
} PydlCrossEntropyBackwardArgs;

typedef int32_t PydlPairLoss;
enum {
  PYDL_SQUARED_ERROR = 0,                // (x - t)^2
  PYDL_ABSOLUTE_ERROR = 1,               // |x - t|
  PYDL_HUBER = 2,                        // (x - t)^2 / 2 up to |x - t| = parameter, linear beyond
  PYDL_SIGMOID_BINARY_CROSS_ENTROPY = 3,  // x is a logit
  PYDL_BINARY_CROSS_ENTROPY = 4,         // x is clipped to [parameter, 1 - parameter]
};

typedef struct PydlPairLossArgs {
  PydlPairLoss loss;
  PydlDType dtype;
  int64_t count;
  const void* x;
  const void* t;
  double parameter;
  void* losses;   // `count` elements, or NULL
  void* total;    // one element, factor * (sum of the losses); or NULL
  double factor;
} PydlPairLossArgs;

typedef struct PydlPairLossBackwardArgs {
  PydlPairLoss loss;
  PydlDType dtype;
  int64_t count;
  const void* x;
  const void* t;
  double parameter;
  const void* dlosses;     // `count` elements, or one for all
  int64_t dlosses_stride;  // 1 or 0
  double factor;           // multiplies dlosses
  void* dx;
} PydlPairLossBackwardArgs;

#define PYDL_LOSS_KERNELS(X)                                \
  X(cross_entropy, PydlCrossEntropyArgs)                    \
  X(cross_entropy_backward, PydlCrossEntropyBackwardArgs)   \
  X(pair_loss, PydlPairLossArgs)                            \
  X(pair_loss_backward, PydlPairLossBackwardArgs)
