// The kernel gradient of a depthwise convolution, or of one in groups of a few channels.
#pragma once

#include "cpu/conv/depthwise.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// Pixels of one row of the input and of the result gradient, and the sums of the taps that meet
// there; strides in elements.
template <class S>
struct MetRows {
  const S* x;
  int64_t x_tap, x_step;
  const S* gradient;
  int64_t gradient_step;
  Compute<S>* sum;
  int64_t sum_tap;

  MetRows from(int64_t tap, int64_t pixel) const {
    MetRows rest = *this;
    rest.x += tap * x_tap + pixel * x_step;
    rest.gradient += pixel * gradient_step;
    rest.sum += tap * sum_tap;
    return rest;
  }
};

// Adds x * gradient over `pixels` pixels for `taps` taps and `vectors` registers of channels.
template <int taps, int vectors, class S, class Lanes, class... Count>
inline void add_products(const MetRows<S>& rows, int64_t channel, int64_t pixels, Lanes lanes,
                         Count... count) {
  using T = Compute<S>;
  constexpr int kSize = Vec<T>::size;
  const S* x = rows.x + channel;
  const S* g = rows.gradient + channel;
  T* sum = rows.sum + channel;
  Vec<T> total[taps][vectors];
#pragma GCC unroll 8
  for (int at = 0; at < taps * vectors; ++at) {
    const int t = at / vectors, v = at % vectors;
    total[t][v] = load(sum + t * rows.sum_tap + v * kSize, count...);
  }
  for (; pixels > 0; --pixels, x += rows.x_step, g += rows.gradient_step) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) {
      const Vec<T> gradient = load(g + v * kSize, count...);
#pragma GCC unroll 4
      for (int t = 0; t < taps; ++t) {
        const Vec<T> value = load(x + t * rows.x_tap + v * kSize, count...);
        total[t][v] = fma(lanes(value), gradient, total[t][v]);
      }
    }
  }
#pragma GCC unroll 8
  for (int at = 0; at < taps * vectors; ++at) {
    const int t = at / vectors, v = at % vectors;
    total[t][v].store(sum + t * rows.sum_tap + v * kSize, count...);
  }
}

template <int taps, class S, class Lanes>
inline void add_all_products(const MetRows<S>& rows, int64_t channels, int64_t pixels,
                             Lanes lanes) {
  using T = Compute<S>;
  constexpr int64_t kBlock = 2 * Vec<T>::size;
  if (pixels <= 0) return;
  int64_t c = 0;
  for (; c + kBlock <= channels; c += kBlock) add_products<taps, 2>(rows, c, pixels, lanes);
  for_registers<T>(channels - c, [&](int64_t rest, auto... count) {
    add_products<taps, 1>(rows, c + rest, pixels, lanes, count...);
  });
}

// All taps of one row of the kernel: three at a time where all of them are inside.
template <class S, class Lanes>
inline void add_taps(const MetRows<S>& rows, const Axis& width, int64_t channels, Lanes lanes) {
  constexpr int kTogether = 3;
  const Span first = inside_results(width, 0), last = inside_results(width, width.taps - 1);
  const int64_t begin = larger(first.begin, last.begin);
  const Span whole = {begin, larger(begin, smaller(first.end, last.end))};
  for (int64_t tap = 0; tap < width.taps; ++tap) {
    const Span pixels = inside_results(width, tap);
    add_all_products<1>(rows.from(tap, pixels.begin), channels,
                        smaller(pixels.end, whole.begin) - pixels.begin, lanes);
    const int64_t behind = larger(whole.end, pixels.begin);
    add_all_products<1>(rows.from(tap, behind), channels, pixels.end - behind, lanes);
  }
  const int64_t pixels = whole.end - whole.begin;
  int64_t tap = 0;
  for (; tap + kTogether <= width.taps; tap += kTogether) {
    add_all_products<kTogether>(rows.from(tap, whole.begin), channels, pixels, lanes);
  }
  for (; tap < width.taps; ++tap) {
    add_all_products<1>(rows.from(tap, whole.begin), channels, pixels, lanes);
  }
}

// Adds what row `row` of the result, counted through the batch, gives to the kernel gradient.
template <class S>
void add_row_gradient(const Geometry& g, const S* input, const S* gradient, int64_t row,
                      Compute<S>* sums) {
  const Axis height = height_of(g), width = width_of(g);
  const int64_t channels = g.out_channels, group = group_width(g);
  const int64_t image = row / height.out, y = row % height.out;
  const Span taps = inside_taps(height, y);
  for (int64_t i = taps.begin; i < taps.end; ++i) {
    const int64_t pixel = (image * height.in + height.input(y, i)) * width.in + width.input(0, 0);
    for_each_input<Compute<S>>(group, [&](int64_t l, auto lanes) {
      const MetRows<S> rows = {input + pixel * channels,
                               width.dilation * channels,
                               width.stride * channels,
                               gradient + row * width.out * channels,
                               channels,
                               sums + (i * width.taps * group + l) * channels,
                               group * channels};
      add_taps(rows, width, channels, lanes);
    });
  }
}

template <class S>
PydlStatus depthwise_kernel_gradient(const PydlContext* context,
                                     const PydlConvKernelGradientArgs& args) {
  using T = Compute<S>;
  constexpr int64_t kParts = 16;  // added up in order, whatever the number of threads
  const Geometry& g = args.geometry;
  const RepeatedInput<S> input(context, g, args.input);
  const int64_t rows = g.batch * g.out_height, parts = clamp(rows, 1, kParts);
  const int64_t size = g.kernel_height * g.kernel_width * group_width(g) * g.out_channels;
  Scratch<T> sums(context, parts * size);
  if (!input || !sums) return conv_out_of_memory(context);
  memset(sums.data(), 0, static_cast<size_t>(parts * size) * sizeof(T));
  parallel_for(context, parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      for (int64_t row = part * rows / parts; row < (part + 1) * rows / parts; ++row) {
        add_row_gradient(g, input.data(), static_cast<const S*>(args.result_gradient), row,
                         sums.data() + part * size);
      }
    }
  });
  add_parts(sums.data(), parts, 1, size, static_cast<S*>(args.kernel_gradient), size);
  return PYDL_OK;
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
