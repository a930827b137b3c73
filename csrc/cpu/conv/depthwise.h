// Depthwise convolution, vectorised over channels; also convolution in groups of a few channels,
// where each lane in turn meets all channels of its group.
#pragma once

#include "cpu/conv/dense.h"
#include "pydl/shared/conv.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

inline int64_t group_width(const Geometry& g) { return g.channels / g.groups; }

// Whether a register holds several groups, as many channels in as out.
template <class S>
bool has_narrow_groups(const Geometry& g) {
  const int64_t width = group_width(g);
  return g.groups > 1 && g.channels == g.out_channels && (width & (width - 1)) == 0 &&
         2 * width <= Vec<Compute<S>>::size;
}

// Gives each lane a certain channel of its group; the width of groups is a power of two.
template <class T>
struct GroupLanes {
  Vec<IntLike<T>> from;

  GroupLanes(int64_t width, int64_t input) {
    using I = IntLike<T>;
    static constexpr ExchangeIndex<T, 0> own;
    from =
        (Vec<I>::load(own.lanes) & Vec<I>(static_cast<I>(-width))) + Vec<I>(static_cast<I>(input));
  }
  Vec<T> operator()(Vec<T> x) const { return __builtin_shuffle(x.v, from.v); }
};
struct OwnLanes {
  template <class T>
  Vec<T> operator()(Vec<T> x) const {
    return x;
  }
};

// body(input, lanes) for each channel of a group.
template <class T, class Body>
inline void for_each_input(int64_t width, Body&& body) {
  if (width == 1) return body(0, OwnLanes());
  for (int64_t input = 0; input < width; ++input) body(input, GroupLanes<T>(width, input));
}

// Asks for a register's share of `rows` rows of `pixels` pixels: lines that follow each other, and
// so come faster than those of the register's channels.
template <class S>
inline void prefetch_share(const S* data, int64_t row, int64_t rows, int64_t pixels,
                           int64_t channel) {
  constexpr int64_t kLine = 64 / sizeof(S), kShare = Vec<Compute<S>>::size;
  for (int64_t i = 0; i < rows; ++i) {
    const S* share = data + i * row + channel * pixels;
    for (int64_t j = 0; j < pixels * kShare; j += kLine) __builtin_prefetch(share + j);
  }
}

// What each tap reads and is weighted with; strides in elements.
template <class S>
struct DepthwiseTaps {
  const S* input;
  int64_t input_row, input_column;
  const S* kernel;
  int64_t kernel_row, kernel_column, kernel_input, width;
  Span rows, columns;
};

// sum[p] += x * w for `count` taps, where pixel p reads pixel p + t for tap t: each is loaded once.
template <int pixels, int count, class S, class Lanes, class... Count>
inline void add_neighbours(const S* x, int64_t x_step, const S* w, int64_t w_step, Lanes lanes,
                           Vec<Compute<S>>* sum, Count... channels) {
  using T = Compute<S>;
  Vec<T> value[pixels + count - 1];
#pragma GCC unroll 10
  for (int i = 0; i < pixels + count - 1; ++i, x = hidden(x + x_step)) {
    value[i] = lanes(load(x, channels...));
  }
#pragma GCC unroll 3
  for (int t = 0; t < count; ++t) {
    const Vec<T> weight = load(w + t * w_step, channels...);
#pragma GCC unroll 8
    for (int p = 0; p < pixels; ++p) sum[p] = fma(value[p + t], weight, sum[p]);
  }
}

// One register of channels for `pixels` results that read input pixels `step` apart.
template <int pixels, class S, class... Count>
inline void depthwise_pixels(const DepthwiseTaps<S>& taps, int64_t channel, int64_t step,
                             Compute<S>* out, int64_t out_pixel, Count... count) {
  using T = Compute<S>;
  constexpr int kTogether = 3;  // taps
  Vec<T> sum[pixels];
#pragma GCC unroll 8
  for (int p = 0; p < pixels; ++p) sum[p] = T(0);
  for_each_input<T>(taps.width, [&](int64_t input, auto lanes) {
    for (int64_t i = taps.rows.begin; i < taps.rows.end; ++i) {
      const S* x = taps.input + i * taps.input_row + channel;
      const S* weight = taps.kernel + i * taps.kernel_row + input * taps.kernel_input + channel;
      int64_t j = taps.columns.begin;
      for (; step == taps.input_column && j + kTogether <= taps.columns.end; j += kTogether) {
        add_neighbours<pixels, kTogether>(x + j * step, step, weight + j * taps.kernel_column,
                                          taps.kernel_column, lanes, sum, count...);
      }
      for (; j < taps.columns.end; ++j) {
        const S* from = x + j * taps.input_column;
        const Vec<T> w = load(weight + j * taps.kernel_column, count...);
#pragma GCC unroll 8
        for (int p = 0; p < pixels; ++p, from = hidden(from + step)) {
          sum[p] = fma(lanes(load(from, count...)), w, sum[p]);
        }
      }
    }
  });
#pragma GCC unroll 8
  for (int p = 0; p < pixels; ++p) sum[p].store(out + p * out_pixel + channel, count...);
}

