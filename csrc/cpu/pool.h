// What the pooling kernels share: walks over pixels, with the range of pixels that each one meets.
#pragma once

#include "cpu/elementwise.h"
#include "cpu/rows.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

struct Range {
  int64_t begin, end;
  int64_t count() const { return end - begin; }
};

// One axis of the pooled plane.
struct PoolAxis {
  int64_t size, out_size, window, stride, padding;

  template <class Args>
  PoolAxis(const Args& args, int axis)
      : size(args.size[axis]),
        out_size(args.out_size[axis]),
        window(args.window[axis]),
        stride(args.strides[axis]),
        padding(args.padding[axis]) {}

  // The inputs of an output's window.
  Range inputs(int64_t out) const {
    const int64_t begin = out * stride - padding, end = begin + window;
    return {begin > 0 ? begin : 0, end < size ? end : size};
  }
  // The outputs whose windows hold an input.
  Range outputs(int64_t in) const {
    const int64_t first = in + padding - window, last = (in + padding) / stride + 1;
    return {first < 0 ? 0 : first / stride + 1, last < out_size ? last : out_size};
  }
  // Whether no window holds padding.
  bool all_full() const { return padding == 0 && (out_size - 1) * stride + window <= size; }
  int64_t position(int64_t in, int64_t out) const { return in + padding - out * stride; }
};

// PoolAxis::outputs of all inputs, because its divisions take longer than the rest of a pixel.
class OutputRanges {
 public:
  OutputRanges(const PydlContext* context, const PoolAxis& axis) : ranges_(context, axis.size) {
    if (!ranges_) return;
    for (int64_t i = 0; i < axis.size; ++i) ranges_[i] = axis.outputs(i);
  }
  explicit operator bool() const { return static_cast<bool>(ranges_); }
  Range operator[](int64_t i) const { return ranges_[i]; }

 private:
  Scratch<Range> ranges_;
};

// body(outputs of rows, outputs of columns) for the backward pass of pooling.
template <class Args, class Body>
inline PydlStatus with_output_ranges(const PydlContext* context, const Args& args, Body&& body) {
  const OutputRanges rows(context, PoolAxis(args, 0)), columns(context, PoolAxis(args, 1));
  if (!rows || !columns) return PYDL_ERROR_MEMORY;  // which the allocator has reported
  body(rows, columns);
  return PYDL_OK;
}

// body(pixel, its item of the batch, row, column) for every pixel of a (batch, height, width)
// array.
template <class Body>
inline void for_each_pixel(const PydlContext* context, int64_t batch, const int64_t* size,
                           int64_t grain, Body&& body) {
  const int64_t height = size[0], width = size[1];
  parallel_for(context, batch * height * width, grain, [&](int64_t begin, int64_t end) {
    int64_t w = begin % width, h = begin / width % height, n = begin / (width * height);
    for (int64_t pixel = begin; pixel < end; ++pixel) {
      body(pixel, n, h, w);
      if (++w < width) continue;
      w = 0;
      if (++h < height) continue;
      h = 0;
      ++n;
    }
    isa::stream_fence();  // bodies may stream
  });
}

// Whether a gradient of the inputs is too large for a cache to keep until it is read, and every
// register of it can be stored past the caches.
template <class Args>
inline bool streams_pixels(const Args& args, const void* dx, int64_t item_size) {
  const int64_t bytes = args.channels * item_size;
  const bool aligned = (reinterpret_cast<uintptr_t>(dx) | bytes) % isa::kVectorBytes == 0;
  return aligned && args.batch * args.size[0] * args.size[1] * bytes >= kStreamBytes;
}

// Stores registers side by side, past the caches if wanted.
template <class S, class T, int vectors, class... Lanes>
inline void put_registers(const Vec<T> (&from)[vectors], S* to, bool streams, Lanes... lanes) {
  if constexpr (std::is_same_v<S, T> && sizeof...(Lanes) == 0) {
    if (streams) {
      for (int j = 0; j < vectors; ++j) from[j].stream(to + j * Vec<T>::size);
      return;
    }
  }
  for (int j = 0; j < vectors; ++j) store(from[j], to + j * Vec<T>::size, lanes...);
}

constexpr int64_t kPoolGrain = 1 << 13;  // fewer products of window and channels wake no thread

template <class Args>
inline int64_t pixel_grain(const Args& args, int64_t meets) {
  return kPoolGrain / (args.channels * meets) + 1;
}

// body(std::integral_constant<int, vectors>, channel) for groups of 4 vectors and then 1 at a time,
// the last with a count of channels.
template <class T, class Body>
inline void for_each_channels(int64_t channels, Body&& body) {
  constexpr int kSize = Vec<T>::size, kChunk = 4;
  int64_t c = 0;
  for (; c + kChunk * kSize <= channels; c += kChunk * kSize) {
    body(std::integral_constant<int, kChunk>(), c);
  }
  for (; c + kSize <= channels; c += kSize) body(std::integral_constant<int, 1>(), c);
  if (c < channels) {
    body(std::integral_constant<int, 1>(), c, static_cast<int>(channels - c));
  }
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
