// The patches of an image that a convolution multiplies with its kernel, as a matrix that is never
// stored whole: a row for each pixel of the result, a column for each tap and input channel.
#pragma once

#include "cpu/conv/axis.h"
#include "cpu/gemm/matrix.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

struct Pixel {
  int64_t image, y, x;  // of the result
};

template <class S>
struct Patches {
  using T = Compute<S>;
  const S* data;  // the first channel of a group
  Axis height, width;
  int64_t channels, pixel;  // of the group; from one pixel to the next

  int64_t rows(int64_t batch) const { return batch * height.out * width.out; }
  int64_t columns() const { return height.taps * tap_row(); }
  int64_t tap_row() const { return width.taps * channels; }
  Pixel pixel_of(int64_t row) const {
    return {row / (width.out * height.out), row / width.out % height.out, row % width.out};
  }

  // Whether a row of taps reads one run of memory.
  bool has_runs() const { return width.dilation == 1 && pixel == channels && columns() > 0; }

  // Whether no tap is outside the image.
  bool all_inside() const {
    return height.before() + height.behind() + width.before() + width.behind() == 0;
  }

  // Rows from `at` on and columns from l on, a multiple of tap_row, in the image itself.
  TileRows<T> rows_in_place(const Pixel& at, int64_t l) const {
    const S* from = run(at, l / tap_row());
    return {from, width.stride * pixel, 1, tap_row(),
            height.dilation * width.in * pixel - tap_row()};
  }
  // The transpose of columns from l on of rows from `at` on, `at` beginning a row of pixels.
  TileRows<T> columns_in_place(const Pixel& at, int64_t l) const {
    const S* from = run(at, l / tap_row()) + l % tap_row();
    const int64_t step = width.stride * pixel;
    return {from, 1, step, width.out, height.stride * width.in * pixel - width.out * step};
  }

  // Columns [l, l + n) of rows [row, row + count), dst_row apart. What follows a row in dst may be
  // overwritten, up to one register.
  void copy(int64_t row, int64_t count, int64_t l, int64_t n, T* dst, int64_t dst_row) const {
    if (n == 0) return;
    if (has_runs() && l / tap_row() == (l + n - 1) / tap_row()) {
      return copy_one_tap_row(row, count, l / tap_row(), l % tap_row(), n, dst, dst_row);
    }
    Pixel at = pixel_of(row);
    for (; count > 0; --count, dst += dst_row) {
      copy_patch(at, l, n, dst);
      if (++at.x < width.out) continue;
      at.x = 0;
      if (++at.y < height.out) continue;
      at.y = 0;
      ++at.image;
    }
  }

 private:
  // What row `tap` of taps reads, which may begin left of the image.
  const S* run(const Pixel& at, int64_t tap) const {
    const int64_t row = at.image * height.in + height.input(at.y, tap);
    return data + (row * width.in + width.input(at.x, 0)) * pixel;
  }

  // As copy, for elements [begin, begin + n) of one row of taps.
  void copy_one_tap_row(int64_t row, int64_t count, int64_t tap, int64_t begin, int64_t n, T* dst,
                        int64_t dst_row) const {
    const Span whole = {inside_results(width, begin / channels).begin,
                        inside_results(width, (begin + n - 1) / channels).end};
    for (int64_t in_row; count > 0; count -= in_row, row += in_row) {
      const Pixel at = pixel_of(row);
      in_row = smaller(count, width.out - at.x);
      const bool inside = height.inside(height.input(at.y, tap));
      const S* from = run(at, tap);
      const int64_t step = width.stride * pixel;
      for (int64_t x = at.x; x < at.x + in_row; ++x, from += step, dst += dst_row) {
        if (inside && x >= whole.begin && x < whole.end) {
          copy_row(from + begin, n, dst);
        } else if (inside) {
          copy_tap_row(from, x, begin, begin + n, dst - begin);
        } else {
          zero(dst, n);
        }
      }
    }
  }

  void copy_patch(const Pixel& at, int64_t l, int64_t n, T* dst) const {
    for (int64_t tap = l / tap_row(); tap * tap_row() < l + n; ++tap) {
      const int64_t first = tap * tap_row();
      const int64_t begin = larger(l - first, 0), end = smaller(l + n - first, tap_row());
      T* to = dst + first - l;
      if (height.inside(height.input(at.y, tap))) {
        copy_tap_row(run(at, tap), at.x, begin, end, to);
      } else {
        zero(to + begin, end - begin);
      }
    }
  }

  // Elements [begin, end) of one row of taps.
  void copy_tap_row(const S* from, int64_t x, int64_t begin, int64_t end, T* to) const {
    const int64_t first = width.input(x, 0);
    if (width.dilation == 1 && pixel == channels) {  // one run of memory
      const int64_t inside = clamp(-first * channels, begin, end);
      const int64_t outside = clamp((width.in - first) * channels, inside, end);
      zero(to + begin, inside - begin);
      copy_row(from + inside, outside - inside, to + inside);
      zero(to + outside, end - outside);
      return;
    }
    for (int64_t tap = begin / channels; tap * channels < end; ++tap) {
      const int64_t skip = larger(begin - tap * channels, 0);
      const int64_t count = smaller(end - tap * channels, channels) - skip;
      T* tap_to = to + tap * channels + skip;
      if (width.inside(width.input(x, tap))) {
        copy_row(from + tap * width.dilation * pixel + skip, count, tap_to);
      } else {
        zero(tap_to, count);
      }
    }
  }

  static void zero(T* to, int64_t n) {
    for (int64_t i = 0; i < n; i += Vec<T>::size) Vec<T>(T(0)).store(to + i);
  }
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