// One depthwise convolution of a batch of images; O is S or the type computed in. The kernel
// element of tap (i, j), input l of its group and channel c is
// kernel[i * kernel_row + j * kernel_column + l * kernel_input + c].
template <class S, class O>
struct Depthwise {
  using T = Compute<S>;
  const S* input;
  Axis height, width;
  int64_t channels;
  const S* kernel;
  int64_t kernel_row, kernel_column, kernel_input, group;
  O* out;
  O* pre_activation;  // or NULL
  const O* residual;  // or NULL
  int64_t out_image, out_row, out_pixel;
  Epilogue<S, O> epilogue;

  PydlStatus run(const PydlContext* context, int64_t batch) const {
    const int64_t work = width.out * channels * (1 + height.taps * width.taps * group);
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
      const bool plain = epilogue.empty() && !pre_activation && !residual;
      if (plain) return sum_row(image, y, out + at, out_pixel);
    }
    sum_row(image, y, sums, channels);
    for (int64_t x = 0; x < width.out; ++x) {
      const int64_t pixel = at + x * out_pixel;
      epilogue.row(sums + x * channels, channels, 0, false, out + pixel,
                   pre_activation ? pre_activation + pixel : nullptr,
                   residual ? residual + pixel : nullptr);
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
                             kernel_input,
                             group,
                             inside_taps(height, y),
                             {0, 0}};
    const int64_t first = inside_results(width, 0).begin;
    const int64_t last = width.taps ? inside_results(width, width.taps - 1).end : width.out;
    for (int64_t x = 0, pixels; x < width.out; x += pixels) {
      // The last pixels inside are computed together, some of them again.
      if (x >= first && x < last && last - first >= kPixels) x = smaller(x, last - kPixels);
      const bool inside = x >= first && x + kPixels <= last;
      pixels = inside ? kPixels : 1;
      taps.input = from + width.input(x, 0) * channels;
      taps.columns = inside ? Span{0, width.taps} : inside_taps(width, x);
      const S* next = taps.input + height.taps * taps.input_row;  // for the next row of results
      const O* next_out = out + image * out_image + (y + 1) * out_row + x * out_pixel;
      const int64_t step = width.stride * channels, row = width.in * channels;
      for_registers<T>(channels, [&](int64_t channel, auto... count) {
        prefetch_share(next, row, height.stride, pixels * width.stride, channel);
        for (int64_t p = 0; p < pixels; ++p) {  // stores read what they overwrite
          __builtin_prefetch(next_out + p * out_pixel + channel, 1);
        }
        T* out_at = to + x * to_pixel;
        inside ? depthwise_pixels<kPixels>(taps, channel, step, out_at, to_pixel, count...)
               : depthwise_pixels<1>(taps, channel, step, out_at, to_pixel, count...);
      });
    }
  }
};

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
  const int64_t row = g.out_width * g.out_channels, tap = group_width(g) * g.out_channels;
  const Depthwise<S, S> work = {input.data(),
                                height_of(g),
                                width_of(g),
                                g.out_channels,
                                static_cast<const S*>(args.kernel),
                                g.kernel_width * tap,
                                tap,
                                g.out_channels,
                                group_width(g),
                                static_cast<S*>(args.result),
                                static_cast<S*>(args.pre_activation),
                                static_cast<const S*>(args.residual),
                                g.out_height * row,
                                row,
                                g.out_channels,
                                {static_cast<const S*>(args.bias), args.activation}};
  return work.run(context, g.batch);
}

// A kernel whose groups have inputs and outputs exchanged, as the data gradient needs it.
template <class S>
class ExchangedKernel {
 public:
  ExchangedKernel(const PydlContext* context, const Geometry& g, const void* kernel)
      : kernel_(static_cast<const S*>(kernel)),
        copy_(context, g.kernel_height * g.kernel_width * group_width(g) * g.out_channels) {
    const int64_t width = group_width(g), channels = g.out_channels;
    if (width == 1 || !copy_) return;
    for (int64_t tap = 0; tap < g.kernel_height * g.kernel_width; ++tap) {
      for (int64_t l = 0; l < width; ++l) {
        for (int64_t c = 0; c < channels; ++c) {
          const int64_t group = c / width * width;
          copy_[(tap * width + l) * channels + c] =
              kernel_[(tap * width + c - group) * channels + group + l];
        }
      }
    }
    kernel_ = copy_.data();
  }
  explicit operator bool() const { return static_cast<bool>(copy_); }
  const S* data() const { return kernel_; }

