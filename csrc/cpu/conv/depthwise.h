// Depthwise convolution: every channel by itself, vectorised over channels.
#pragma once

#include "cpu/conv/dense.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// What each tap reads and is weighted with; strides in elements.
template <class S>
struct DepthwiseTaps {
  const S* input;
  int64_t input_row, input_column;
  const S* kernel;
  int64_t kernel_row, kernel_column;
  Span rows, columns;
};

// One register of channels for `pixels` results that read input pixels `step` apart.
template <int pixels, class S, class... Count>
inline void depthwise_pixels(const DepthwiseTaps<S>& taps, int64_t channel, int64_t step,
                             Compute<S>* out, int64_t out_pixel, Count... count) {
  using T = Compute<S>;
  Vec<T> sum[pixels];
#pragma GCC unroll 8
  for (int p = 0; p < pixels; ++p) sum[p] = T(0);
  for (int64_t i = taps.rows.begin; i < taps.rows.end; ++i) {
    for (int64_t j = taps.columns.begin; j < taps.columns.end; ++j) {
      const S* x = taps.input + i * taps.input_row + j * taps.input_column + channel;
      const S* weight = taps.kernel + i * taps.kernel_row + j * taps.kernel_column + channel;
      const Vec<T> w = load(weight, count...);
#pragma GCC unroll 8
      for (int p = 0; p < pixels; ++p) sum[p] = fma(load(x + p * step, count...), w, sum[p]);
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < pixels; ++p) sum[p].store(out + p * out_pixel + channel, count...);
}

// One depthwise convolution of a batch of images; O is S or the type computed in. The kernel
// element of tap (i, j) and channel c is kernel[i * kernel_row + j * kernel_column + c].
template <class S, class O>
struct Depthwise {
  using T = Compute<S>;
  const S* input;
  Axis height, width;
  int64_t channels;
  const S* kernel;
  int64_t kernel_row, kernel_column;
  O* out;
  O* pre_activation;  // or NULL
  int64_t out_image, out_row, out_pixel;
  Epilogue<S, O> epilogue;

  PydlStatus run(const PydlContext* context, int64_t batch) const {
    const int64_t work = width.out * channels * (1 + height.taps * width.taps);
    bool enough_memory = true;
    parallel_for(context, batch * height.out, divide_up(kProductsPerThread / 4, larger(1, work)),
                 [&](int64_t begin, int64_t end) {
                   Scratch<T> sums(context, width.out * channels);
                   if (!sums) return __atomic_store_n(&enough_memory, false, __ATOMIC_RELAXED);
                   for (int64_t row = begin; row < end; ++row) {
                     compute_row(row / height.out, row % height.out, sums.data());
                   }
                 });
    return enough_memory ? PYDL_OK : conv_out_of_memory(context);
  }

 private:
  void compute_row(int64_t image, int64_t y, T* sums) const {
    const int64_t at = image * out_image + y * out_row;
    if constexpr (std::is_same_v<T, O>) {
      if (epilogue.empty() && !pre_activation) return sum_row(image, y, out + at, out_pixel);
    }
    sum_row(image, y, sums, channels);
    for (int64_t x = 0; x < width.out; ++x) {
      const int64_t pixel = at + x * out_pixel;
      epilogue.row(sums + x * channels, channels, 0, false, out + pixel,
                   pre_activation ? pre_activation + pixel : nullptr);
    }
  }

  void sum_row(int64_t image, int64_t y, T* to, int64_t to_pixel) const {
    constexpr int kPixels = 8;
    const S* from = input + (image * height.in + height.input(y, 0)) * width.in * channels;
    DepthwiseTaps<S> taps = {nullptr,
                             height.dilation * width.in * channels,
                             width.dilation * channels,
                             kernel,
                             kernel_row,
                             kernel_column,
                             inside_taps(height, y),
                             {0, 0}};
    const int64_t first = inside_results(width, 0).begin;
    const int64_t last = width.taps ? inside_results(width, width.taps - 1).end : width.out;
    for (int64_t x = 0, pixels; x < width.out; x += pixels) {
      const bool inside = x >= first && x + kPixels <= last;
      pixels = inside ? kPixels : 1;
      taps.input = from + width.input(x, 0) * channels;
      taps.columns = inside ? Span{0, width.taps} : inside_taps(width, x);
      for_registers<T>(channels, [&](int64_t channel, auto... count) {
        const int64_t step = width.stride * channels;
        T* out_at = to + x * to_pixel;
        inside ? depthwise_pixels<kPixels>(taps, channel, step, out_at, to_pixel, count...)
               : depthwise_pixels<1>(taps, channel, step, out_at, to_pixel, count...);
      });
    }
  }
};

// Adds up x * g over `count` pixels for `vectors` registers of channels, into sum.
template <int vectors, class S, class... Count>
inline void add_products(const S* x, int64_t x_step, const S* g, int64_t g_step, int64_t count,
                         Compute<S>* sum, Count... lanes) {
  using T = Compute<S>;
  constexpr int kSize = Vec<T>::size;
  Vec<T> total[vectors];
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) total[v] = load(sum + v * kSize, lanes...);
  for (; count > 0; --count, x += x_step, g += g_step) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      total[v] = fma(load(x + v * kSize, lanes...), load(g + v * kSize, lanes...), total[v]);
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) total[v].store(sum + v * kSize, lanes...);
}

