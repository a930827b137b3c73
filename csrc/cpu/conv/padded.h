// Images copied with the zeros around them that a convolution pads with.
#pragma once

#include "cpu/conv/patches.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// Images with zeros around them, wide enough for all taps to be inside.
template <class S>
class PaddedImages {
 public:
  PaddedImages(const PydlContext* context, const Patches<S>& of, int64_t most_images)
      : from_(of), to_(of), copy_(context, larger(1, most_images * size(of))) {
    to_.data = copy_.data();
    to_.height = padded_axis(of.height);
    to_.width = padded_axis(of.width);
  }
  explicit operator bool() const { return static_cast<bool>(copy_); }
  static int64_t size(const Patches<S>& of) {
    return padded_axis(of.height).in * padded_axis(of.width).in * of.pixel;
  }

  // The patches of images [image, image_end).
  const Patches<S>& fill(const PydlContext* context, int64_t image, int64_t image_end) {
    const int64_t rows = to_.height.in, row_size = to_.width.in * to_.pixel;
    parallel_for(context, (image_end - image) * rows, divide_up(kReadsPerThread, row_size),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t row = begin; row < end; ++row) {
                     fill_row(image + row / rows, row % rows - from_.height.before(),
                              copy_.data() + row * row_size);
                   }
                 });
    return to_;
  }

 private:
  static Axis padded_axis(Axis axis) {
    const int64_t before = axis.before();
    axis.in += before + axis.behind();
    axis.offset += before;
    return axis;
  }
  void fill_row(int64_t image, int64_t y, S* to) const {
    memset(to, 0, static_cast<size_t>(to_.width.in * to_.pixel) * sizeof(S));
    if (!from_.height.inside(y)) return;
    const int64_t size = from_.width.in * from_.pixel;
    memcpy(to + from_.width.before() * from_.pixel,
           from_.data + (image * from_.height.in + y) * size,
           static_cast<size_t>(size) * sizeof(S));
  }

  Patches<S> from_, to_;
  Scratch<S> copy_;
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
