#include "cuda/device/pool.cuh"

namespace pydl::cuda {
namespace {

template <class T, int kWidth>
__global__ void __launch_bounds__(kRowThreads)
    average_pool_kernel(PoolPlane plane, int64_t pixels, const T* x, T* y) {
  using C = Compute<T>;
  for (int64_t number = first_row(); number < pixels; number += row_step()) {
    const Pixel out(number, plane.rows.out_size, plane.columns.out_size);
    const Range hs = plane.rows.inputs(out.h), ws = plane.columns.inputs(out.w);
    const C count = static_cast<C>(int64_t{hs.count()} * ws.count());
    for (int64_t c = kWidth * first_column(); c < plane.channels; c += kWidth * column_step()) {
      C sums[kWidth] = {};
      T values[kWidth];
      for (int h = hs.begin; h < hs.end; ++h) {
        for (int w = ws.begin; w < ws.end; ++w) {
          load_pack<kWidth>(x + plane.in_pixel(out.image, h, w) * plane.channels + c, values);
#pragma unroll
          for (int k = 0; k < kWidth; ++k) sums[k] += to_compute(values[k]);
        }
      }
#pragma unroll
      for (int k = 0; k < kWidth; ++k) values[k] = from_compute<T>(sums[k] / count);
      store_pack<kWidth>(values, y + number * plane.channels + c);
    }
  }
}

// Every input gathers from the windows that hold it, so that threads never write to the same place.
template <class T, int kWidth>
__global__ void __launch_bounds__(kRowThreads)
    average_pool_backward_kernel(PoolPlane plane, int64_t pixels, const T* dy, T* dx) {
  using C = Compute<T>;
  for (int64_t number = first_row(); number < pixels; number += row_step()) {
    const Pixel in(number, plane.rows.size, plane.columns.size);
    const Range ohs = plane.rows.outputs(in.h), ows = plane.columns.outputs(in.w);
    for (int64_t c = kWidth * first_column(); c < plane.channels; c += kWidth * column_step()) {
      C sums[kWidth] = {};
      T values[kWidth];
      for (int oh = ohs.begin; oh < ohs.end; ++oh) {
        for (int ow = ows.begin; ow < ows.end; ++ow) {
          const int64_t count =
              int64_t{plane.rows.inputs(oh).count()} * plane.columns.inputs(ow).count();
          const C share = 1 / static_cast<C>(count);
          load_pack<kWidth>(dy + plane.out_pixel(in.image, oh, ow) * plane.channels + c, values);
#pragma unroll
          for (int k = 0; k < kWidth; ++k) sums[k] = ::fma(to_compute(values[k]), share, sums[k]);
        }
      }
#pragma unroll
      for (int k = 0; k < kWidth; ++k) values[k] = from_compute<T>(sums[k]);
      store_pack<kWidth>(values, dx + number * plane.channels + c);
    }
  }
}

}  // namespace

PydlStatus average_pool_forward(const PydlContext* context, const PydlPoolArgs* args) {
  const bool aligned = all_aligned(args->x, args->y);
  return visit_packs(context, "average_pool", *args, aligned, [&](auto zero, auto width) {
    using T = decltype(zero);
    constexpr int kWidth = decltype(width)::value;
    const PoolPlane plane(*args);
    return launch_rows(context, plane.out_pixels(), args->channels / kWidth,
                       average_pool_kernel<T, kWidth>, plane, plane.out_pixels(),
                       static_cast<const T*>(args->x), static_cast<T*>(args->y));
  });
}

PydlStatus average_pool_backward(const PydlContext* context, const PydlPoolBackwardArgs* args) {
  const bool aligned = all_aligned(args->dy, args->dx);
  return visit_packs(context, "average_pool", *args, aligned, [&](auto zero, auto width) {
    using T = decltype(zero);
    constexpr int kWidth = decltype(width)::value;
    const PoolPlane plane(*args);
    return launch_rows(context, plane.in_pixels(), args->channels / kWidth,
                       average_pool_backward_kernel<T, kWidth>, plane, plane.in_pixels(),
                       static_cast<const T*>(args->dy), static_cast<T*>(args->dx));
  });
}

}  // namespace pydl::cuda
