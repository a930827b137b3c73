#pragma once

#include <optional>

#include "core/random.h"
#include "core/tensor.h"

namespace pydl {

struct AttentionOptions {
  bool causal = false;
  std::optional<double> scale;  // 1 / sqrt(head size) when absent
  double dropout = 0;
};

// softmax(scale * query @ key^T + mask) @ value, on (batch, length, heads, size); the heads of key
// and value divide those of query. An undefined mask hides nothing; a bool one hides where it is
// false, any other is added. Rows that may attend to nothing give 0.
Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const Tensor& mask, const AttentionOptions& options,
                                    Generator& generator);

}  // namespace pydl
