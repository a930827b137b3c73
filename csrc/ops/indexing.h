// NumPy's indexing: x[key] and x[key] = value.
#pragma once

#include <optional>
#include <vector>

#include "core/tensor.h"

namespace pydl {

// One entry of a key.
struct IndexItem {
  enum class Kind { integer, slice, ellipsis, new_axis, array };
  Kind kind;
  int64_t integer = 0;
  std::optional<int64_t> start, stop;  // of a slice; absent ones mean the end it starts or stops at
  int64_t step = 1;
  Tensor array;  // integer positions, or a boolean mask over as many axes as it has
};
using IndexKey = std::vector<IndexItem>;

// A view where the key has no arrays, else a copy. Arrays broadcast together; their axes stand
// where the arrays stood, or first when other entries separate them, as in NumPy.
Tensor index(const Tensor& x, const IndexKey& key);
// Writes `value`, broadcast and converted, over x[key], outside any graph. Of equal positions the
// last one wins.
void index_assign(const Tensor& x, const IndexKey& key, const Tensor& value);

}  // namespace pydl
