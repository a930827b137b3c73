// Convolution and pooling of volumes (batch, depth, height, width, channels), made of the same ops on
// images: the depth is folded into the channels, or into the batch, of images.
#pragma once

#include "ops/conv.h"

namespace pydl {

// As conv, conv_transpose and the pooling functions, for an x of rank 5.
Tensor conv_volumes(const Tensor& x, const Tensor& kernel, const Tensor& bias,
                    const ConvOptions& options, int64_t groups);
Tensor conv_transpose_volumes(const Tensor& x, const Tensor& kernel, const Tensor& bias,
                              const ConvOptions& options, const std::optional<Dims>& output_padding);

using PoolImages = Tensor (*)(const Tensor& x, const Dims& pool_size, const Dims& strides,
                              const Padding& padding, bool channels_first);
// Pools height and width of every frame, then the depth: the maximum of maxima is the maximum, and the
// mean of means is the mean, as all windows of an axis count alike.
Tensor pool_volumes(const char* name, PoolImages pool, const Tensor& x, const Dims& pool_size,
                    const Dims& strides, const Padding& padding, bool channels_first);

}  // namespace pydl
