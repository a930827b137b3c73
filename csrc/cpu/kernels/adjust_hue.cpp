#include <math.h>

#include "cpu/simd/dtype.h"
#include "pydl/kernels/image.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

template <class T>
inline T clamp(T x, T low, T high) {
  return x < low ? low : x > high ? high : x;
}

// Red, green and blue to hue (in turns), saturation and value, changed, and back.
template <class T>
inline void adjust_pixel(T* rgb, T hue_shift, T saturation_factor, T largest) {
  const T r = rgb[0], g = rgb[1], b = rgb[2];
  const T low = r < g ? (r < b ? r : b) : (g < b ? g : b);
  const T value = r > g ? (r > b ? r : b) : (g > b ? g : b);
  const T range = value - low, sixth = range > 0 ? 1 / (6 * range) : T(0);
  T hue = value == r   ? sixth * (g - b)
          : value == g ? sixth * (b - r) + T(2) / 6
                       : sixth * (r - g) + T(4) / 6;
  hue = range > 0 ? hue + hue_shift : hue_shift;
  hue = 6 * (hue - static_cast<T>(::floor(static_cast<double>(hue))));
  T saturation = value > 0 ? range / value : T(0);
  saturation = clamp(saturation * saturation_factor, T(0), largest);
  // How much of each color the pure hue has.
  rgb[0] = clamp(static_cast<T>(fabs(hue - 3)) - 1, T(0), T(1));
  rgb[1] = clamp(2 - static_cast<T>(fabs(hue - 2)), T(0), T(1));
  rgb[2] = clamp(2 - static_cast<T>(fabs(hue - 4)), T(0), T(1));
  for (int c = 0; c < 3; ++c) rgb[c] = value * (1 - saturation + saturation * rgb[c]);
}

}  // namespace

PydlStatus adjust_hue(const PydlContext* context, const PydlHueArgs* args) {
  return visit_floating(context, "adjust_hue", args->dtype, [&](auto zero) {
    using S = decltype(zero);
    using T = Compute<S>;
    const S* x = static_cast<const S*>(args->x);
    S* y = static_cast<S*>(args->y);
    parallel_for(context, args->batch * args->pixels, 1024, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t n = i / args->pixels;
        T rgb[3];
        for (int c = 0; c < 3; ++c) rgb[c] = to_compute(x[3 * i + c]);
        adjust_pixel<T>(rgb, static_cast<T>(args->hue[n]), static_cast<T>(args->saturation[n]),
                        static_cast<T>(args->largest_saturation));
        for (int c = 0; c < 3; ++c) y[3 * i + c] = from_compute<S>(rgb[c]);
      }
    });
    return PYDL_OK;
  });
}

}  // namespace pydl::cpu::PYDL_ISA
