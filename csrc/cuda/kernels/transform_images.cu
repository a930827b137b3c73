#include "cuda/device/rows.cuh"
#include "cuda/device/segments.cuh"
#include "pydl/cuda/dtype.cuh"
#include "pydl/cuda/visit.h"
#include "pydl/shared/transform.h"

namespace pydl::cuda {
namespace {

// Weights by a number that the compiler does not know, without an array in memory.
__device__ double weight_of(const Corners& corners, int corner) {
  double result = corners.weight[0];
#pragma unroll
  for (int k = 1; k < Corners::kMost; ++k) result = k == corner ? corners.weight[k] : result;
  return result;
}

// The pixels of a batch of images, numbered through.
struct Pixels {
  Transform transform;
  int64_t batch, channels;
  const double* transforms;

  explicit Pixels(const PydlTransformArgs& args)
      : transform(args),
        batch(args.batch),
        channels(args.channels),
        transforms(args.transforms) {}

  int64_t count() const { return batch * transform.height * transform.width; }

  // Of the pixel with this number in the result; `image` becomes the number of its image's first.
  __device__ Corners corners(int64_t number, int64_t& image) const {
    int64_t row, column;
    const int64_t n = divide(divide(number, transform.width, column), transform.height, row);
    image = n * transform.height * transform.width;
    return transform.corners(Transform::source(transforms + 8 * n, row, column));
  }
};

template <class T>
__global__ void __launch_bounds__(kThreads)
    transform_kernel(Pixels pixels, int64_t count, Compute<T> fill, const T* x, T* y) {
  using C = Compute<T>;
  for (int64_t number = first_element(); number < count; number += element_step()) {
    int64_t image;
    const Corners corners = pixels.corners(number, image);
    for (int64_t c = 0; c < pixels.channels; ++c) {
      C sum = 0;
#pragma unroll
      for (int k = 0; k < Corners::kMost; ++k) {
        if (k >= corners.count) continue;
        const int64_t from = corners.pixel[k];
        const C value = from < 0 ? fill : to_compute(x[(image + from) * pixels.channels + c]);
        sum += static_cast<C>(corners.weight[k]) * value;
      }
      y[number * pixels.channels + c] = from_compute<T>(sum);
    }
  }
}

// The pixel of dx that each corner of each pixel of dy adds to; those outside add to one behind
// all, which is not there.
__global__ void __launch_bounds__(kThreads)
    corner_targets_kernel(Pixels pixels, int64_t count, int64_t* targets) {
  for (int64_t number = first_element(); number < count; number += element_step()) {
    int64_t image;
    const Corners corners = pixels.corners(number, image);
#pragma unroll
    for (int k = 0; k < Corners::kMost; ++k) {
      const bool inside = k < corners.count && corners.pixel[k] >= 0;
      targets[number * Corners::kMost + k] = inside ? image + corners.pixel[k] : count;
    }
  }
}

// Each thread adds up one pixel of dx, over the corners that add to it.
template <class T>
__global__ void __launch_bounds__(kThreads)
    add_corners_kernel(Pixels pixels, int64_t count, const int64_t* starts,
                       const int32_t* order, const T* dy, T* dx) {
  using C = Compute<T>;
  const int64_t channels = pixels.channels;
  for (int64_t i = first_element(); i < count * channels; i += element_step()) {
    int64_t c, image;
    const int64_t number = divide(i, channels, c);
    C sum = 0;
    for (int64_t p = starts[number]; p < starts[number + 1]; ++p) {
      const int64_t from = order[p] / Corners::kMost;
      const double weight = weight_of(pixels.corners(from, image), order[p] % Corners::kMost);
      sum += static_cast<C>(weight) * to_compute(dy[from * channels + c]);
    }
    dx[i] = from_compute<T>(sum);
  }
}

}  // namespace

PydlStatus transform_images(const PydlContext* context, const PydlTransformArgs* args) {
  return visit_floating(context, "affine_transform", args->dtype, [&](auto zero) {
    using T = decltype(zero);
    const Pixels pixels(*args);
    return launch_elements(context, pixels.count(), transform_kernel<T>, pixels, pixels.count(),
                           static_cast<Compute<T>>(args->fill_value),
                           static_cast<const T*>(args->x), static_cast<T*>(args->y));
  });
}

PydlStatus transform_images_backward(const PydlContext* context, const PydlTransformArgs* args) {
  const Pixels pixels(*args);
  const int64_t count = pixels.count(), corners = count * Corners::kMost;
  const Scratch<int64_t> targets(context, corners), starts(context, count + 1);
  Segments segments(context, corners);
  if (!targets || !starts || !segments) return PYDL_ERROR_MEMORY;
  PydlStatus status =
      launch_elements(context, count, corner_targets_kernel, pixels, count, targets.data());
  if (status != PYDL_OK) return status;
  status = segments.sort(targets.data(), count + 1);
  if (status != PYDL_OK) return status;
  status = launch_elements(context, count, segment_starts_kernel, corners, count,
                           segments.targets(), starts.data());
  if (status != PYDL_OK) return status;
  return visit_floating(context, "affine_transform", args->dtype, [&](auto zero) {
    using T = decltype(zero);
    return launch_elements(context, count * args->channels, add_corners_kernel<T>, pixels, count,
                           static_cast<const int64_t*>(starts.data()), segments.order(),
                           static_cast<const T*>(args->x), static_cast<T*>(args->y));
  });
}

}  // namespace pydl::cuda
