// Losses. `reduction` is "none", "mean" or "sum"; the last two give a 0-d tensor from one kernel.
// Gradients flow to the predictions; to the targets too in squared_error, absolute_error and huber.
#pragma once

#include <string>

#include "core/tensor.h"

namespace pydl {

// Labels are class numbers (...,) or distributions (..., classes) for scores (..., classes).
Tensor softmax_cross_entropy(const Tensor& logits, const Tensor& labels, double label_smoothing,
                             const std::string& reduction);
Tensor categorical_cross_entropy(const Tensor& probabilities, const Tensor& labels,
                                 double label_smoothing, double epsilon,
                                 const std::string& reduction);

// Elementwise, on two tensors of one shape.
Tensor sigmoid_binary_cross_entropy(const Tensor& logits, const Tensor& labels,
                                    const std::string& reduction);
Tensor binary_cross_entropy(const Tensor& probabilities, const Tensor& labels, double epsilon,
                            const std::string& reduction);
Tensor squared_error(const Tensor& y_pred, const Tensor& y_true, const std::string& reduction);
Tensor absolute_error(const Tensor& y_pred, const Tensor& y_true, const std::string& reduction);
Tensor huber(const Tensor& y_pred, const Tensor& y_true, double delta,
             const std::string& reduction);

}  // namespace pydl
