#include <math.h>

#include "cpu/simd/dtype.h"
#include "pydl/kernels/image.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kOutside = -1;

inline int64_t modulo(int64_t a, int64_t n) {
  const int64_t rest = a % n;
  return rest < 0 ? rest + n : rest;
}
// The index in a mirror image that repeats every 2 * last, which has its edges only once.
inline int64_t mirror(int64_t i, int64_t last) {
  if (last == 0) return 0;
  const int64_t place = modulo(i, 2 * last);
  return place <= last ? place : 2 * last - place;
}

// Which pixel stands for index i of an axis, or kOutside.
inline int64_t pixel_for(int64_t i, int64_t size, int32_t mode) {
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
  int count;
  int64_t offset[4];  // of the first channel, or kOutside
  double weight[4];
};

// Where the pixels of the result come from.
class Transform {
 public:
  explicit Transform(const PydlTransformArgs& args)
      : args_(args), height_(args.size[0]), width_(args.size[1]) {}

  // body(y, x, pixel of the result) for every pixel of a row of image n.
  template <class Body>
  void over_row(int64_t n, int64_t row, Body&& body) const {
    const double* t = args_.transforms + 8 * n;
    const double r = static_cast<double>(row);
    const bool flat = t[6] == 0 && t[7] == 0;
    for (int64_t column = 0; column < width_; ++column) {
      const double c = static_cast<double>(column);
      const double scale = flat ? 1 : 1 / (t[6] * c + t[7] * r + 1);
      body((t[3] * c + t[4] * r + t[5]) * scale, (t[0] * c + t[1] * r + t[2]) * scale,
           row * width_ + column);
    }
  }

  // Whether the pixel is between four pixels of the image.
  bool is_inside(double y, double x) const {
    return y >= 0 && x >= 0 && y < static_cast<double>(height_ - 1) &&
           x < static_cast<double>(width_ - 1);
  }

  Corners corners(double y, double x) const {
    constexpr double kFar = 1e9;  // beyond, and for NaN, an index would overflow
    if (!(fabs(x) < kFar && fabs(y) < kFar)) return {1, {kOutside}, {1}};
    if (!args_.bilinear) return {1, {offset(lround(y), lround(x))}, {1}};
    const double top = ::floor(y), left = ::floor(x), down = y - top, right = x - left;
    const int64_t i = static_cast<int64_t>(top), j = static_cast<int64_t>(left);
    return {4,
            {offset(i, j), offset(i, j + 1), offset(i + 1, j), offset(i + 1, j + 1)},
            {(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right}};
  }

 private:
  int64_t offset(int64_t row, int64_t column) const {
    const int64_t i = pixel_for(row, height_, args_.fill_mode);
    const int64_t j = pixel_for(column, width_, args_.fill_mode);
    return i == kOutside || j == kOutside ? kOutside : (i * width_ + j) * args_.channels;
  }

  const PydlTransformArgs& args_;
  const int64_t height_, width_;
};

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
  transform.over_row(n, row, [&](double at_y, double at_x, int64_t pixel) {
    S* to = y + pixel * channels;
    if (args.bilinear && transform.is_inside(at_y, at_x)) {
      const int64_t i = static_cast<int64_t>(at_y), j = static_cast<int64_t>(at_x);
      const S* from = x + i * stride + j * channels;
      const T down = static_cast<T>(at_y - static_cast<double>(i));
      const T right = static_cast<T>(at_x - static_cast<double>(j));
      channels == 3 ? blend(from, stride, 3, down, right, to)
                    : blend(from, stride, channels, down, right, to);
      return;
    }
    const Corners corners = transform.corners(at_y, at_x);
    for (int64_t c = 0; c < channels; ++c) {
      T sum = 0;
      for (int k = 0; k < corners.count; ++k) {
        const int64_t from = corners.offset[k];
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
    transform.over_row(n, row, [&](double at_y, double at_x, int64_t pixel) {
      const Corners corners = transform.corners(at_y, at_x);
      for (int k = 0; k < corners.count; ++k) {
        if (corners.offset[k] < 0) continue;
        S* to = dx + corners.offset[k];
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
