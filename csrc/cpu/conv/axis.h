// The spatial axes of a convolution: which pixels of the input a pixel of the result reads.
#pragma once

#include "cpu/gemm/blocked.h"
#include "pydl/kernels/conv.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

using Geometry = PydlConvGeometry;

// Pixel o of the result reads pixel o * stride + t * dilation + offset for tap t.
struct Axis {
  int64_t in, out, taps, stride, dilation, offset;

  int64_t input(int64_t o, int64_t tap) const { return o * stride + tap * dilation + offset; }
  bool inside(int64_t i) const { return i >= 0 && i < in; }
  // How many pixels before and behind the input are read.
  int64_t before() const { return larger(0, -input(0, 0)); }
  int64_t behind() const { return larger(0, input(out - 1, taps - 1) + 1 - in); }
};

inline Axis height_of(const Geometry& g) {
  return {g.height, g.out_height, g.kernel_height, g.stride_height, g.dilation_height, -g.pad_top};
}
inline Axis width_of(const Geometry& g) {
  return {g.width, g.out_width, g.kernel_width, g.stride_width, g.dilation_width, -g.pad_left};
}

inline int64_t clamp(int64_t x, int64_t low, int64_t high) {
  return x < low ? low : x > high ? high : x;
}

// Results o of an axis whose tap t reads inside the input.
struct Span {
  int64_t begin, end;
};
inline int64_t divide_down(int64_t a, int64_t b) { return a >= 0 ? a / b : -divide_up(-a, b); }
inline Span inside_results(const Axis& axis, int64_t tap) {
  const int64_t shift = axis.input(0, tap);
  const int64_t begin = clamp(-divide_down(shift, axis.stride), 0, axis.out);
  return {begin, clamp(divide_down(axis.in - 1 - shift, axis.stride) + 1, begin, axis.out)};
}
inline Span inside_taps(const Axis& axis, int64_t o) {
  int64_t begin = 0, end = axis.taps;
  while (begin < end && !axis.inside(axis.input(o, begin))) ++begin;
  while (begin < end && !axis.inside(axis.input(o, end - 1))) --end;
  return {begin, end};
}

inline int64_t common_divisor(int64_t a, int64_t b) {
  return b == 0 ? a : common_divisor(b, a % b);
}

// The data gradient is a convolution with stride 1 for each remainder of the input pixel by the
// stride, with the taps that meet it. Input pixels remainder, remainder + stride, ... of one axis.
// Pixel q of them reads the result through `axis`, whose tap t is kernel_tap(t) of the kernel.
struct TransposedAxis {
  int64_t remainder, last_tap, tap_step;
  Axis axis;

  int64_t kernel_tap(int64_t tap) const { return last_tap - tap * tap_step; }

  TransposedAxis(const Axis& forward, int64_t pixel) : remainder(pixel), last_tap(0) {
    const int64_t stride = forward.stride, divisor = common_divisor(stride, forward.dilation);
    const auto distance = [&](int64_t tap) { return pixel - forward.input(0, tap); };
    tap_step = stride / divisor;
    int64_t first = 0;
    while (first < tap_step && distance(first) % stride != 0) ++first;
    const bool any = first < tap_step && first < forward.taps;
    const int64_t taps = any ? (forward.taps - first + tap_step - 1) / tap_step : 0;
    if (any) last_tap = first + (taps - 1) * tap_step;
    axis = {forward.out,
            divide_up(forward.in - pixel, stride),
            taps,
            1,
            forward.dilation / divisor,
            any ? distance(last_tap) / stride : 0};
  }
};

// Calls body(height, width) for each pair of remainders.
template <class Body>
PydlStatus for_remainders(const Geometry& g, Body&& body) {
  for (int64_t y = 0; y < smaller(g.stride_height, g.height); ++y) {
    for (int64_t x = 0; x < smaller(g.stride_width, g.width); ++x) {
      const PydlStatus status =
          body(TransposedAxis(height_of(g), y), TransposedAxis(width_of(g), x));
      if (status != PYDL_OK) return status;
    }
  }
  return PYDL_OK;
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
