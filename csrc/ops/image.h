// Operations on images (batch, height, width, channels).
#pragma once

#include <string>

#include "core/tensor.h"

namespace pydl {

// method: nearest, bilinear, bicubic, lanczos3 or lanczos5; antialias widens it where the result is
// smaller. The numbers of jax.image.resize.
Tensor resize(const Tensor& x, int64_t height, int64_t width, const std::string& method,
              bool antialias);

// transforms: (batch, 8) or (1, 8) a0 a1 a2 b0 b1 b2 c0 c1, from pixels of the result to those of
// x. fill_mode: constant, nearest, wrap, mirror or reflect.
Tensor affine_transform(const Tensor& x, const Tensor& transforms, const std::string& interpolation,
                        const std::string& fill_mode, double fill_value);

// hue (batch,) in turns is added and saturation (batch,) multiplied. No gradient.
Tensor adjust_hue(const Tensor& x, const Tensor& hue, const Tensor& saturation,
                  double largest_saturation);

}  // namespace pydl
