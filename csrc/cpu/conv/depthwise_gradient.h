// The kernel gradient of a depthwise convolution, or of one in groups of a few channels.
#pragma once

#include "cpu/conv/depthwise.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// Pixels of a row of the result gradient, what each tap meets them with, and the sums of the taps;
// strides in elements.
template <class S>
struct MetPixels {
  const S* x;
  int64_t x_row, x_tap, x_step;
  const S* gradient;
  int64_t gradient_step;
  Compute<S>* sum;
  int64_t sum_row, sum_tap;

  MetPixels from(int64_t tap_row, int64_t tap, int64_t pixel) const {
    MetPixels rest = *this;
    rest.x += tap_row * x_row + tap * x_tap + pixel * x_step;
    rest.gradient += pixel * gradient_step;
    rest.sum += tap_row * sum_row + tap * sum_tap;
    return rest;
  }
};

// Adds x * gradient over `pixels` pixels for `rows` rows of `taps` taps.
template <int rows, int taps, class S, class Lanes, class... Count>
inline void add_products(const MetPixels<S>& met, int64_t pixels, Lanes lanes, Count... count) {
  using T = Compute<S>;
  if (pixels <= 0) return;
  const S* g = met.gradient;
  const S* x[rows];
  Vec<T> total[rows][taps];
  T* sum = met.sum;
#pragma GCC unroll 3
  for (int i = 0; i < rows; ++i, sum = hidden(sum + met.sum_row)) {
    x[i] = i ? hidden(x[i - 1] + met.x_row) : met.x;
#pragma GCC unroll 3
    for (int t = 0; t < taps; ++t) total[i][t] = load(sum + t * met.sum_tap, count...);
  }
  for (; pixels > 0; --pixels, g += met.gradient_step) {
    const Vec<T> gradient = load(g, count...);
#pragma GCC unroll 3
    for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 3
      for (int t = 0; t < taps; ++t) {
        total[i][t] = fma(lanes(load(x[i] + t * met.x_tap, count...)), gradient, total[i][t]);
      }
      x[i] = hidden(x[i] + met.x_step);
    }
  }
  sum = met.sum;
#pragma GCC unroll 3
  for (int i = 0; i < rows; ++i, sum = hidden(sum + met.sum_row)) {
#pragma GCC unroll 3
    for (int t = 0; t < taps; ++t) total[i][t].store(sum + t * met.sum_tap, count...);
  }
}

constexpr int kTapsTogether = 3;  // in each direction: sums of all of them stay in registers
constexpr int64_t kPixelsTogether = 8;  // few, so that memory is read nearly in order

// All taps of `rows` rows of the kernel for pixels of `block`; in those of `whole` all are inside.
template <int rows, class S, class Lanes, class... Count>
inline void add_tap_rows(const MetPixels<S>& met, const Axis& width, Span block, Span whole,
                         Lanes lanes, Count... count) {
  const int64_t begin = clamp(whole.begin, block.begin, block.end);
  const int64_t end = clamp(whole.end, begin, block.end);
  const auto add_edge = [&](int64_t x, int64_t edge_end) {
    for (; x < edge_end; ++x) {
      const Span taps = inside_taps(width, x);
      for (int64_t t = taps.begin; t < taps.end; ++t) {
        add_products<rows, 1>(met.from(0, t, x), 1, lanes, count...);
      }
    }
  };
  add_edge(block.begin, begin);
  int64_t tap = 0;
  for (; tap + kTapsTogether <= width.taps; tap += kTapsTogether) {
    add_products<rows, kTapsTogether>(met.from(0, tap, begin), end - begin, lanes, count...);
  }
  for (; tap < width.taps; ++tap) {
    add_products<rows, 1>(met.from(0, tap, begin), end - begin, lanes, count...);
  }
  add_edge(end, block.end);
}

// Adds what row `row` of the result, counted through the batch, gives to the kernel gradient.
template <class S>
void add_row_gradient(const Geometry& g, const S* input, const S* gradient, int64_t row,
                      Compute<S>* sums) {
  const Axis height = height_of(g), width = width_of(g);
  const int64_t channels = g.out_channels, group = group_width(g), size = width.in * channels;
  const int64_t image = row / height.out, y = row % height.out;
  const Span taps = inside_taps(height, y);
  const Span first = inside_results(width, 0), last = inside_results(width, width.taps - 1);
  const int64_t begin = larger(first.begin, last.begin);
  const Span whole = {begin, larger(begin, smaller(first.end, last.end))};
  input += ((image * height.in + height.input(y, 0)) * width.in + width.input(0, 0)) * channels;
  gradient += row * width.out * channels;
  for (int64_t x = 0; x < width.out; x += kPixelsTogether) {
    const Span block = {x, smaller(x + kPixelsTogether, width.out)};
    const int64_t pixels = block.end - x;
    const S* next = input + height.taps * height.dilation * size + x * width.stride * channels;
    const S* next_gradient = gradient + (width.out + x) * channels;
    for_registers<Compute<S>>(channels, [&](int64_t channel, auto... count) {
      prefetch_share(next, size, height.stride, pixels * width.stride, channel);
      prefetch_share(next_gradient, 0, 1, pixels, channel);
      for_each_input<Compute<S>>(group, [&](int64_t l, auto lanes) {
        const MetPixels<S> met = {input + channel,
                                  height.dilation * size,
                                  width.dilation * channels,
                                  width.stride * channels,
                                  gradient + channel,
                                  channels,
                                  sums + l * channels + channel,
                                  width.taps * group * channels,
                                  group * channels};
        int64_t i = taps.begin;
        for (; i + kTapsTogether <= taps.end; i += kTapsTogether) {
          add_tap_rows<kTapsTogether>(met.from(i, 0, 0), width, block, whole, lanes, count...);
        }
        for (; i < taps.end; ++i) {
          add_tap_rows<1>(met.from(i, 0, 0), width, block, whole, lanes, count...);
        }
      });
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
