// Softmax and log-softmax over rows. A row is read three times, from cache after the first.
#include <math.h>

#include "cpu/simd/dtype.h"
#include "cpu/simd/math.h"
#include "pydl/kernels/softmax.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kGrain = 4096;  // elements that make a thread worth waking

// Calls body(i, lanes) for every vector of a row of n elements; only the last has fewer lanes.
template <class T, class Body>
inline void for_each_vector(int64_t n, Body&& body) {
  constexpr int size = Vec<T>::size;
  int64_t i = 0;
  for (; i + size <= n; i += size) body(i, size);
  if (i < n) body(i, static_cast<int>(n - i));
}

template <class T>
inline Vec<Compute<T>> load_lanes(const T* p, int lanes, Compute<T> filler) {
  using C = Compute<T>;
  if (lanes == Vec<C>::size) return load(p);
  return select(first_lanes<C>(lanes), load(p, lanes), filler);
}
template <class T>
inline void store_lanes(Vec<Compute<T>> v, T* p, int lanes) {
  if (lanes == Vec<Compute<T>>::size) {
    store(v, p);
  } else {
    store(v, p, lanes);
  }
}

template <class T>
inline Compute<T> row_max(const T* x, int64_t n) {
  using C = Compute<T>;
  Vec<C> top(static_cast<C>(-INFINITY));
  for_each_vector<C>(n, [&](int64_t i, int lanes) {
    const Vec<C> v = load_lanes(x + i, lanes, static_cast<C>(-INFINITY));
    top = select(v > top, v, top);  // passes over NaN, which the sum of exponentials finds
  });
  return reduce_max(top);
}

template <class T>
void softmax_row(const T* x, T* y, int64_t n) {
  using C = Compute<T>;
  constexpr bool keeps = std::is_same_v<T, C>;  // 16-bit floats would round the exponentials
  const C largest = row_max(x, n);
  const Vec<C> top(largest);
  Vec<C> sums(0);
  for_each_vector<C>(n, [&](int64_t i, int lanes) {
    // Not -inf: its exponential is denormal before it is 0, which takes CPUs hundreds of cycles.
    const Vec<C> e = exp(load_lanes(x + i, lanes, largest) - top);
    sums += lanes == Vec<C>::size ? e : select(first_lanes<C>(lanes), e, 0);
    if constexpr (keeps) store_lanes(e, y + i, lanes);
  });
  const Vec<C> factor(C{1} / reduce_add(sums));
  for_each_vector<C>(n, [&](int64_t i, int lanes) {
    if constexpr (keeps) {
      store_lanes(load_lanes(y + i, lanes, C{0}) * factor, y + i, lanes);
    } else {
      store_lanes(exp(load_lanes(x + i, lanes, C{0}) - top) * factor, y + i, lanes);
    }
  });
}

template <class T>
void log_softmax_row(const T* x, T* y, int64_t n) {
  using C = Compute<T>;
  const C largest = row_max(x, n);
  const Vec<C> top(largest);
  Vec<C> sums(0);
  for_each_vector<C>(n, [&](int64_t i, int lanes) {
    const Vec<C> e = exp(load_lanes(x + i, lanes, largest) - top);
    sums += lanes == Vec<C>::size ? e : select(first_lanes<C>(lanes), e, 0);
  });
  const Vec<C> log_sum = log(Vec<C>(reduce_add(sums)));
  for_each_vector<C>(n, [&](int64_t i, int lanes) {
    store_lanes(load_lanes(x + i, lanes, C{0}) - top - log_sum, y + i, lanes);
  });
}

// dx = y (dy - sum(y dy))
template <class T>
void softmax_backward_row(const T* y, const T* dy, T* dx, int64_t n) {
  using C = Compute<T>;
  Vec<C> sums(0);
  for_each_vector<C>(n, [&](int64_t i, int lanes) {
    sums = fma(load_lanes(y + i, lanes, C{0}), load_lanes(dy + i, lanes, C{0}), sums);
  });
  const Vec<C> dot(reduce_add(sums));
  for_each_vector<C>(n, [&](int64_t i, int lanes) {
    const Vec<C> d = load_lanes(dy + i, lanes, C{0}) - dot;
    store_lanes(load_lanes(y + i, lanes, C{0}) * d, dx + i, lanes);
  });
}

// dx = dy - exp(y) sum(dy)
template <class T>
void log_softmax_backward_row(const T* y, const T* dy, T* dx, int64_t n) {
  using C = Compute<T>;
  Vec<C> sums(0);
  for_each_vector<C>(n, [&](int64_t i, int lanes) { sums += load_lanes(dy + i, lanes, C{0}); });
  const Vec<C> total(reduce_add(sums));
  for_each_vector<C>(n, [&](int64_t i, int lanes) {
    const Vec<C> p = exp(load_lanes(y + i, lanes, C{0}));
    store_lanes(load_lanes(dy + i, lanes, C{0}) - p * total, dx + i, lanes);
  });
}

template <class Row>
void for_each_row(const PydlContext* context, int64_t rows, int64_t columns, Row&& row) {
  if (columns == 0) return;
  parallel_for(context, rows, 1 + kGrain / columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) row(r * columns);
  });
}

}  // namespace

PydlStatus softmax_forward(const PydlContext* context, const PydlSoftmaxArgs* args) {
  return visit_floating(context, "softmax", args->dtype, [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    const T* x = static_cast<const T*>(args->x);
    T* y = static_cast<T*>(args->y);
    const auto kernel = args->log ? log_softmax_row<T> : softmax_row<T>;
    for_each_row(context, args->rows, args->columns,
                 [&](int64_t i) { kernel(x + i, y + i, args->columns); });
    return PYDL_OK;
  });
}

PydlStatus softmax_backward(const PydlContext* context, const PydlSoftmaxBackwardArgs* args) {
  return visit_floating(context, "softmax", args->dtype, [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    const T* y = static_cast<const T*>(args->y);
    const T* dy = static_cast<const T*>(args->dy);
    T* dx = static_cast<T*>(args->dx);
    const auto kernel = args->log ? log_softmax_backward_row<T> : softmax_backward_row<T>;
    for_each_row(context, args->rows, args->columns,
                 [&](int64_t i) { kernel(y + i, dy + i, dx + i, args->columns); });
    return PYDL_OK;
  });
}

}  // namespace pydl::cpu::PYDL_ISA
