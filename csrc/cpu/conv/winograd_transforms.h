// The transforms of Winograd's convolution, see winograd.h, and when it is worth while.
#pragma once

#include "cpu/conv/operands.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int kSide = 4, kTaps = 3, kPatch = kSide + kTaps - 1, kProducts = kPatch * kPatch;
constexpr int64_t kFewestTiles = 64;         // of a block, if there are as many
constexpr int64_t kBlockBytes = 5 << 18;     // of all that a block of tiles reads and writes
constexpr int64_t kTransformProducts = 600;  // in the time in which one value is transformed
constexpr int64_t kReadProducts = 24;        // in which one is read from memory
constexpr int64_t kSplitPercent = 60;        // of the direct sum's time, in tile registers

// The points are 0, +-a, +-b and infinity. These make errors a quarter of those with the usual
// a = 1, b = 2, and everything but G is exact in binary.
constexpr double kA = 0.75, kB = 1.5, kA2 = kA * kA, kB2 = kB * kB;

// B^T, G and A^T times a vector. F(3x3, 4x4), which gives the kernel's gradient, has the same
// points and B^T; its G and A^T have a row more and one less.
struct InputTransform {
  template <class T>
  static void apply(const Vec<T>* d, Vec<T>* v) {
    const Vec<T> even_a = fma(d[2], T(-kB2), d[4]), odd_a = fma(d[1], T(-kB2), d[3]) * T(kA);
    const Vec<T> even_b = fma(d[2], T(-kA2), d[4]), odd_b = fma(d[1], T(-kA2), d[3]) * T(kB);
    v[0] = fma(d[0], T(kA2 * kB2), fma(d[2], T(-kA2 - kB2), d[4]));
    v[1] = even_a + odd_a;
    v[2] = even_a - odd_a;
    v[3] = even_b + odd_b;
    v[4] = even_b - odd_b;
    v[5] = fma(d[1], T(kA2 * kB2), fma(d[3], T(-kA2 - kB2), d[5]));
  }
};
struct KernelTransform {
  template <class T>
  static void apply(const Vec<T>* g, Vec<T>* u) {
    constexpr double scale_a = 0.5 / (kA2 * (kA2 - kB2)), scale_b = 0.5 / (kB2 * (kB2 - kA2));
    const Vec<T> even_a = fma(g[2], T(kA2), g[0]) * T(scale_a), odd_a = g[1] * T(kA * scale_a);
    const Vec<T> even_b = fma(g[2], T(kB2), g[0]) * T(scale_b), odd_b = g[1] * T(kB * scale_b);
    u[0] = g[0] * T(1 / (kA2 * kB2));
    u[1] = even_a + odd_a;
    u[2] = even_a - odd_a;
    u[3] = even_b + odd_b;
    u[4] = even_b - odd_b;
    u[5] = g[2];
  }
};
struct SumsTransform {
  template <class T>
  static void apply(const Vec<T>* m, Vec<T>* y) {
    const Vec<T> even_a = m[1] + m[2], odd_a = m[1] - m[2];
    const Vec<T> even_b = m[3] + m[4], odd_b = m[3] - m[4];
    y[0] = m[0] + even_a + even_b;
    y[1] = fma(odd_a, T(kA), odd_b * T(kB));
    y[2] = fma(even_a, T(kA2), even_b * T(kB2));
    y[3] = fma(odd_a, T(kA * kA2), fma(odd_b, T(kB * kB2), m[5]));
  }
};

struct GradientTransform {
  template <class T>
  static void apply(const Vec<T>* g, Vec<T>* u) {
    constexpr double scale_a = 0.5 / (kA2 * (kA2 - kB2)), scale_b = 0.5 / (kB2 * (kB2 - kA2));
    const Vec<T> even_a = fma(g[2], T(kA2), g[0]) * T(scale_a);
    const Vec<T> odd_a = fma(g[3], T(kA2), g[1]) * T(kA * scale_a);
    const Vec<T> even_b = fma(g[2], T(kB2), g[0]) * T(scale_b);
    const Vec<T> odd_b = fma(g[3], T(kB2), g[1]) * T(kB * scale_b);
    u[0] = g[0] * T(1 / (kA2 * kB2));
    u[1] = even_a + odd_a;
    u[2] = even_a - odd_a;
    u[3] = even_b + odd_b;
    u[4] = even_b - odd_b;
    u[5] = g[3];
  }
};
struct KernelSumsTransform {
  template <class T>
  static void apply(const Vec<T>* m, Vec<T>* y) {
    const Vec<T> even_a = m[1] + m[2], even_b = m[3] + m[4];
    y[0] = m[0] + even_a + even_b;
    y[1] = fma(m[1] - m[2], T(kA), (m[3] - m[4]) * T(kB));
    y[2] = fma(even_a, T(kA2), fma(even_b, T(kB2), m[5]));
  }
};