// Adds what rows [begin, end) of the result, counted through the batch, give to the kernel
// gradient.
template <class S>
void add_depthwise_kernel_gradient(const S* input, const S* gradient, const Axis& height,
                                   const Axis& width, int64_t channels, int64_t begin, int64_t end,
                                   Compute<S>* sums) {
  using T = Compute<S>;
  constexpr int kBlock = 4 * Vec<T>::size;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t image = row / height.out, y = row % height.out;
    const Span taps = inside_taps(height, y);
    for (int64_t i = taps.begin; i < taps.end; ++i) {
      const S* x_row = input + (image * height.in + height.input(y, i)) * width.in * channels;
      for (int64_t j = 0; j < width.taps; ++j) {
        const Span pixels = inside_results(width, j);
        const S* x = x_row + width.input(pixels.begin, j) * channels;
        const S* g = gradient + (row * width.out + pixels.begin) * channels;
        const int64_t step = width.stride * channels, count = pixels.end - pixels.begin;
        T* sum = sums + (i * width.taps + j) * channels;
        int64_t c = 0;
        for (; c + kBlock <= channels; c += kBlock) {
          add_products<4>(x + c, step, g + c, channels, count, sum + c);
        }
        for_registers<T>(channels - c, [&](int64_t rest, auto... lanes) {
          add_products<1>(x + c + rest, step, g + c + rest, channels, count, sum + c + rest,
                          lanes...);
        });
      }
    }
  }
}

// Channel c of a pixel `multiplier` times in a row, as the kernel has it.
template <class S>
void repeat_channels(const PydlContext* context, const S* input, int64_t pixels, int64_t channels,
                     int64_t multiplier, S* out) {
  const int64_t grain = divide_up(kReadsPerThread, channels * multiplier);
  parallel_for(context, pixels, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * channels; i < end * channels; ++i) {
      for (int64_t j = 0; j < multiplier; ++j) out[i * multiplier + j] = input[i];
    }
  });
}

// The input of a depthwise convolution with a channel for each channel of the result.
template <class S>
class RepeatedInput {
 public:
  RepeatedInput(const PydlContext* context, const Geometry& g, const void* input)
      : input_(static_cast<const S*>(input)),
        multiplier_(g.out_channels / g.channels),
        copy_(context, multiplier_ == 1 ? 1 : g.batch * g.height * g.width * g.out_channels) {
    if (multiplier_ == 1 || !copy_) return;
    repeat_channels(context, input_, g.batch * g.height * g.width, g.channels, multiplier_,
                    copy_.data());
    input_ = copy_.data();
  }
  explicit operator bool() const { return static_cast<bool>(copy_); }
  const S* data() const { return input_; }

 private:
  const S* input_;
  int64_t multiplier_;
  Scratch<S> copy_;
};

template <class S>
PydlStatus depthwise_conv(const PydlContext* context, const PydlConvArgs& args) {
  const Geometry& g = args.geometry;
  const RepeatedInput<S> input(context, g, args.input);
  if (!input) return conv_out_of_memory(context);
  const int64_t row = g.out_width * g.out_channels;
  const Depthwise<S, S> work = {input.data(),
                                height_of(g),
                                width_of(g),
                                g.out_channels,
                                static_cast<const S*>(args.kernel),
                                g.kernel_width * g.out_channels,
                                g.out_channels,
                                static_cast<S*>(args.result),
                                static_cast<S*>(args.pre_activation),
                                g.out_height * row,
                                row,
                                g.out_channels,
                                {static_cast<const S*>(args.bias), args.activation}};
  return work.run(context, g.batch);
}

