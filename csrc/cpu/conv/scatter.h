// The data gradient where the input has few channels, such as a picture's. Its columns would leave
// most of a register empty; those of all taps together do not: each pixel of the result gradient
// times the kernel gives what it adds to the window that it came from.
#pragma once

#include "cpu/conv/operands.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kScatteredBytes =
    1 << 17;  // of sums: rows of an image that are completed at a time

template <class S>
class ScatteredGradient {
 public:
  using T = Compute<S>;

  explicit ScatteredGradient(const PydlConvDataGradientArgs& args)
      : args_(args),
        height_(height_of(args.geometry)),
        width_(width_of(args.geometry)),
        filters_(args.geometry.out_channels),
        run_(width_.taps * args.geometry.channels),
        columns_(height_.taps * run_),
        panels_(divide_up(columns_, kWidth)),
        row_(width_.in * args.geometry.channels),
        rows_(clamp(kScatteredBytes / (row_ * static_cast<int64_t>(sizeof(T))), 1, height_.in)) {}

  static bool worthwhile(const Geometry& g) {
    return g.groups == 1 && g.dilation_width == 1 && 2 * g.channels <= Vec<T>::size;
  }

  PydlStatus run(const PydlContext* context) const {
    Scratch<T> kernel(context, larger(1, panels_ * filters_ * kWidth));
    if (!kernel) return conv_out_of_memory(context);
    pack_matrix_panels(static_cast<const S*>(args_.kernel), 1, filters_, filters_, columns_, 0,
                       panels_, kernel.data(), filters_ * kWidth);
    const int64_t blocks = divide_up(height_.in, rows_);
    const int64_t work = divide_up(rows_, height_.stride) * width_.out * columns_ * filters_;
    bool enough_memory = true;
    parallel_for(context, args_.geometry.batch * blocks,
                 divide_up(kProductsPerThread, larger(1, work)), [&](int64_t begin, int64_t end) {
                   Scratch<T> buffer(context, rows_ * row_ + kTileRows * (panels_ * kWidth +
                                                                          padded<T>(filters_)));
                   if (!buffer) return __atomic_store_n(&enough_memory, false, __ATOMIC_RELAXED);
                   for (int64_t i = begin; i < end; ++i) {
                     compute_rows(i / blocks, i % blocks * rows_, kernel.data(), buffer.data());
                   }
                 });
    return enough_memory ? PYDL_OK : conv_out_of_memory(context);
  }

 private:
  static constexpr int kWidth = kTileColumns<T>;

  // Rows of one image from `begin` on.
  void compute_rows(int64_t image, int64_t begin, const T* kernel, T* sums) const {
    const Span rows = {begin, smaller(begin + rows_, height_.in)};
    T* products = sums + rows_ * row_;
    T* pixels = products + kTileRows * panels_ * kWidth;
    memset(sums, 0, static_cast<size_t>((rows.end - rows.begin) * row_) * sizeof(T));
    for (int64_t y = 0; y < height_.out; ++y) {
      if (height_.input(y, height_.taps - 1) < rows.begin || height_.input(y, 0) >= rows.end) {
        continue;
      }
      const Strips strips(width_.out);
      for (int64_t strip = 0; strip < strips.count; ++strip) {
        const int64_t x = strips.begin(strip);
        const int count = strips.height(strip);
        multiply_pixels((image * height_.out + y) * width_.out + x, count, kernel, pixels,
                        products);
        for (int i = 0; i < count; ++i) {
          add_window(products + i * panels_ * kWidth, y, x + i, rows, sums);
        }
      }
    }
    const int64_t channels = args_.geometry.channels;
    const Epilogue<S, S> epilogue = {static_cast<const S*>(args_.bias), args_.activation};
    const MatrixOutput<S, S> out = {static_cast<S*>(args_.input_gradient),
                                    static_cast<S*>(args_.pre_activation), nullptr, channels,
                                    false, epilogue};
    if (epilogue.empty() && !out.pre_activation) {
      copy_sums(sums, (rows.end - rows.begin) * row_,
                out.data + (image * height_.in + begin) * row_);
    } else {
      out.write((image * height_.in + begin) * width_.in,
                static_cast<int>((rows.end - rows.begin) * width_.in), 0, channels, sums, channels,
                false);
    }
  }

  static void copy_sums(const T* sums, int64_t n, S* to) {
    for_registers<T>(
        n, [&](int64_t i, auto... count) { store(load(sums + i, count...), to + i, count...); });
  }

  // products = `count` pixels of the result gradient @ the kernel's transpose
  void multiply_pixels(int64_t pixel, int count, const T* kernel, T* pixels, T* products) const {
    const S* from = static_cast<const S*>(args_.result_gradient) + pixel * filters_;
    TileRows<T> a = {pixels, padded<T>(filters_), 1};
    if constexpr (std::is_same_v<S, T>) {
      a = {from, filters_, 1};
    } else {
      copy_rows(from, filters_, count, filters_, pixels, a.row);
    }
    for (int64_t panel = 0; panel < panels_; ++panel) {
      const int64_t columns = padded<T>(smaller(kWidth, columns_ - panel * kWidth));
      find_tile<T>(count, static_cast<int>(columns / Vec<T>::size))(
          filters_, a, TilePanel<T>{kernel + panel * filters_ * kWidth, kWidth},
          TileOutput<T>{products + panel * kWidth, panels_ * kWidth, static_cast<int>(columns),
                        false});
    }
  }

  // Adds what pixel (y, x) of the result gradient gives to the rows at hand.
  void add_window(const T* products, int64_t y, int64_t x, Span rows, T* sums) const {
    const int64_t first = width_.input(x, 0) * args_.geometry.channels;
    const int64_t begin = clamp(-first, 0, run_), end = clamp(row_ - first, begin, run_);
    for (int64_t i = 0; i < height_.taps; ++i, products += run_) {
      const int64_t row = height_.input(y, i);
      if (row < rows.begin || row >= rows.end) continue;
      T* to = sums + (row - rows.begin) * row_ + first + begin;
      for_registers<T>(end - begin, [&](int64_t j, auto... count) {
        (load(to + j, count...) + load(products + begin + j, count...)).store(to + j, count...);
      });
    }
  }

  const PydlConvDataGradientArgs& args_;
  const Axis height_, width_;
  const int64_t filters_;           // channels of the result gradient
  const int64_t run_;               // of values that a row of taps adds to
  const int64_t columns_, panels_;  // of the kernel's transpose
  const int64_t row_, rows_;        // size of a row, and how many are completed at a time
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
