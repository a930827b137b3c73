// Pooling of sequences (batch, length, channels), images (batch, height, width, channels) and volumes
// (batch, depth, height, width, channels), or with the channels behind the batch.
#pragma once

#include "ops/window.h"

namespace pydl {

// No `strides` means those of the window. Padding never counts.
Tensor max_pool(const Tensor& x, const Dims& pool_size, const Dims& strides, const Padding& padding,
                bool channels_first);
Tensor average_pool(const Tensor& x, const Dims& pool_size, const Dims& strides,
                    const Padding& padding, bool channels_first);
Tensor global_max_pool(const Tensor& x, bool channels_first, bool keepdims);
Tensor global_average_pool(const Tensor& x, bool channels_first, bool keepdims);

}  // namespace pydl
