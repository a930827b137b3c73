// Where the windows of pooling and convolution lie along the spatial axes of an image.
#pragma once

#include <optional>

#include "ops/op.h"

namespace pydl {

constexpr int64_t kLargestStep = INT32_MAX;  // so that positions do not overflow

struct Padding {
  enum class Mode { valid, same, causal, pairs } mode = Mode::valid;
  Dims before, after;  // of `pairs`: for each spatial axis
};

struct WindowAxis {
  int64_t out;     // how many windows
  int64_t before;  // how far the first one reaches over the edge
};

// `window` counts the elements that it spans, dilation included.
inline WindowAxis place_windows(const Op& op, int axis, int64_t size, int64_t window,
                                int64_t stride, const Padding& padding) {
  int64_t before = 0, after = 0;
  if (padding.mode == Padding::Mode::same) {
    int64_t out = (size + stride - 1) / stride;
    int64_t total = std::max<int64_t>((out - 1) * stride + window - size, 0);
    return {out, total / 2};  // the odd one goes behind, as in Keras
  }
  if (padding.mode == Padding::Mode::causal) before = window - 1;
  if (padding.mode == Padding::Mode::pairs) {
    before = padding.before[axis];
    after = padding.after[axis];
    op.check(before <= kLargestStep && after <= kLargestStep, "expected padding below 2^31, got ",
             before, " and ", after, " for spatial axis ", axis);
  }
  op.check<ShapeError>(size + before + after >= window,
                       "expected an input at least as large as the ", "window, which spans ",
                       window, " elements of spatial axis ", axis, ", got ", size,
                       ". Hint: padding=\"same\"");
  return {(size + before + after - window) / stride + 1, before};
}

// The extent of a transposed convolution along an axis and how much of its front is cut off, by
// Keras's rules.
inline WindowAxis place_transposed(const Op& op, int64_t size, int64_t span, int64_t stride, bool same,
                                   std::optional<int64_t> output_padding) {
  op.check(!output_padding || (*output_padding >= 0 && *output_padding < stride),
           "expected output_padding of at least 0 and smaller than the strides, got ",
           output_padding.value_or(0), " with strides ", stride);
  if (size == 0) return {0, 0};
  if (!same) {
    int64_t extra = output_padding.value_or(std::max<int64_t>(stride - span, 0));
    return {(size - 1) * stride + span + extra, 0};
  }
  int64_t total = output_padding ? span + span % 2 - 2 + *output_padding : stride + span - 2;
  int64_t before = std::min((total + 1) / 2, span - 1);
  int64_t out = output_padding ? (size - 1) * stride + span % 2 + *output_padding : size * stride;
  return {out, span - 1 - before};
}

// That the first axes of a kernel, those of its window, are not empty nor too long.
inline void check_window(const Op& op, const Tensor& kernel, int axes) {
  for (int i = 0; i < axes; ++i)
    op.check<ShapeError>(kernel.size(i) > 0 && kernel.size(i) <= kLargestStep,
                         "expected a kernel with elements along each spatial axis, got shape ",
                         kernel.shape());
}

// One positive value for each spatial axis: `given` has as many, or one for all.
inline Dims for_each_axis(const Op& op, const char* name, const Dims& given, int axes) {
  op.check(given.size() == 1 || given.size() == axes, "expected ", name, " to be 1 or ", axes,
           " integers, got ", given);
  for (int64_t value : given) {
    op.check(value > 0, "expected ", name, " to be positive, got ", given);
    op.check(value <= kLargestStep, "expected ", name, " below 2^31, got ", given);
  }
  return given.size() == axes ? given : Dims::filled(axes, given[0]);
}

}  // namespace pydl
