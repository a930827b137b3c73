// The patches of an image that a convolution multiplies with its kernel, as a matrix that is never
// stored whole: a row for each pixel of the result, a column for each tap and input channel.
#pragma once

#include "cpu/conv/axis.h"
#include "cpu/gemm/matrix.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

template <class S>
struct Patches {
  using T = Compute<S>;
  const S* data;  // the first channel of a group
  Axis height, width;
  int64_t channels, pixel;  // of the group; from one pixel to the next

  int64_t rows(int64_t batch) const { return batch * height.out * width.out; }
  int64_t columns() const { return height.taps * width.taps * channels; }

  // Columns [l, l + n) of rows [row, row + count), dst_row apart. What follows a row in dst may be
  // overwritten, up to one register.
  void copy(int64_t row, int64_t count, int64_t l, int64_t n, T* dst, int64_t dst_row) const {
    if (n == 0) return;
    int64_t x = row % width.out, y = row / width.out % height.out;
    const S* image = data + row / (width.out * height.out) * image_size();
    for (; count > 0; --count, dst += dst_row) {
      copy_patch(image, y, x, l, n, dst);
      if (++x < width.out) continue;
      x = 0;
      if (++y < height.out) continue;
      y = 0;
      image += image_size();
    }
  }

 private:
  int64_t image_size() const { return height.in * width.in * pixel; }

  void copy_patch(const S* image, int64_t y, int64_t x, int64_t l, int64_t n, T* dst) const {
    const int64_t tap_row = width.taps * channels;
    for (int64_t tap = l / tap_row; tap * tap_row < l + n; ++tap) {
      const int64_t begin = larger(l - tap * tap_row, 0), end = smaller(l + n - tap * tap_row, tap_row);
      T* to = dst + tap * tap_row - l;
      const int64_t row = height.input(y, tap);
      if (!height.inside(row)) {
        zero(to + begin, end - begin);
      } else {
        copy_tap_row(image + row * width.in * pixel, x, begin, end, to);
      }
    }
  }

  // Elements [begin, end) of one row of taps.
  void copy_tap_row(const S* row, int64_t x, int64_t begin, int64_t end, T* to) const {
    if (width.dilation == 1 && pixel == channels) {  // one run of memory
      const int64_t first = width.input(x, 0) * channels;
      const int64_t inside = clamp(-first, begin, end);
      const int64_t outside = clamp(width.in * channels - first, inside, end);
      zero(to + begin, inside - begin);
      copy_row(row + first + inside, outside - inside, to + inside);
      zero(to + outside, end - outside);
      return;
    }
    for (int64_t tap = begin / channels; tap * channels < end; ++tap) {
      const int64_t from = larger(begin - tap * channels, 0);
      const int64_t count = smaller(end - tap * channels, channels) - from;
      const int64_t column = width.input(x, tap);
      T* tap_to = to + tap * channels + from;
      if (width.inside(column)) {
        copy_row(row + column * pixel + from, count, tap_to);
      } else {
        zero(tap_to, count);
      }
    }
  }

  static void zero(T* to, int64_t n) {
    for (int64_t i = 0; i < n; i += Vec<T>::size) Vec<T>(T(0)).store(to + i);
  }
};

// Rows of A are pixels, k the taps and channels.
template <class S>
struct PatchRows {
  using T = Compute<S>;
  Patches<S> patches;

  int64_t buffer_size(int64_t depth) const { return (padded<T>(depth) + Vec<T>::size) * kTileRows; }
  void group(int64_t, int64_t, int64_t, int64_t, T*) const {}
  void prefetch(int64_t, int, int64_t, int64_t) const {}
  TileInput<T> strip(int64_t row, int rows, int64_t l, int64_t depth, int64_t, T* buffer) const {
    const int64_t stride = padded<T>(depth);
    patches.copy(row, rows, l, depth, buffer, stride);
    return {buffer, stride, 1};
  }
};

// Rows of A are taps and channels, k the pixels; packed for a group of strips at once, because runs of
// channels are then long.
template <class S>
struct PatchColumns {
  using T = Compute<S>;
  static constexpr int64_t kRows = kGroupStrips * kTileRows;
  Patches<S> patches;

  int64_t buffer_size(int64_t depth) const { return padded<T>(kRows) * depth + Vec<T>::size; }
  void group(int64_t row, int64_t rows, int64_t l, int64_t depth, T* buffer) const {
    patches.copy(l, depth, row, rows, buffer, padded<T>(kRows));
  }
  void prefetch(int64_t, int, int64_t, int64_t) const {}
  TileInput<T> strip(int64_t row, int, int64_t, int64_t, int64_t first_row, T* buffer) const {
    return {buffer + row - first_row, 1, padded<T>(kRows)};
  }
};

// out = the sum of `parts` matrices (rows, n) that follow each other in `sums`; added up in order.
template <class T, class S>
void add_parts(T* sums, int64_t parts, int64_t rows, int64_t n, S* out, int64_t out_row) {
  for (int64_t i = 0; i < rows; ++i) {
    for_registers<T>(n, [&](int64_t j, auto... count) {
      Vec<T> total = T(0);
      for (int64_t part = 0; part < parts; ++part) {
        total += load(sums + (part * rows + i) * n + j, count...);
      }
      store(total, out + i * out_row + j, count...);
    });
  }
}

// C whose rows are pixels some steps apart in an image, such as every second one.
template <class S>
struct PixelOutput {
  using T = Compute<S>;
  S* data;
  S* pre_activation;  // or NULL
  int64_t height, width;                          // pixels written of each image
  int64_t image_stride, row_stride, pixel_stride;
  Epilogue<S, S> epilogue;

  TileOutput<T> place(int64_t, int64_t) const { return {nullptr, 0, 0, false}; }
  void finish(int64_t row, int rows, int64_t column, int64_t columns, const T* sum,
              int64_t sum_row) const {
    for (int64_t i = row; i < row + rows; ++i, sum += sum_row) {
      const int64_t x = i % width, y = i / width % height, image = i / (width * height);
      const int64_t at = image * image_stride + y * row_stride + x * pixel_stride + column;
      epilogue.row(sum, columns, column, false, data + at,
                   pre_activation ? pre_activation + at : nullptr);
    }
  }
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
