// log(sum(exp(x))) of each row, shifted by the largest element so that nothing overflows.
#include "cpu/row_accumulator.h"
#include "cpu/simd/dtype.h"
#include "pydl/kernels/reduce.h"
#include "cpu/simd/math.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// sum = sum(exp(x - shift(largest)))
template <class C>
struct Partial {
  C largest, sum;
};
template <class C>
C shift(C largest) {
  return largest - largest == 0 ? largest : C{0};  // infinities and NaN speak for themselves
}

template <class T>
Partial<Compute<T>> partial_of(const T* x, int64_t n) {
  using C = Compute<T>;
  using V = Vec<C>;
  const C largest = reduce_run<Max<C>>(x, n);
  const V center = shift(largest);
  V low = C{0}, high = C{0};
  int64_t i = 0;
  for (; i + 2 * V::size <= n; i += 2 * V::size) {
    low += exp(load(x + i) - center);
    high += exp(load(x + i + V::size) - center);
  }
  for (; i < n; i += V::size) {
    const int rest = n - i < V::size ? static_cast<int>(n - i) : V::size;
    C padded[V::size];
    for (int j = 0; j < V::size; ++j) padded[j] = j < rest ? to_compute(x[i + j]) : -INFINITY;
    low += exp(V::load(padded) - center);
  }
  return {largest, reduce_add(low + high)};
}

template <class T>
PydlStatus logsumexp_as(const PydlContext* context, const PydlLogSumExpArgs& a) {
  using C = Compute<T>;
  const int64_t chunks = (a.columns + kChunk - 1) / kChunk;
  Scratch<Partial<C>> partials(context, chunks == 1 ? 0 : a.rows * chunks);
  if (!partials) return PYDL_ERROR_MEMORY;
  T* out = static_cast<T*>(a.out);
  const auto finish = [](const Partial<C>& p) {
    return from_compute<T>(shift(p.largest) + log(Vec<C>(p.sum))[0]);
  };
  parallel_for(context, a.rows * chunks, kTaskWork / 4 / (a.columns / chunks + 16) + 1,
               [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i % chunks * kChunk;
      const int64_t n = a.columns - first < kChunk ? a.columns - first : kChunk;
      const auto p = partial_of(static_cast<const T*>(a.x) + i / chunks * a.columns + first, n);
      if (chunks == 1) out[i] = finish(p);
      else partials[i] = p;
    }
  });
  if (chunks == 1) return PYDL_OK;
  for (int64_t row = 0; row < a.rows; ++row) {
    const Partial<C>* part = partials.data() + row * chunks;
    C largest = part[0].largest, sum = 0;
    for (int64_t i = 1; i < chunks; ++i)
      if (part[i].largest > largest) largest = part[i].largest;
    for (int64_t i = 0; i < chunks; ++i)
      if (part[i].sum != 0)
        sum += part[i].sum * exp(Vec<C>(shift(part[i].largest) - shift(largest)))[0];
    out[row] = finish({largest, sum});
  }
  return PYDL_OK;
}

}  // namespace

PydlStatus logsumexp(const PydlContext* context, const PydlLogSumExpArgs* args) {
  return visit_floating(context, "logsumexp", args->dtype, [&](auto zero) {
    return logsumexp_as<decltype(zero)>(context, *args);
  });
}

}  // namespace pydl::cpu::PYDL_ISA
