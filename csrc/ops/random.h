// Random tensors. Each call takes its numbers from a generator; dropout's gradient makes its mask
// again from the same ones.
#pragma once

#include "core/random.h"
#include "core/tensor.h"

namespace pydl {

Tensor uniform(const Dims& shape, double low, double high, DType dtype, Generator& generator);
Tensor normal(const Dims& shape, double mean, double stddev, DType dtype, Generator& generator);
Tensor truncated_normal(const Dims& shape, double mean, double stddev, DType dtype,
                        Generator& generator);
Tensor randint(const Dims& shape, int64_t low, int64_t high, DType dtype, Generator& generator);
Tensor bernoulli(const Dims& shape, double probability, DType dtype, Generator& generator);
Tensor permutation(int64_t count, Generator& generator);
// Class indices (rows, samples) in proportion to exp(logits), for logits (rows, classes).
Tensor categorical(const Tensor& logits, int64_t samples, DType dtype, Generator& generator);
Tensor dropout(const Tensor& x, double rate, Generator& generator);
Tensor dropout(const Tensor& x, double rate, PydlRandomState state);  // always the same choices

}  // namespace pydl
