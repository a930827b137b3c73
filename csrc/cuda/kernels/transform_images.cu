#include <math.h>

#include "cuda/device/rows.cuh"
#include "cuda/device/segments.cuh"
#include "pydl/cuda/dtype.cuh"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/image.h"

namespace pydl::cuda {
namespace {

constexpr int64_t kOutside = -1;

__device__ int64_t modulo(int64_t a, int64_t n) {
  const int64_t rest = a % n;
  return rest < 0 ? rest + n : rest;
}
// The index in a mirror image that repeats every 2 * last, which has its edges only once.
__device__ int64_t mirror(int64_t i, int64_t last) {
  if (last == 0) return 0;
  const int64_t place = modulo(i, 2 * last);
  return place <= last ? place : 2 * last - place;
}

// Which pixel stands for index i of an axis, or kOutside.
__device__ int64_t pixel_for(int64_t i, int64_t size, int32_t mode) {
  if (i >= 0 && i < size) return i;
  switch (mode) {
    case PYDL_FILL_NEAREST:
      return i < 0 ? 0 : size - 1;
    case PYDL_FILL_WRAP:
      return modulo(i, size);
    case PYDL_FILL_MIRROR:
      return mirror(i, size - 1);
    case PYDL_FILL_REFLECT:
      return (mirror(2 * i + 1, 2 * size) - 1) / 2;
    default:
      return kOutside;
  }
}

// Up to four pixels that make up one of the result.
struct Corners {
  static constexpr int kMost = 4;
  int count;
  int64_t pixel[kMost];  // of the image, or kOutside
  double weight[kMost];

  __device__ double weight_of(int corner) const {
    double result = weight[0];
#pragma unroll
    for (int k = 1; k < kMost; ++k) result = k == corner ? weight[k] : result;
    return result;
  }
};

// Where the pixels of the result come from.
struct Transform {
  int64_t batch, height, width, channels;
  const double* transforms;
  bool bilinear;
  int32_t fill_mode;

  explicit Transform(const PydlTransformArgs& args)
      : batch(args.batch),
        height(args.size[0]),
        width(args.size[1]),
        channels(args.channels),
        transforms(args.transforms),
        bilinear(args.bilinear != 0),
        fill_mode(args.fill_mode) {}

  int64_t pixels() const { return batch * height * width; }

  // Of the pixel with this number in the result; `image` becomes the number of its image's first.
  __device__ Corners corners(int64_t number, int64_t& image) const {
    int64_t row, column;
    const int64_t n = divide(divide(number, width, column), height, row);
    image = n * height * width;
    const double* t = transforms + 8 * n;
    const double r = static_cast<double>(row), c = static_cast<double>(column);
    const bool flat = t[6] == 0 && t[7] == 0;
    const double scale = flat ? 1 : 1 / (t[6] * c + t[7] * r + 1);
    return corners_at((t[3] * c + t[4] * r + t[5]) * scale, (t[0] * c + t[1] * r + t[2]) * scale);
  }