 private:
  const S* kernel_;
  Scratch<S> copy_;
};

// The data gradient of some images with a channel for each channel of the result.
template <class S, class O>
PydlStatus transpose_images(const PydlContext* context, const Geometry& g, const S* gradient,
                            const S* kernel, const Epilogue<S, O>& epilogue, O* out, O* pre) {
  const int64_t channels = g.out_channels, row = g.width * channels;
  const int64_t tap_size = group_width(g) * channels;
  return for_remainders(g, [&](const TransposedAxis& height, const TransposedAxis& width) {
    const int64_t tap = height.kernel_tap(0) * g.kernel_width + width.kernel_tap(0);
    const int64_t at = height.remainder * row + width.remainder * channels;
    const Depthwise<S, O> work = {gradient,
                                  height.axis,
                                  width.axis,
                                  channels,
                                  kernel + tap * tap_size,
                                  -height.tap_step * g.kernel_width * tap_size,
                                  -width.tap_step * tap_size,
                                  channels,
                                  group_width(g),
                                  out + at,
                                  pre ? pre + at : nullptr,
                                  nullptr,
                                  g.height * row,
                                  g.stride_height * row,
                                  g.stride_width * channels,
                                  epilogue};
    return work.run(context, g.batch);
  });
}

// So many images at a time that their gradient stays in the caches for all remainders.
template <class S, class O>
PydlStatus depthwise_transposed(const PydlContext* context, const Geometry& g, const S* gradient,
                                const S* kernel, const Epilogue<S, O>& epilogue, O* out, O* pre) {
  const int64_t image = g.height * g.width * g.out_channels;
  const int64_t bytes = larger(1, image * static_cast<int64_t>(sizeof(O)));
  Geometry some = g;
  some.batch = clamp(context->num_threads * kPaddedBytes / bytes, 1, larger(1, g.batch));
  for (int64_t i = 0; i < g.batch; i += some.batch) {
    some.batch = smaller(some.batch, g.batch - i);
    const S* from = gradient + i * g.out_height * g.out_width * g.out_channels;
    const PydlStatus status = transpose_images(context, some, from, kernel, epilogue,
                                               out + i * image, offset(pre, i * image));
    if (status != PYDL_OK) return status;
  }
  return PYDL_OK;
}

template <class S>
PydlStatus depthwise_data_gradient(const PydlContext* context,
                                   const PydlConvDataGradientArgs& args) {
  using T = Compute<S>;
  const Geometry& g = args.geometry;
  const S* gradient = static_cast<const S*>(args.result_gradient);
  const ExchangedKernel<S> kernel(context, g, args.kernel);
  if (!kernel) return conv_out_of_memory(context);
  S* out = static_cast<S*>(args.input_gradient);
  S* pre = static_cast<S*>(args.pre_activation);
  const Epilogue<S, S> epilogue = {static_cast<const S*>(args.bias), args.activation};
  const int64_t multiplier = g.out_channels / g.channels, pixels = g.batch * g.height * g.width;
  if (multiplier == 1) {
    return depthwise_transposed<S, S>(context, g, gradient, kernel.data(), epilogue, out, pre);
  }
  Scratch<T> repeated(context, pixels * g.out_channels);
  Scratch<T> sums(context, pixels * g.channels);
  if (!repeated || !sums) return conv_out_of_memory(context);
  const PydlStatus status =
      depthwise_transposed<S, T>(context, g, gradient, kernel.data(),
                                 {nullptr, PYDL_ACTIVATION_NONE}, repeated.data(), nullptr);
  if (status != PYDL_OK) return status;
  parallel_for(
      context, pixels, divide_up(kReadsPerThread, g.out_channels), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin * g.channels; i < end * g.channels; ++i) {
          sums[i] = repeated[i * multiplier];
          for (int64_t j = 1; j < multiplier; ++j) sums[i] += repeated[i * multiplier + j];
        }
        for (int64_t at = begin * g.channels; at < end * g.channels; at += g.channels) {
          epilogue.row(sums.data() + at, g.channels, 0, false, out + at, pre ? pre + at : nullptr,
                       nullptr);
        }
      });
  return PYDL_OK;
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