// store(i, j, element of M x M^T) where load(i, j) gives x and Transform is M. Inlined by force: as
// a call it would pass what the loop around it knows through memory.
template <class T, int in, int out, class Transform, class Load, class Store>
[[gnu::always_inline]] inline void transform_square(Load load, Store store) {
  Vec<T> half[out][in];
#pragma GCC unroll 6
  for (int j = 0; j < in; ++j) {
    Vec<T> x[in], y[out];
#pragma GCC unroll 6
    for (int i = 0; i < in; ++i) x[i] = load(i, j);
    Transform::apply(x, y);
#pragma GCC unroll 6
    for (int i = 0; i < out; ++i) half[i][j] = y[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < out; ++i) {
    Vec<T> y[out];
    Transform::apply(half[i], y);
#pragma GCC unroll 6
    for (int j = 0; j < out; ++j) store(i, j, y[j]);
  }
}

// The side x side pixels of an image from (y, x) on, where those outside are `zeros`.
template <int side, class S>
struct PixelSquare {
  using T = Compute<S>;
  const S* from[side][side];

  PixelSquare(const S* data, int64_t height, int64_t width, int64_t pixel, int64_t image, int64_t y,
              int64_t x, const S* zeros) {
    for (int64_t i = 0; i < side; ++i) {
      const bool row_inside = y + i >= 0 && y + i < height;
      for (int64_t j = 0; j < side; ++j) {
        const bool inside = row_inside && x + j >= 0 && x + j < width;
        from[i][j] = inside ? data + ((image * height + y + i) * width + x + j) * pixel : zeros;
      }
    }
  }

  // Channels [c, c + n) transformed to 6x6, elements `step` apart.
  template <class Transform>
  void transform(int64_t c, int64_t n, T* to, int64_t step) const {
    for_registers<T>(n, [&](int64_t l, auto... count) {
      transform_square<T, side, kPatch, Transform>(
          [&](int i, int j) { return load(from[i][j] + c + l, count...); },
          [=](int i, int j, Vec<T> v) { v.store(to + l + (i * kPatch + j) * step); });
    });
  }
};

// How results are cut into tiles, counted through the batch.
struct WinogradTiles {
  int64_t down, across, count;

  WinogradTiles(const Axis& height, const Axis& width, int64_t batch)
      : down(divide_up(height.out, kSide)),
        across(divide_up(width.out, kSide)),
        count(batch * down * across) {}
  Pixel first_pixel(int64_t tile) const {
    return {tile / (down * across), tile / across % down * kSide, tile % across * kSide};
  }
  // The rows of pixels, counted through the batch, in which tiles [tile, tile_end) are, each `side`
  // rows of an image of that height.
  Span rows(int64_t tile, int64_t tile_end, int64_t side, int64_t height) const {
    if (tile >= count) return {0, 0};
    const Pixel first = first_pixel(tile), last = first_pixel(smaller(tile_end, count) - 1);
    return {first.image * height + first.y, last.image * height + smaller(last.y + side, height)};
  }
};

// Memory that will be read or written soon, in two runs.
class LinesAhead {
 public:
  void add(const void* begin, const void* end) {
    runs_[count_++] = {static_cast<const char*>(begin), static_cast<const char*>(end)};
  }
  // What a tile of that depth asks for.
  Ahead take(int64_t depth) {
    while (at_ < count_ && runs_[at_].next >= runs_[at_].end) ++at_;
    if (at_ == count_) return {this};
    const Ahead lines = {runs_[at_].next, kCacheLine};
    runs_[at_].next += depth * kCacheLine;
    return lines;
  }

 private:
  struct Run {
    const char *next, *end;
  };
  Run runs_[2];
  int count_ = 0, at_ = 0;
};

// Whether that takes less time than the direct sum. A kernel that is kept transformed costs no
// transforms, but four times the memory traffic. `split`: the direct sum would be one of parts.
template <class S>
bool worth_winograd(const Patches<S>& of, int64_t batch, int64_t columns, const PydlPrepared* kept,
                    bool split) {
  using T = Compute<S>;
  const auto fits = [](const Axis& axis) {
    return axis.taps == kTaps && axis.stride == 1 && axis.dilation == 1;
  };
  if (!std::is_same_v<T, float> || !fits(of.height) || !fits(of.width)) return false;
  if (smaller(of.channels, columns) < Vec<T>::size) return false;
  const int64_t tiles = WinogradTiles(of.height, of.width, batch).count;
  const int64_t weights = of.channels * columns;
  const int64_t kernels = kept ? 0 : divide_up(tiles, kFewestTiles);  // transformed
  const int64_t transformed = tiles * (of.channels + columns) + weights * kernels;
  const int64_t read = kept ? kReadProducts : 0;
  const int64_t direct = weights * (of.rows(batch) + read) * kTaps * kTaps;
  return weights * (tiles + read) * kProducts + transformed * kTransformProducts <
         (split && !kept ? direct / 100 * kSplitPercent : direct);
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
