// Normalisation. An undefined gamma counts as 1, an undefined beta as 0.
#pragma once

#include "core/tensor.h"

namespace pydl {

Tensor layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, const Dims& axes,
                  double epsilon);
Tensor rms_norm(const Tensor& x, const Tensor& gamma, const Dims& axes, double epsilon);
Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& gamma, const Tensor& beta,
                  int64_t axis, double epsilon);
// In training, by the statistics of x, of which the moving ones then take (1 - momentum), in place.
Tensor batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                  const Tensor& moving_mean, const Tensor& moving_variance, int64_t axis,
                  double momentum, double epsilon, bool training);

}  // namespace pydl
