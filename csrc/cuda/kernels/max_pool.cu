#include "cuda/device/pool.cuh"

namespace pydl::cuda {
namespace {

// The largest of each window, the last NaN where there are any, and where it was.
template <class T, int kWidth, bool kKeepsWinner>
__global__ void __launch_bounds__(kRowThreads, 2)
    max_pool_kernel(PoolPlane plane, int64_t pixels, const T* x, T* y, uint16_t* winners) {
  using C = Compute<T>;
  for (int64_t number = first_row(); number < pixels; number += row_step()) {
    const Pixel out(number, plane.rows.out_size, plane.columns.out_size);
    const Range hs = plane.rows.inputs(out.h), ws = plane.columns.inputs(out.w);
    for (int64_t c = kWidth * first_column(); c < plane.channels; c += kWidth * column_step()) {
      C best[kWidth];
      uint16_t places[kWidth];
      int row = plane.rows.position(hs.begin, out.h) * plane.columns.window +
                plane.columns.position(0, out.w);
#pragma unroll
      for (int k = 0; k < kWidth; ++k) {
        best[k] = static_cast<C>(-INFINITY);
        places[k] = static_cast<uint16_t>(row + ws.begin);
      }
      for (int h = hs.begin; h < hs.end; ++h, row += plane.columns.window) {
        for (int w = ws.begin; w < ws.end; ++w) {
          T values[kWidth];
          load_pack<kWidth>(x + plane.in_pixel(out.image, h, w) * plane.channels + c, values);
#pragma unroll
          for (int k = 0; k < kWidth; ++k) {
            const C value = to_compute(values[k]);
            if (!(value > best[k] || value != value)) continue;
            best[k] = value;
            if constexpr (kKeepsWinner) places[k] = static_cast<uint16_t>(row + w);
          }
        }
      }
      T results[kWidth];
#pragma unroll
      for (int k = 0; k < kWidth; ++k) results[k] = from_compute<T>(best[k]);
      const int64_t to = number * plane.channels + c;
      store_pack<kWidth>(results, y + to);
      if constexpr (kKeepsWinner) store_pack<kWidth>(places, winners + to);
    }
  }
}

// The elements of x at the places that won.
template <class T>
__global__ void __launch_bounds__(kRowThreads)
    pick_kernel(PoolPlane plane, int64_t pixels, const T* x, const uint16_t* winners, T* y) {
  for (int64_t number = first_row(); number < pixels; number += row_step()) {
    const Pixel out(number, plane.rows.out_size, plane.columns.out_size);
    const int top = out.h * plane.rows.stride - plane.rows.padding;
    const int left = out.w * plane.columns.stride - plane.columns.padding;
    for (int64_t c = first_column(); c < plane.channels; c += column_step()) {
      const int64_t at = number * plane.channels + c;
      const int h = top + winners[at] / plane.columns.window;
      const int w = left + winners[at] % plane.columns.window;
      y[at] = x[plane.in_pixel(out.image, h, w) * plane.channels + c];
    }
  }
}

// Every input gathers from the windows that it won, so that threads never write to the same place.
template <class T, int kWidth>
__global__ void __launch_bounds__(kRowThreads)
    max_pool_backward_kernel(PoolPlane plane, int64_t pixels, const T* dy, const uint16_t* winners,
                             T* dx) {
  using C = Compute<T>;
  for (int64_t number = first_row(); number < pixels; number += row_step()) {
    const Pixel in(number, plane.rows.size, plane.columns.size);
    const Range ohs = plane.rows.outputs(in.h), ows = plane.columns.outputs(in.w);
    for (int64_t c = kWidth * first_column(); c < plane.channels; c += kWidth * column_step()) {
      C sums[kWidth] = {};
      T values[kWidth];
      for (int oh = ohs.begin; oh < ohs.end; ++oh) {
        const int row = plane.rows.position(in.h, oh) * plane.columns.window;
        for (int ow = ows.begin; ow < ows.end; ++ow) {
          const int here = row + plane.columns.position(in.w, ow);
          const int64_t from = plane.out_pixel(in.image, oh, ow) * plane.channels + c;
          uint16_t places[kWidth];
          load_pack<kWidth>(winners + from, places);
          load_pack<kWidth>(dy + from, values);
#pragma unroll
          for (int k = 0; k < kWidth; ++k) {
            if (places[k] == here) sums[k] += to_compute(values[k]);
          }
        }
      }
#pragma unroll
      for (int k = 0; k < kWidth; ++k) values[k] = from_compute<T>(sums[k]);
      store_pack<kWidth>(values, dx + number * plane.channels + c);
    }
  }
}

}  // namespace

PydlStatus max_pool_forward(const PydlContext* context, const PydlPoolArgs* args) {
  const bool aligned = all_aligned(args->x, args->y, args->winners);
  return visit_packs(context, "max_pool", *args, aligned, [&](auto zero, auto width) {
    using T = decltype(zero);
    constexpr int kWidth = decltype(width)::value;
    const PoolPlane plane(*args);
    return launch_rows(
        context, plane.out_pixels(), args->channels / kWidth,
        args->winners ? max_pool_kernel<T, kWidth, true> : max_pool_kernel<T, kWidth, false>, plane,
        plane.out_pixels(), static_cast<const T*>(args->x), static_cast<T*>(args->y),
        args->winners);
  });
}

PydlStatus max_pool_pick(const PydlContext* context, const PydlPoolArgs* args) {
  return visit_floating(context, "max_pool", args->dtype, [&](auto zero) {
    using T = decltype(zero);
    const PoolPlane plane(*args);
    return launch_rows(context, plane.out_pixels(), args->channels, pick_kernel<T>, plane,
                       plane.out_pixels(), static_cast<const T*>(args->x), args->winners,
                       static_cast<T*>(args->y));
  });
}

PydlStatus max_pool_backward(const PydlContext* context, const PydlPoolBackwardArgs* args) {
  const bool aligned = all_aligned(args->dy, args->dx, args->winners);
  return visit_packs(context, "max_pool", *args, aligned, [&](auto zero, auto width) {
    using T = decltype(zero);
    constexpr int kWidth = decltype(width)::value;
    const PoolPlane plane(*args);
    return launch_rows(context, plane.in_pixels(), args->channels / kWidth,
                       max_pool_backward_kernel<T, kWidth>, plane, plane.in_pixels(),
                       static_cast<const T*>(args->dy), args->winners, static_cast<T*>(args->dx));
  });
}

}  // namespace pydl::cuda