// The data gradient with a channel for each channel of the result.
template <class S, class O>
PydlStatus depthwise_transposed(const PydlContext* context, const Geometry& g, const S* gradient,
                                const S* kernel, const Epilogue<S, O>& epilogue, O* out, O* pre) {
  const int64_t channels = g.out_channels, row = g.width * channels;
  return for_remainders(g, [&](const TransposedAxis& height, const TransposedAxis& width) {
    const int64_t tap = height.kernel_tap(0) * g.kernel_width + width.kernel_tap(0);
    const int64_t at = height.remainder * row + width.remainder * channels;
    const Depthwise<S, O> work = {gradient,
                                  height.axis,
                                  width.axis,
                                  channels,
                                  kernel + tap * channels,
                                  -height.tap_step * g.kernel_width * channels,
                                  -width.tap_step * channels,
                                  out + at,
                                  pre ? pre + at : nullptr,
                                  g.height * row,
                                  g.stride_height * row,
                                  g.stride_width * channels,
                                  epilogue};
    return work.run(context, g.batch);
  });
}

template <class S>
PydlStatus depthwise_data_gradient(const PydlContext* context,
                                   const PydlConvDataGradientArgs& args) {
  using T = Compute<S>;
  const Geometry& g = args.geometry;
  const S* gradient = static_cast<const S*>(args.result_gradient);
  const S* kernel = static_cast<const S*>(args.kernel);
  S* out = static_cast<S*>(args.input_gradient);
  S* pre = static_cast<S*>(args.pre_activation);
  const Epilogue<S, S> epilogue = {static_cast<const S*>(args.bias), args.activation};
  const int64_t multiplier = g.out_channels / g.channels, pixels = g.batch * g.height * g.width;
  if (multiplier == 1) {
    return depthwise_transposed<S, S>(context, g, gradient, kernel, epilogue, out, pre);
  }
  Scratch<T> repeated(context, pixels * g.out_channels);
  Scratch<T> sums(context, pixels * g.channels);
  if (!repeated || !sums) return conv_out_of_memory(context);
  const PydlStatus status = depthwise_transposed<S, T>(
      context, g, gradient, kernel, {nullptr, PYDL_ACTIVATION_NONE}, repeated.data(), nullptr);
  if (status != PYDL_OK) return status;
  parallel_for(
      context, pixels, divide_up(kReadsPerThread, g.out_channels), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin * g.channels; i < end * g.channels; ++i) {
          sums[i] = repeated[i * multiplier];
          for (int64_t j = 1; j < multiplier; ++j) sums[i] += repeated[i * multiplier + j];
        }
        for (int64_t at = begin * g.channels; at < end * g.channels; at += g.channels) {
          epilogue.row(sums.data() + at, g.channels, 0, false, out + at, pre ? pre + at : nullptr);
        }
      });
  return PYDL_OK;
}

template <class S>
PydlStatus depthwise_kernel_gradient(const PydlContext* context,
                                     const PydlConvKernelGradientArgs& args) {
  using T = Compute<S>;
  constexpr int64_t kParts = 16;  // added up in order, whatever the number of threads
  const Geometry& g = args.geometry;
  const RepeatedInput<S> input(context, g, args.input);
  const int64_t rows = g.batch * g.out_height, parts = clamp(rows, 1, kParts);
  const int64_t size = g.kernel_height * g.kernel_width * g.out_channels;
  Scratch<T> sums(context, parts * size);
  if (!input || !sums) return conv_out_of_memory(context);
  memset(sums.data(), 0, static_cast<size_t>(parts * size) * sizeof(T));
  parallel_for(context, parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      add_depthwise_kernel_gradient(input.data(), static_cast<const S*>(args.result_gradient),
                                    height_of(g), width_of(g), g.out_channels, part * rows / parts,
                                    (part + 1) * rows / parts, sums.data() + part * size);
    }
  });
  add_parts(sums.data(), parts, 1, size, static_cast<S*>(args.kernel_gradient), size);
  return PYDL_OK;
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
