// Which pixels of an image make up one of its transform, for the kernels of every backend.
#pragma once

#include <math.h>

#include "pydl/kernels/image.h"

#if defined(__CUDACC__) || defined(PYDL_CUDA_EMULATED)
#define PYDL_EVERYWHERE __host__ __device__
#else
#define PYDL_EVERYWHERE
#endif

namespace pydl {
namespace {

constexpr int64_t kOutside = -1;

PYDL_EVERYWHERE inline int64_t modulo(int64_t a, int64_t n) {
  const int64_t rest = a % n;
  return rest < 0 ? rest + n : rest;
}
// The index in a mirror image that repeats every 2 * last, which has its edges only once.
PYDL_EVERYWHERE inline int64_t mirror(int64_t i, int64_t last) {
  if (last == 0) return 0;
  const int64_t place = modulo(i, 2 * last);
  return place <= last ? place : 2 * last - place;
}

// Which pixel stands for index i of an axis, or kOutside.
PYDL_EVERYWHERE inline int64_t pixel_for(int64_t i, int64_t size, int32_t mode) {
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
};

struct Place {
  double y, x;
};

// Of images of one size.
struct Transform {
  int64_t height, width;
  int32_t bilinear, fill_mode;

  PYDL_EVERYWHERE explicit Transform(const PydlTransformArgs& args)
      : height(args.size[0]),
        width(args.size[1]),
        bilinear(args.bilinear),
        fill_mode(args.fill_mode) {}

  // Where a pixel of the result comes from, by the 8 numbers of its image.
  PYDL_EVERYWHERE static Place source(const double* t, int64_t row, int64_t column) {
    const double r = static_cast<double>(row), c = static_cast<double>(column);
    const bool flat = t[6] == 0 && t[7] == 0;
    const double scale = flat ? 1 : 1 / (t[6] * c + t[7] * r + 1);
    return {(t[3] * c + t[4] * r + t[5]) * scale, (t[0] * c + t[1] * r + t[2]) * scale};
  }

  PYDL_EVERYWHERE Corners corners(Place at) const {
    constexpr double kFar = 1e9;  // beyond, and for NaN, an index would overflow
    if (!(fabs(at.x) < kFar && fabs(at.y) < kFar)) return {1, {kOutside}, {1}};
    if (!bilinear) return {1, {pixel(for_row(lround(at.y)), for_column(lround(at.x)))}, {1}};
    const double top = ::floor(at.y), left = ::floor(at.x), down = at.y - top, right = at.x - left;
    const int64_t i = static_cast<int64_t>(top), j = static_cast<int64_t>(left);
    const int64_t i0 = for_row(i), i1 = for_row(i + 1), j0 = for_column(j), j1 = for_column(j + 1);
    return {4,
            {pixel(i0, j0), pixel(i0, j1), pixel(i1, j0), pixel(i1, j1)},
            {(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right}};
  }

 private:
  PYDL_EVERYWHERE int64_t for_row(int64_t i) const { return pixel_for(i, height, fill_mode); }
  PYDL_EVERYWHERE int64_t for_column(int64_t j) const { return pixel_for(j, width, fill_mode); }
  PYDL_EVERYWHERE int64_t pixel(int64_t i, int64_t j) const {
    return i == kOutside || j == kOutside ? kOutside : i * width + j;
  }
};

}  // namespace
}  // namespace pydl
