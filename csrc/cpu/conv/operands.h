// Patches as the operand A of a blocked product, and images as its result.
#pragma once

#include "cpu/conv/patches.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

inline PydlStatus conv_out_of_memory(const PydlContext* context) {
  return context->fail(context, PYDL_ERROR_MEMORY, "[conv] out of memory");
}

constexpr int64_t kShortRun = 64;  // of taps and channels: slower to pack than to read again

// Element (i, j, l, n) of a kernel, of tap (i, j), channel l and result channel n, is
// data[i * tap_row + j * tap + l * row + n * column].
template <class S>
struct KernelTaps {
  using T = Compute<S>;
  const S* data;
  int64_t tap_row, tap, row, column;
  const PydlPrepared* prepared = nullptr;  // of a kernel that is one matrix

  // Whether it is one matrix, its rows `row` apart.
  bool is_matrix(const Patches<S>& patches) const {
    return column == 1 && tap == patches.channels * row && tap_row == patches.width.taps * tap;
  }
  // As B of the product with patches: panels of `depth` taps and channels from l on.
  void pack(const Patches<S>& patches, int64_t columns, int64_t panel, int64_t panel_end, int64_t l,
            int64_t depth, T* dst) const {
    constexpr int64_t kWidth = kTileColumns<T>;
    const int64_t end = l + depth;
    for (int64_t count; l < end; l += count, dst += count * kWidth) {
      const int64_t at = l / patches.channels, channel = l % patches.channels;
      const int64_t i = at / patches.width.taps, j = at % patches.width.taps;
      count = smaller(patches.channels - channel, end - l);
      pack_matrix_panels(data + i * tap_row + j * tap + channel * row, row, column, count, columns,
                         panel, panel_end, dst, depth * kWidth);
    }
  }
};

// Rows of A are pixels, k the taps and channels. Tiles read the images themselves where all taps
// are inside, unless so many columns of C need a strip that packing it is cheap.
template <class S>
struct PatchRows {
  using T = Compute<S>;
  Patches<S> patches;
  int64_t batch;
  bool direct;

  PatchRows(const Patches<S>& of, int64_t images, int64_t columns)
      : patches(of), batch(images), direct(worth_padding(of, columns) && of.all_inside()) {}

  // Whether tiles shall read images, which then must have zeros around them.
  static bool worth_padding(const Patches<S>& of, int64_t columns) {
    const int64_t strips_of_row = divide_up(of.width.out, kTileRows);
    const bool good_height = of.width.out >= strips_of_row * kTileRows * 2 / 3;
    return std::is_same_v<S, T> && of.has_runs() && columns < kDirectColumns && good_height &&
           of.tap_row() * static_cast<int64_t>(sizeof(S)) <= kStripDepthBytes;
  }

  Strips strips() const {
    const int64_t m = patches.rows(batch);
    return direct ? Strips(m, patches.width.out) : Strips(m);
  }
  Depth<T> depth() const {
    return Depth<T>(patches.columns(), patches.columns(), direct ? patches.tap_row() : 1);
  }
  int64_t buffer_size(int64_t depth) const { return (padded<T>(depth) + Vec<T>::size) * kTileRows; }
  LookAhead look_ahead(int64_t, int, int64_t, int64_t, int64_t) const { return {{patches.data}}; }
  TileRows<T> strip(int64_t row, int rows, int64_t l, int64_t depth, T* buffer) const {
    if constexpr (std::is_same_v<S, T>) {
      if (direct) return patches.rows_in_place(patches.pixel_of(row), l);
    }
    const int64_t stride = padded<T>(depth);
    patches.copy(row, rows, l, depth, buffer, stride);
    return {buffer, stride, 1};
  }
};

// Rows of A are taps and channels, k the pixels: the transpose of PatchRows.
template <class S>
struct PatchColumns {
  using T = Compute<S>;
  Patches<S> patches;
  int64_t batch;
  bool direct;

  PatchColumns(const Patches<S>& of, int64_t images, int64_t columns)
      : patches(of), batch(images), direct(worth_padding(of, columns) && of.all_inside()) {}

  // Whether tiles shall read images, which then must have zeros around them.
  static bool worth_padding(const Patches<S>& of, int64_t columns) {
    return std::is_same_v<S, T> && of.has_runs() &&
           (columns <= kDirectColumns || of.tap_row() <= kShortRun);
  }

  // A strip within one row of taps is packed fastest.
  Strips strips() const {
    const int64_t m = patches.columns();
    return patches.has_runs() ? Strips(m, patches.tap_row()) : Strips(m);
  }
  Depth<T> depth() const {
    if (!direct) return Depth<T>(patches.rows(batch));
    return Depth<T>(patches.rows(batch), patches.rows(1), patches.width.out);
  }
  int64_t buffer_size(int64_t depth) const { return padded<T>(kTileRows) * depth + Vec<T>::size; }
  LookAhead look_ahead(int64_t, int, int64_t, int64_t, int64_t) const { return {{patches.data}}; }
  TileRows<T> strip(int64_t row, int rows, int64_t l, int64_t depth, T* buffer) const {
    if constexpr (std::is_same_v<S, T>) {
      if (direct) return patches.columns_in_place(patches.pixel_of(l), row);
    }
    const int64_t step = padded<T>(kTileRows);
    patches.copy(l, depth, row, rows, buffer, step);
    return {buffer, 1, step};
  }
};

// C whose rows are pixels some steps apart in an image, such as every second one.
template <class S>
struct PixelOutput {
  using T = Compute<S>;
  static constexpr bool kInPlace = false;
  S* data;
  S* pre_activation;      // or NULL
  int64_t height, width;  // pixels written of each image
  int64_t image_stride, row_stride, pixel_stride;
  Epilogue<S, S> epilogue;

  PixelOutput from_row(int64_t row) const {  // the first of an image
    PixelOutput rest = *this;
    const int64_t shift = row / (height * width) * image_stride;
    rest.data += shift;
    if (pre_activation) rest.pre_activation += shift;
    return rest;
  }
  const S* address(int64_t row) const {
    return data + row / (height * width) * image_stride + row / width % height * row_stride +
           row % width * pixel_stride;
  }
  PixelOutput partial() const {
    PixelOutput sums = *this;
    sums.pre_activation = nullptr;
    sums.epilogue = {nullptr, PYDL_ACTIVATION_NONE};
    return sums;
  }
  void finish(int64_t row, int rows, int64_t column, int64_t columns, const T* sum,
              int64_t sum_row) const {
    write(row, rows, column, columns, sum, sum_row, false);
  }
  void write(int64_t row, int rows, int64_t column, int64_t columns, const T* sum, int64_t sum_row,
             bool add) const {
    for (int64_t i = row; i < row + rows; ++i, sum += sum_row) {
      const int64_t x = i % width, y = i / width % height, image = i / (width * height);
      const int64_t at = image * image_stride + y * row_stride + x * pixel_stride + column;
      epilogue.row(sum, columns, column, add, data + at,
                   pre_activation ? pre_activation + at : nullptr, nullptr);
    }
  }
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
