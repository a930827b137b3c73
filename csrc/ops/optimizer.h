// Optimizer steps over lists of tensors, in place and outside any graph: one kernel call for all
// parameters of a dtype. An empty list of state means that the step keeps none of that kind;
// `scales` multiply the gradients and are all 1 when empty; `clip_value` is infinity for no
// clipping.
#pragma once

#include <vector>

#include "core/tensor.h"

namespace pydl {

using Tensors = std::vector<Tensor>;

void sgd_step(const Tensors& params, const Tensors& grads, const Tensors& momentums,
              double learning_rate, double momentum, bool nesterov, double weight_decay,
              const std::vector<double>& scales, double clip_value);
void rmsprop_step(const Tensors& params, const Tensors& grads, const Tensors& velocities,
                  const Tensors& averages, const Tensors& momentums, double learning_rate,
                  double rho, double momentum, double epsilon, double weight_decay,
                  const std::vector<double>& scales, double clip_value);
void adam_step(const Tensors& params, const Tensors& grads, const Tensors& m, const Tensors& v,
               const Tensors& vhat, int64_t step, double learning_rate, double beta_1,
               double beta_2, double epsilon, double weight_decay,
               const std::vector<double>& scales, double clip_value);

// The root of the sum of the squares of all elements; 0-d, float32 (float64 if a tensor is).
Tensor global_norm(const Tensors& tensors);
// Scales the tensors down to a global norm of at most `clip_norm`; returns the norm before.
Tensor clip_by_global_norm(const Tensors& tensors, double clip_norm);

}  // namespace pydl
