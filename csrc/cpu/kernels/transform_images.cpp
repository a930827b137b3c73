#include "cpu/simd/dtype.h"
#include "pydl/shared/transform.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// body(place in the image, pixel of the result) for every pixel of a row of image n. Places are found
// apart, so that vectors find them.
template <class Body>
void over_row(const PydlTransformArgs& args, int64_t n, int64_t row, Body&& body) {
  constexpr int64_t kAtOnce = 64;
  double y[kAtOnce], x[kAtOnce], transform[8];
  memcpy(transform, args.transforms + 8 * n, sizeof transform);
  const int64_t columns = args.size[1];
  for (int64_t first = 0; first < columns; first += kAtOnce) {
    for (int64_t i = 0; i < kAtOnce; ++i) {
      const Place at = Transform::source(transform, row, first + i);
      y[i] = at.y;
      x[i] = at.x;
    }
    for (int64_t i = 0; i < kAtOnce && first + i < columns; ++i)
      body(Place{y[i], x[i]}, row * columns + first + i);
  }
}

// Whether the place is between four pixels of the image.
bool is_inside(const PydlTransformArgs& args, Place at) {
  return at.y >= 0 && at.x >= 0 && at.y < static_cast<double>(args.size[0] - 1) &&
         at.x < static_cast<double>(args.size[1] - 1);
}

// The mean of four pixels, of which the first is at x, by weights of type T.
template <class S, class T>
inline void blend(const S* x, int64_t row, int64_t channels, T down, T right, S* y) {
  const S *above = x, *below = x + row;
  const T w0 = (1 - down) * (1 - right), w1 = (1 - down) * right, w2 = down * (1 - right);
  const T w3 = down * right;
  for (int64_t c = 0; c < channels; ++c)
    y[c] = from_compute<S>(w0 * to_compute(above[c]) + w1 * to_compute(above[channels + c]) +
                           w2 * to_compute(below[c]) + w3 * to_compute(below[channels + c]));
}

template <class S>
void transform_row(const PydlTransformArgs& args, int64_t n, int64_t row) {
  using T = Compute<S>;
  const int64_t channels = args.channels, stride = args.size[1] * channels;
  const S* x = static_cast<const S*>(args.x) + n * args.size[0] * stride;
  S* y = static_cast<S*>(args.y) + n * args.size[0] * stride;
  const T fill = static_cast<T>(args.fill_value);
  const Transform transform(args);
  over_row(args, n, row, [&](Place at, int64_t pixel) {
    S* to = y + pixel * channels;
    if (args.bilinear && is_inside(args, at)) {
      const int64_t i = static_cast<int64_t>(at.y), j = static_cast<int64_t>(at.x);
      const S* from = x + i * stride + j * channels;
      const T down = static_cast<T>(at.y - static_cast<double>(i));
      const T right = static_cast<T>(at.x - static_cast<double>(j));
      channels == 3 ? blend(from, stride, 3, down, right, to)
                    : blend(from, stride, channels, down, right, to);
      return;
    }
    const Corners corners = transform.corners(at);
    for (int64_t c = 0; c < channels; ++c) {
      T sum = 0;
      for (int k = 0; k < corners.count; ++k) {
        const int64_t from = corners.pixel[k] * channels;
        sum += static_cast<T>(corners.weight[k]) * (from < 0 ? fill : to_compute(x[from + c]));
      }
      to[c] = from_compute<S>(sum);
    }
  });
}

// Adds each pixel of dy to those that it was made of; images are apart, so threads do not meet.
template <class S>
void scatter_image(const PydlTransformArgs& args, int64_t n) {
  using T = Compute<S>;
  const int64_t values = args.size[0] * args.size[1] * args.channels;
  const S* dy = static_cast<const S*>(args.x) + n * values;
  S* dx = static_cast<S*>(args.y) + n * values;
  memset(dx, 0, static_cast<size_t>(values) * sizeof(S));
  const Transform transform(args);
  for (int64_t row = 0; row < args.size[0]; ++row) {
    over_row(args, n, row, [&](Place at, int64_t pixel) {
      const Corners corners = transform.corners(at);
      for (int k = 0; k < corners.count; ++k) {
        if (corners.pixel[k] < 0) continue;
        S* to = dx + corners.pixel[k] * args.channels;
        for (int64_t c = 0; c < args.channels; ++c) {
          const T d = to_compute(dy[pixel * args.channels + c]);
          to[c] = from_compute<S>(to_compute(to[c]) + static_cast<T>(corners.weight[k]) * d);
        }
      }
    });
  }
}

}  // namespace

PydlStatus transform_images(const PydlContext* context, const PydlTransformArgs* args) {
  return visit_floating(context, "affine_transform", args->dtype, [&](auto zero) {
    const int64_t rows = args->batch * args->size[0];
    parallel_for(context, rows, 1024 / args->size[1] + 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        transform_row<decltype(zero)>(*args, i / args->size[0], i % args->size[0]);
    });
    return PYDL_OK;
  });
}

PydlStatus transform_images_backward(const PydlContext* context, const PydlTransformArgs* args) {
  return visit_floating(context, "affine_transform", args->dtype, [&](auto zero) {
    parallel_for(context, args->batch, 1, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) scatter_image<decltype(zero)>(*args, n);
    });
    return PYDL_OK;
  });
}

}  // namespace pydl::cpu::PYDL_ISA
