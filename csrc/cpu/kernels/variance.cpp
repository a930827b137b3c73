// Variance: mean and squared distances from it per chunk, then chunks merged, so that nothing cancels
// however far the mean is from 0.
// Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
// variances", 1979.
#include "cpu/row_accumulator.h"
#include "cpu/simd/dtype.h"
#include "pydl/kernels/reduce.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kChunkRows = 32;  // rows per partial result of a column
constexpr int64_t kTile = 1024;     // columns that one task keeps in the cache

struct Moments {
  double count, mean, squares;  // squares: the sum of (x - mean)^2
};
Moments merge(const Moments& a, const Moments& b) {
  const double count = a.count + b.count, share = b.count / count, distance = b.mean - a.mean;
  return {count, a.mean + distance * share,
          a.squares + b.squares + distance * distance * a.count * share};
}

// Sums of x - center and of its square; the first corrects the rounding of the center.
template <class C>
Moments moments_around(const C* x, int64_t n, C center) {
  constexpr int kParts = 4;
  Vec<C> sums[kParts], squares[kParts];
  for (int k = 0; k < kParts; ++k) sums[k] = squares[k] = C{0};
  constexpr int64_t step = kParts * Vec<C>::size;
  int64_t i = 0;
  for (; i + step <= n; i += step)
    for (int k = 0; k < kParts; ++k) {
      const Vec<C> d = Vec<C>::load(x + i + k * Vec<C>::size) - center;
      sums[k] += d;
      squares[k] = fma(d, d, squares[k]);
    }
  double sum = reduce_add((sums[0] + sums[1]) + (sums[2] + sums[3]));
  double square = reduce_add((squares[0] + squares[1]) + (squares[2] + squares[3]));
  for (; i < n; ++i) {
    const C d = x[i] - center;
    sum += d;
    square += d * d;
  }
  const double count = static_cast<double>(n);
  return {count, center + sum / count, square - sum * sum / count};
}

template <class T>
Moments moments_of(const T* x, int64_t n) {
  using C = Compute<T>;
  C converted[kChunk];
  const C* values = converted;
  if constexpr (std::is_same_v<T, C>) {
    values = x;
  } else {
    int64_t i = 0;
    for (; i + Vec<C>::size <= n; i += Vec<C>::size) load(x + i).store(converted + i);
    for (; i < n; ++i) converted[i] = to_compute(x[i]);
  }
  const C mean = reduce_run<Sum<C>>(values, n) / static_cast<C>(n);
  return moments_around(values, n, mean);
}

template <class T>
T finished(double squares, double count) {
  return from_compute<T>(static_cast<Compute<T>>(squares / count));
}

template <class T>
PydlStatus along_rows(const PydlContext* context, const PydlVarianceArgs& a) {
  const int64_t chunks = (a.n + kChunk - 1) / kChunk;
  Scratch<Moments> partials(context, a.outer * chunks);
  if (!partials) return PYDL_ERROR_MEMORY;
  parallel_for(context, a.outer * chunks, kTaskWork / (a.n / chunks + 16) + 1,
               [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i % chunks * kChunk;
      const int64_t n = a.n - first < kChunk ? a.n - first : kChunk;
      partials[i] = moments_of(static_cast<const T*>(a.x) + i / chunks * a.n + first, n);
    }
  });
  for (int64_t row = 0; row < a.outer; ++row) {
    Moments* part = partials.data() + row * chunks;
    for (int64_t step = 1; step < chunks; step *= 2)
      for (int64_t i = 0; i + step < chunks; i += 2 * step) part[i] = merge(part[i], part[i + step]);
    static_cast<T*>(a.out)[row] = finished<T>(part[0].squares, part[0].count);
  }
  return PYDL_OK;
}

// Mean and squares of a tile of columns over a few rows, which stay in the cache for the second look.
template <class T>
void column_moments(const T* x, int64_t rows, int64_t stride, int64_t width, double* means,
                    double* squares) {
  using C = Compute<T>;
  C center[kTile], sum[kTile], square[kTile], converted[kTile];
  const auto row = [&](int64_t r) {
    if constexpr (std::is_same_v<T, C>) return x + r * stride;
    for (int64_t j = 0; j < width; ++j) converted[j] = to_compute(x[r * stride + j]);
    return reinterpret_cast<const C*>(converted);
  };
  for (int64_t j = 0; j < width; ++j) center[j] = sum[j] = square[j] = 0;
  for (int64_t r = 0; r < rows; ++r) {
    const C* values = row(r);
    for (int64_t j = 0; j < width; ++j) center[j] += values[j];
  }
  for (int64_t j = 0; j < width; ++j) center[j] /= static_cast<C>(rows);
  for (int64_t r = 0; r < rows; ++r) {
    const C* values = row(r);
    for (int64_t j = 0; j < width; ++j) {
      const C d = values[j] - center[j];
      sum[j] += d;
      square[j] += d * d;
    }
  }
  for (int64_t j = 0; j < width; ++j) {
    const double s = sum[j], n = static_cast<double>(rows);
    means[j] = center[j] + s / n;
    squares[j] = square[j] - s * s / n;
  }
}

template <class T>
PydlStatus along_columns(const PydlContext* context, const PydlVarianceArgs& a) {
  const int64_t chunks = (a.n + kChunkRows - 1) / kChunkRows, tiles = (a.inner + kTile - 1) / kTile;
  const int64_t results = a.outer * a.inner;
  Scratch<double> partials(context, 2 * chunks * results);
  if (!partials) return PYDL_ERROR_MEMORY;
  double *means = partials.data(), *squares = means + chunks * results;
  const auto chunk_rows = [&](int64_t chunk) {
    return a.n - chunk * kChunkRows < kChunkRows ? a.n - chunk * kChunkRows : kChunkRows;
  };
  parallel_for(context, a.outer * chunks * tiles, kTaskWork / (kChunkRows * (a.inner / tiles)) + 1,
               [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t tile = i % tiles * kTile, chunk = i / tiles % chunks, outer = i / tiles / chunks;
      const int64_t to = chunk * results + outer * a.inner + tile;
      column_moments(
          static_cast<const T*>(a.x) + (outer * a.n + chunk * kChunkRows) * a.inner + tile,
          chunk_rows(chunk), a.inner, a.inner - tile < kTile ? a.inner - tile : kTile, means + to,
          squares + to);
    }
  });
  parallel_for(context, results, kTaskWork / (4 * chunks) + 1, [&](int64_t begin, int64_t end) {
    double count = static_cast<double>(chunk_rows(0));
    for (int64_t chunk = 1; chunk < chunks; ++chunk) {
      const double more = static_cast<double>(chunk_rows(chunk)), share = more / (count + more);
      const double *mean = means + chunk * results, *square = squares + chunk * results;
      for (int64_t j = begin; j < end; ++j) {
        const double distance = mean[j] - means[j];
        means[j] += distance * share;
        squares[j] += square[j] + distance * distance * count * share;
      }
      count += more;
    }
    for (int64_t j = begin; j < end; ++j) static_cast<T*>(a.out)[j] = finished<T>(squares[j], count);
  });
  return PYDL_OK;
}

}  // namespace

PydlStatus variance(const PydlContext* context, const PydlVarianceArgs* args) {
  return visit_floating(context, "var", args->dtype, [&](auto zero) {
    using T = decltype(zero);
    return args->inner > 1 ? along_columns<T>(context, *args) : along_rows<T>(context, *args);
  });
}

}  // namespace pydl::cpu::PYDL_ISA
