#include "pydl/cuda/dtype.cuh"
#include "pydl/cuda/grid.cuh"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/image.h"

namespace pydl::cuda {
namespace {

template <class T>
__device__ T clamp(T x, T low, T high) {
  return x < low ? low : x > high ? high : x;
}

// Red, green and blue to hue (in turns), saturation and value, changed, and back.
template <class T>
__device__ void adjust_pixel(T (&rgb)[3], T hue_shift, T saturation_factor, T largest) {
  const T r = rgb[0], g = rgb[1], b = rgb[2];
  const T low = r < g ? (r < b ? r : b) : (g < b ? g : b);
  const T value = r > g ? (r > b ? r : b) : (g > b ? g : b);
  const T range = value - low, sixth = range > 0 ? 1 / (6 * range) : T(0);
  T hue = value == r   ? sixth * (g - b)
          : value == g ? sixth * (b - r) + T(2) / 6
                       : sixth * (r - g) + T(4) / 6;
  hue = range > 0 ? hue + hue_shift : hue_shift;
  hue = 6 * (hue - ::floor(hue));
  T saturation = value > 0 ? range / value : T(0);
  saturation = clamp(saturation * saturation_factor, T(0), largest);
  // How much of each color the pure hue has.
  rgb[0] = clamp(::fabs(hue - 3) - 1, T(0), T(1));
  rgb[1] = clamp(2 - ::fabs(hue - 2), T(0), T(1));
  rgb[2] = clamp(2 - ::fabs(hue - 4), T(0), T(1));
#pragma unroll
  for (int c = 0; c < 3; ++c) rgb[c] = value * (1 - saturation + saturation * rgb[c]);
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    adjust_hue_kernel(const __grid_constant__ PydlHueArgs args, const T* x, T* y) {
  using C = Compute<T>;
  for (int64_t i = first_element(); i < args.batch * args.pixels; i += element_step()) {
    const int64_t n = i / args.pixels;
    C rgb[3];
#pragma unroll
    for (int c = 0; c < 3; ++c) rgb[c] = to_compute(x[3 * i + c]);
    adjust_pixel<C>(rgb, static_cast<C>(args.hue[n]), static_cast<C>(args.saturation[n]),
                    static_cast<C>(args.largest_saturation));
#pragma unroll
    for (int c = 0; c < 3; ++c) y[3 * i + c] = from_compute<T>(rgb[c]);
  }
}

}  // namespace

PydlStatus adjust_hue(const PydlContext* context, const PydlHueArgs* args) {
  return visit_floating(context, "adjust_hue", args->dtype, [&](auto zero) {
    using T = decltype(zero);
    return launch_elements(context, args->batch * args->pixels, adjust_hue_kernel<T>, *args,
                           static_cast<const T*>(args->x), static_cast<T*>(args->y));
  });
}

}  // namespace pydl::cuda