 private:
  __device__ Corners corners_at(double y, double x) const {
    constexpr double kFar = 1e9;  // beyond, and for NaN, an index would overflow
    if (!(fabs(x) < kFar && fabs(y) < kFar)) return {1, {kOutside}, {1}};
    if (!bilinear) return {1, {pixel(lround(y), lround(x))}, {1}};
    const double top = ::floor(y), left = ::floor(x), down = y - top, right = x - left;
    const int64_t i = static_cast<int64_t>(top), j = static_cast<int64_t>(left);
    return {4,
            {pixel(i, j), pixel(i, j + 1), pixel(i + 1, j), pixel(i + 1, j + 1)},
            {(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right}};
  }
  __device__ int64_t pixel(int64_t row, int64_t column) const {
    const int64_t i = pixel_for(row, height, fill_mode), j = pixel_for(column, width, fill_mode);
    return i == kOutside || j == kOutside ? kOutside : i * width + j;
  }
};

template <class T>
__global__ void __launch_bounds__(kThreads)
    transform_kernel(Transform transform, int64_t pixels, Compute<T> fill, const T* x, T* y) {
  using C = Compute<T>;
  for (int64_t number = first_element(); number < pixels; number += element_step()) {
    int64_t image;
    const Corners corners = transform.corners(number, image);
    for (int64_t c = 0; c < transform.channels; ++c) {
      C sum = 0;
#pragma unroll
      for (int k = 0; k < Corners::kMost; ++k) {
        if (k >= corners.count) continue;
        const int64_t from = corners.pixel[k];
        const C value = from < 0 ? fill : to_compute(x[(image + from) * transform.channels + c]);
        sum += static_cast<C>(corners.weight[k]) * value;
      }
      y[number * transform.channels + c] = from_compute<T>(sum);
    }
  }
}

// The pixel of dx that each corner of each pixel of dy adds to; those outside add to one behind
// all, which is not there.
__global__ void __launch_bounds__(kThreads)
    corner_targets_kernel(Transform transform, int64_t pixels, int64_t* targets) {
  for (int64_t number = first_element(); number < pixels; number += element_step()) {
    int64_t image;
    const Corners corners = transform.corners(number, image);
#pragma unroll
    for (int k = 0; k < Corners::kMost; ++k) {
      const bool inside = k < corners.count && corners.pixel[k] >= 0;
      targets[number * Corners::kMost + k] = inside ? image + corners.pixel[k] : pixels;
    }
  }
}

// Each thread adds up one pixel of dx, over the corners that add to it.
template <class T>
__global__ void __launch_bounds__(kThreads)
    add_corners_kernel(Transform transform, int64_t pixels, const int64_t* starts,
                       const int32_t* order, const T* dy, T* dx) {
  using C = Compute<T>;
  const int64_t channels = transform.channels;
  for (int64_t i = first_element(); i < pixels * channels; i += element_step()) {
    int64_t c, image;
    const int64_t number = divide(i, channels, c);
    C sum = 0;
    for (int64_t p = starts[number]; p < starts[number + 1]; ++p) {
      const int64_t from = order[p] / Corners::kMost;
      const double weight = transform.corners(from, image).weight_of(order[p] % Corners::kMost);
      sum += static_cast<C>(weight) * to_compute(dy[from * channels + c]);
    }
    dx[i] = from_compute<T>(sum);
  }
}

}  // namespace

PydlStatus transform_images(const PydlContext* context, const PydlTransformArgs* args) {
  return visit_floating(context, "affine_transform", args->dtype, [&](auto zero) {
    using T = decltype(zero);
    const Transform transform(*args);
    const int64_t pixels = transform.pixels();
    return launch_elements(context, pixels, transform_kernel<T>, transform, pixels,
                           static_cast<Compute<T>>(args->fill_value),
                           static_cast<const T*>(args->x), static_cast<T*>(args->y));
  });
}

PydlStatus transform_images_backward(const PydlContext* context, const PydlTransformArgs* args) {
  const Transform transform(*args);
  const int64_t pixels = transform.pixels(), corners = pixels * Corners::kMost;
  const Scratch<int64_t> targets(context, corners), starts(context, pixels + 1);
  Segments segments(context, corners);
  if (!targets || !starts || !segments) return PYDL_ERROR_MEMORY;
  PydlStatus status =
      launch_elements(context, pixels, corner_targets_kernel, transform, pixels, targets.data());
  if (status != PYDL_OK) return status;
  status = segments.sort(targets.data(), pixels + 1);
  if (status != PYDL_OK) return status;
  status = launch_elements(context, pixels, segment_starts_kernel, corners, pixels,
                           segments.targets(), starts.data());
  if (status != PYDL_OK) return status;
  return visit_floating(context, "affine_transform", args->dtype, [&](auto zero) {
    using T = decltype(zero);
    return launch_elements(context, pixels * args->channels, add_corners_kernel<T>, transform,
                           pixels, static_cast<const int64_t*>(starts.data()), segments.order(),
                           static_cast<const T*>(args->x), static_cast<T*>(args->y));
  });
}

}  // namespace pydl::cuda
