// Depthwise convolutions: every channel by itself, `multiplier` results from each. Limited by memory:
// neighbouring threads have neighbouring channels, taps come from the caches.
#pragma once

#include "cuda/conv/dense.cuh"

namespace pydl::cuda {
namespace {

// Geometry in 32 bits, for the device.
struct Depthwise {
  int height, width, channels, out_height, out_width, out_channels, multiplier;
  int kernel_height, kernel_width, stride_y, stride_x, dilation_y, dilation_x, pad_y, pad_x;
  int64_t pixels, out_pixels;

  explicit Depthwise(const Geometry& g)
      : height(static_cast<int>(g.height)),
        width(static_cast<int>(g.width)),
        channels(static_cast<int>(g.channels)),
        out_height(static_cast<int>(g.out_height)),
        out_width(static_cast<int>(g.out_width)),
        out_channels(static_cast<int>(g.out_channels)),
        multiplier(static_cast<int>(g.out_channels / g.channels)),
        kernel_height(static_cast<int>(g.kernel_height)),
        kernel_width(static_cast<int>(g.kernel_width)),
        stride_y(static_cast<int>(g.stride_height)),
        stride_x(static_cast<int>(g.stride_width)),
        dilation_y(static_cast<int>(g.dilation_height)),
        dilation_x(static_cast<int>(g.dilation_width)),
        pad_y(static_cast<int>(g.pad_top)),
        pad_x(static_cast<int>(g.pad_left)),
        pixels(g.batch * g.height * g.width),
        out_pixels(g.batch * g.out_height * g.out_width) {}
};

constexpr int kDepthwiseThreads = 256;

// kVector results of neighbouring channels a thread; more than one only where multiplier is 1.
template <class T, int kVector>
__global__ void __launch_bounds__(kDepthwiseThreads)
    depthwise_forward(const __grid_constant__ Depthwise g, const T* input, const T* kernel,
                      const __grid_constant__ Output out) {
  using Sum = Compute<T>;
  const int groups = (g.out_channels + kVector - 1) / kVector;
  const int64_t total = g.out_pixels * groups, step = gridDim.x * int64_t{kDepthwiseThreads};
  for (int64_t i = blockIdx.x * int64_t{kDepthwiseThreads} + threadIdx.x; i < total; i += step) {
    const int channel = static_cast<int>(i % groups) * kVector;
    const int64_t pixel = i / groups, line = pixel / g.out_width;
    const int x_begin = static_cast<int>(pixel % g.out_width) * g.stride_x - g.pad_x;
    const int y_begin = static_cast<int>(line % g.out_height) * g.stride_y - g.pad_y;
    const T* image = input + line / g.out_height * g.height * g.width * g.channels;
    Sum sums[4] = {};
    for (int ky = 0; ky < g.kernel_height; ++ky) {
      const int y = y_begin + ky * g.dilation_y;
      if (y < 0 || y >= g.height) continue;
      for (int kx = 0; kx < g.kernel_width; ++kx) {
        const int x = x_begin + kx * g.dilation_x;
        if (x < 0 || x >= g.width) continue;
        const T* from = image + (int64_t{y} * g.width + x) * g.channels + channel / g.multiplier;
        const T* weight = kernel + int64_t{ky * g.kernel_width + kx} * g.out_channels + channel;
        Sum values[4] = {}, weights[4] = {};
        Four<T>::add(from, kVector, true, values);
        Four<T>::add(weight, kVector, true, weights);
        for (int v = 0; v < kVector; ++v) sums[v] += values[v] * weights[v];
      }
    }
    finish<T>(out, pixel * out.row_stride + channel, channel, kVector, sums);
  }
}

template <class T, int kVector>
__global__ void __launch_bounds__(kDepthwiseThreads)
    depthwise_data_gradient(const __grid_constant__ Depthwise g, const T* gradient, const T* kernel,
                            const __grid_constant__ Output out) {
  using Sum = Compute<T>;
  const int groups = (g.channels + kVector - 1) / kVector;
  const int64_t total = g.pixels * groups, step = gridDim.x * int64_t{kDepthwiseThreads};
  for (int64_t i = blockIdx.x * int64_t{kDepthwiseThreads} + threadIdx.x; i < total; i += step) {
    const int channel = static_cast<int>(i % groups) * kVector;
    const int64_t pixel = i / groups, line = pixel / g.width;
    const int x_end = static_cast<int>(pixel % g.width) + g.pad_x;
    const int y_end = static_cast<int>(line % g.height) + g.pad_y;
    const T* image = gradient + line / g.height * g.out_height * g.out_width * g.out_channels;
    Sum sums[4] = {};
    for (int ky = 0; ky < g.kernel_height; ++ky) {
      const int down = y_end - ky * g.dilation_y, y = down / g.stride_y;
      if (down < 0 || down % g.stride_y != 0 || y >= g.out_height) continue;
      for (int kx = 0; kx < g.kernel_width; ++kx) {
        const int across = x_end - kx * g.dilation_x, x = across / g.stride_x;
        if (across < 0 || across % g.stride_x != 0 || x >= g.out_width) continue;
        const int first = channel * g.multiplier;
        const T* from = image + (int64_t{y} * g.out_width + x) * g.out_channels + first;
        const T* weight = kernel + int64_t{ky * g.kernel_width + kx} * g.out_channels + first;
        for (int m = 0; m < g.multiplier; ++m) {
          Sum values[4] = {}, weights[4] = {};
          Four<T>::add(from + m, kVector, true, values);
          Four<T>::add(weight + m, kVector, true, weights);
          for (int v = 0; v < kVector; ++v) sums[v] += values[v] * weights[v];
        }
      }
    }
    finish<T>(out, pixel * out.row_stride + channel, channel, kVector, sums);
  }
}

// Each block adds up one tap of 32 channels over a share of the pixels, 8 rows of threads taking turns:
// partial (share, tap, channel).
template <class T>
__global__ void __launch_bounds__(kDepthwiseThreads)
    depthwise_kernel_gradient(const __grid_constant__ Depthwise g, const T* input, const T* gradient,
                              int64_t pixels_per_share, Compute<T>* partial) {
  using Sum = Compute<T>;
  constexpr int kRows = kDepthwiseThreads / 32;
  __shared__ Sum sums[kRows][32];
  const int across = static_cast<int>(threadIdx.x) % 32, row = static_cast<int>(threadIdx.x) / 32;
  const int tap = static_cast<int>(blockIdx.y), taps = g.kernel_height * g.kernel_width;
  const int blocks = (g.out_channels + 31) / 32;
  const int channel = static_cast<int>(blockIdx.x % blocks) * 32 + across;
  const int64_t share = blockIdx.x / blocks, first = share * pixels_per_share;
  const int64_t last = first + pixels_per_share < g.out_pixels ? first + pixels_per_share
                                                               : g.out_pixels;
  const int ky = tap / g.kernel_width, kx = tap % g.kernel_width;
  Sum sum = 0;
  for (int64_t pixel = first + row; channel < g.out_channels && pixel < last; pixel += kRows) {
    const int64_t line = pixel / g.out_width;
    const int x =
        static_cast<int>(pixel % g.out_width) * g.stride_x - g.pad_x + kx * g.dilation_x;
    const int y =
        static_cast<int>(line % g.out_height) * g.stride_y - g.pad_y + ky * g.dilation_y;
    if (x < 0 || x >= g.width || y < 0 || y >= g.height) continue;
    const int64_t from = (line / g.out_height * g.height + y) * g.width + x;
    sum += to_compute(input[from * g.channels + channel / g.multiplier]) *
           to_compute(gradient[pixel * g.out_channels + channel]);
  }
  sums[row][across] = sum;
  __syncthreads();
  if (row == 0 && channel < g.out_channels) {
    for (int r = 1; r < kRows; ++r) sum += sums[r][across];
    partial[(share * taps + tap) * g.out_channels + channel] = sum;
  }
}

// Whether four channels at a time will do.
template <class T>
bool worth_vectors(const Depthwise& g, const void* a, const void* kernel, const Output& out) {
  const uintptr_t addresses = reinterpret_cast<uintptr_t>(a) | reinterpret_cast<uintptr_t>(kernel);
  return g.multiplier == 1 && g.channels % 4 == 0 && addresses % 16 == 0 && out.aligned;
}

template <class T>
PydlStatus depthwise_conv(const PydlContext* context, const PydlConvArgs& args) {
  const Depthwise g(args.geometry);
  const T* input = static_cast<const T*>(args.input);
  const T* kernel = static_cast<const T*>(args.kernel);
  const Output out = conv_output<T>(args.result, g.out_channels, g.out_channels, args.bias,
                                    args.activation, args.pre_activation);
  const bool four = worth_vectors<T>(g, input, kernel, out);
  const unsigned blocks = blocks_for(g.out_pixels * (g.out_channels / (four ? 4 : 1)), kDepthwiseThreads);
  return launch(context, dim3(blocks), dim3(kDepthwiseThreads), 0,
                four ? depthwise_forward<T, 4> : depthwise_forward<T, 1>, g, input, kernel, out);
}

template <class T>
PydlStatus run_depthwise_data_gradient(const PydlContext* context,
                                       const PydlConvDataGradientArgs& args) {
  const Depthwise g(args.geometry);
  const T* gradient = static_cast<const T*>(args.result_gradient);
  const T* kernel = static_cast<const T*>(args.kernel);
  const Output out = conv_output<T>(args.input_gradient, g.channels, g.channels, args.bias,
                                    args.activation, args.pre_activation);
  const bool four = worth_vectors<T>(g, gradient, kernel, out);
  const unsigned blocks = blocks_for(g.pixels * (g.channels / (four ? 4 : 1)), kDepthwiseThreads);
  return launch(context, dim3(blocks), dim3(kDepthwiseThreads), 0,
                four ? depthwise_data_gradient<T, 4> : depthwise_data_gradient<T, 1>, g, gradient,
                kernel, out);
}

template <class T>
PydlStatus run_depthwise_kernel_gradient(const PydlContext* context,
                                         const PydlConvKernelGradientArgs& args) {
  using Sum = Compute<T>;
  const Depthwise g(args.geometry);
  const int taps = g.kernel_height * g.kernel_width;
  const int64_t blocks = divide_up(g.out_channels, 32);
  // Shares of at least 256 pixels, enough of them for 8 blocks to a multiprocessor.
  const int64_t wanted =
      8 * device_attribute(cudaDevAttrMultiProcessorCount) / (blocks * taps) + 1;
  const int64_t possible = divide_up(g.out_pixels, 256);
  const int64_t shares = wanted < possible ? wanted : possible > 0 ? possible : 1;
  Scratch<Sum> partial(context, shares * taps * g.out_channels);
  if (!partial) return PYDL_ERROR_MEMORY;
  const PydlStatus status = launch(
      context, dim3(static_cast<unsigned>(shares * blocks), static_cast<unsigned>(taps)),
      dim3(kDepthwiseThreads), 0, depthwise_kernel_gradient<T>, g, static_cast<const T*>(args.input),
      static_cast<const T*>(args.result_gradient), divide_up(g.out_pixels, shares), partial.data());
  if (status != PYDL_OK) return status;
  const Output out = conv_output<T>(args.kernel_gradient, g.out_channels, g.out_channels, nullptr,
                                    PYDL_ACTIVATION_NONE, nullptr);
  return launch_add_splits<T, Sum>(context, Batch(), out, partial.data(), static_cast<int>(shares),
                                   taps, g.out_channels);
}

}  // namespace
}  // namespace pydl::cuda
