#include "cpu/gemm/pack.h"
#include "cpu/simd/dtype.h"
#include "pydl/shared/transform.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// Pixels of a row of the result, whose places are found apart so that vectors find them.
constexpr int64_t kAtOnce = 64;

struct Places {
  double y[kAtOnce], x[kAtOnce];
};
// Those of pixels from `first` on of a row of image n.
void find_places(const PydlTransformArgs& args, int64_t n, int64_t row, int64_t first, Places& to) {
  double transform[8];
  memcpy(transform, args.transforms + 8 * n, sizeof transform);
  for (int64_t i = 0; i < kAtOnce; ++i) {
    const Place at = Transform::source(transform, row, first + i);
    to.y[i] = at.y;
    to.x[i] = at.x;
  }
}

// Which place is between four pixels of the image: the first of them, else kOutside, and how far it
// is from that one.
template <class T>
struct Between {
  int64_t pixel[kAtOnce];
  T down[kAtOnce], right[kAtOnce];
};
template <class T>
void find_between(const PydlTransformArgs& args, const Places& places, Between<T>& to) {
  const int64_t width = args.size[1];
  const double last_y = static_cast<double>(args.size[0] - 1);
  const double last_x = static_cast<double>(width - 1);
  for (int64_t i = 0; i < kAtOnce; ++i) {
    const double y = places.y[i], x = places.x[i];
    const bool inside = (y >= 0) & (x >= 0) & (y < last_y) & (x < last_x);
    const int64_t row = static_cast<int64_t>(inside ? y : 0);
    const int64_t column = static_cast<int64_t>(inside ? x : 0);
    to.pixel[i] = inside ? row * width + column : kOutside;
    to.down[i] = static_cast<T>(y - static_cast<double>(row));
    to.right[i] = static_cast<T>(x - static_cast<double>(column));
  }
}

// The mean of four pixels, of which the first is at x.
template <class S, class T>
inline void blend(const S* x, int64_t row, int64_t channels, T down, T right, S* y) {
  const auto mix = [](Vec<T> a, Vec<T> b, Vec<T> part) {
    return fma(b, part, a * (Vec<T>(1) - part));
  };
  for_registers<T>(channels, [&](int64_t c, auto... n) {
    const S *above = x + c, *below = above + row;
    const Vec<T> left = mix(load(above, n...), load(below, n...), down);
    const Vec<T> next = mix(load(above + channels, n...), load(below + channels, n...), down);
    store(mix(left, next, right), y + c, n...);
  });
}

// Wherever the pixel comes from.
template <class S>
void gather(const PydlTransformArgs& args, const Corners& corners, const S* x, S* y) {
  using T = Compute<S>;
  const T fill = static_cast<T>(args.fill_value);
  for (int64_t c = 0; c < args.channels; ++c) {
    T sum = 0;
    for (int k = 0; k < corners.count; ++k) {
      const int64_t from = corners.pixel[k] * args.channels;
      sum += static_cast<T>(corners.weight[k]) * (from < 0 ? fill : to_compute(x[from + c]));
    }
    y[c] = from_compute<S>(sum);
  }
}

template <class S>
void transform_row(const PydlTransformArgs& args, int64_t n, int64_t row) {
  using T = Compute<S>;
  const int64_t columns = args.size[1], channels = args.channels, stride = columns * channels;
  const S* x = static_cast<const S*>(args.x) + n * args.size[0] * stride;
  S* y = static_cast<S*>(args.y) + (n * args.size[0] + row) * stride;
  const Transform transform(args);
  Places places;
  Between<T> between;
  for (int64_t first = 0; first < columns; first += kAtOnce) {
    find_places(args, n, row, first, places);
    if (args.bilinear) find_between(args, places, between);
    for (int64_t i = 0; i < kAtOnce && first + i < columns; ++i) {
      S* to = y + (first + i) * channels;
      if (!args.bilinear || between.pixel[i] == kOutside) {
        gather(args, transform.corners({places.y[i], places.x[i]}), x, to);
        continue;
      }
      const S* from = x + between.pixel[i] * channels;
      const T down = between.down[i], right = between.right[i];
      channels == 3 ? blend(from, stride, 3, down, right, to)
                    : blend(from, stride, channels, down, right, to);
    }
  }
}

template <class S>
void scatter(const PydlTransformArgs& args, const Corners& corners, const S* dy, S* dx) {
  using T = Compute<S>;
  for (int k = 0; k < corners.count; ++k) {
    if (corners.pixel[k] < 0) continue;
    S* to = dx + corners.pixel[k] * args.channels;
    for (int64_t c = 0; c < args.channels; ++c) {
      const T d = static_cast<T>(corners.weight[k]) * to_compute(dy[c]);
      to[c] = from_compute<S>(to_compute(to[c]) + d);
    }
  }
}

// Adds each pixel of dy to those that it was made of; images are apart, so threads do not meet.
template <class S>
void scatter_image(const PydlTransformArgs& args, int64_t n) {
  const int64_t values = args.size[0] * args.size[1] * args.channels;
  const S* dy = static_cast<const S*>(args.x) + n * values;
  S* dx = static_cast<S*>(args.y) + n * values;
  memset(dx, 0, static_cast<size_t>(values) * sizeof(S));
  const Transform transform(args);
  const int64_t columns = args.size[1];
  Places places;
  for (int64_t row = 0; row < args.size[0]; ++row) {
    for (int64_t first = 0; first < columns; first += kAtOnce) {
      find_places(args, n, row, first, places);
      for (int64_t i = 0; i < kAtOnce && first + i < columns; ++i) {
        const Corners corners = transform.corners({places.y[i], places.x[i]});
        scatter(args, corners, dy + (row * columns + first + i) * args.channels, dx);
      }
    }
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
