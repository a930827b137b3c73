// The variance of each row: mean and squared distances from it per chunk, then chunks merged two by
// two, so that nothing cancels however far the mean is from 0.
// Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
// variances", 1979.
#include "cpu/row_accumulator.h"
#include "cpu/simd/dtype.h"
#include "pydl/kernels/reduce.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

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
PydlStatus variance_as(const PydlContext* context, const PydlRowStatisticArgs& a) {
  const int64_t chunks = (a.columns + kChunk - 1) / kChunk;
  Scratch<Moments> partials(context, chunks == 1 ? 0 : a.rows * chunks);
  if (!partials) return PYDL_ERROR_MEMORY;
  T* out = static_cast<T*>(a.out);
  const auto finish = [](const Moments& m) {
    return from_compute<T>(static_cast<Compute<T>>(m.squares / m.count));
  };
  parallel_for(context, a.rows * chunks, kTaskWork / (a.columns / chunks + 16) + 1,
               [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i % chunks * kChunk;
      const int64_t n = a.columns - first < kChunk ? a.columns - first : kChunk;
      const Moments m = moments_of(static_cast<const T*>(a.x) + i / chunks * a.columns + first, n);
      if (chunks == 1) out[i] = finish(m);
      else partials[i] = m;
    }
  });
  if (chunks == 1) return PYDL_OK;
  for (int64_t row = 0; row < a.rows; ++row) {
    Moments* part = partials.data() + row * chunks;
    for (int64_t step = 1; step < chunks; step *= 2)
      for (int64_t i = 0; i + step < chunks; i += 2 * step) part[i] = merge(part[i], part[i + step]);
    out[row] = finish(part[0]);
  }
  return PYDL_OK;
}

}  // namespace

PydlStatus variance(const PydlContext* context, const PydlRowStatisticArgs* args) {
  return visit_floating(context, "var", args->dtype, [&](auto zero) {
    return variance_as<decltype(zero)>(context, *args);
  });
}

}  // namespace pydl::cpu::PYDL_ISA
