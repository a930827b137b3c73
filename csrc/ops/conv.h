// Convolution of sequences (batch, length, channels), images (batch, height, width, channels) and, but
// for depthwise_conv, volumes (batch, depth, height, width, channels), or with the channels behind the
// batch; bias and activation fused. The bias may be absent, the activation "".
#pragma once

#include <string>

#include "ops/window.h"

namespace pydl {

struct ConvOptions {
  Dims strides = {1};
  Padding padding;
  Dims dilation = {1};
  bool channels_first = false;
  std::string activation;
};

// kernel: (*window, in / groups, out). A residual, like the result, is added before the activation.
Tensor conv(const Tensor& x, const Tensor& kernel, const Tensor& bias, const ConvOptions& options,
            int64_t groups, const Tensor& residual = {});
// kernel: (*window, in, multiplier)
Tensor depthwise_conv(const Tensor& x, const Tensor& kernel, const Tensor& bias,
                      const ConvOptions& options);
// kernel: (*window, out, in). Without output_padding the result has strides times the extent of x, for
// padding "valid" at least the window more than the strides.
Tensor conv_transpose(const Tensor& x, const Tensor& kernel, const Tensor& bias,
                      const ConvOptions& options, const std::optional<Dims>& output_padding);

}  // namespace pydl
