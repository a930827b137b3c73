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
void adagrad_step(const Tensors& params, const Tensors& grads, const Tensors& accumulators,
                  double learning_rate, double epsilon, double weight_decay,
                  const std::vector<double>& scales, double clip_value);
void adadelta_step(const Tensors& params, const Tensors& grads, const Tensors& squares,
                   const Tensors& moves, double learning_rate, double rho, double epsilon,
                   double weight_decay, const std::vector<double>& scales, double clip_value);
void adamax_step(const Tensors& params, const Tensors& grads, const Tensors& m, const Tensors& u,
                 double learning_rate, int64_t step_number, double beta_1, double beta_2,
                 double epsilon, double weight_decay, const std::vector<double>& scales,
                 double clip_value);
void nadam_step(const Tensors& params, const Tensors& grads, const Tensors& m, const Tensors& v,
                double learning_rate, int64_t step_number, double mean_share,
                double gradient_share, double beta_1, double beta_2, double epsilon,
                double weight_decay, const std::vector<double>& scales, double clip_value);
void lion_step(const Tensors& params, const Tensors& grads, const Tensors& m,
               double learning_rate, double beta_1, double beta_2, double weight_decay,
               const std::vector<double>& scales, double clip_value);
void ftrl_step(const Tensors& params, const Tensors& grads, const Tensors& accumulators,
               const Tensors& linears, double learning_rate, double power, double l1, double l2,
               double l2_shrinkage, double weight_decay, const std::vector<double>& scales,
               double clip_value);

// The root of the sum of the squares of all elements; 0-d, float32 (float64 if a tensor is).
Tensor global_norm(const Tensors& tensors);
// Scales the tensors down to a global norm of at most `clip_norm`; returns the norm before.
Tensor clip_by_global_norm(const Tensors& tensors, double clip_norm);

}  // namespace pydl
