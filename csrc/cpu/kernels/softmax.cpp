// Softmax and log-softmax over rows. A row is read three times, from cache after the first.
#include "cpu/lanes.h"
#include "cpu/softmax_rows.h"
#include "pydl/kernels/softmax.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kGrain = 4096;  // elements that make a thread worth waking

template <class T>
void softmax_row(const T* x, T* y, int64_t n) {
  using C = Compute<T>;
  using V = Vec<C>;
  constexpr bool keeps = std::is_same_v<T, C>;  // 16-bit floats would round the exponentials
  const C largest = row_max(x, n);
  const C sum = sum_exponentials(x, n, largest, [&](int64_t i, V e) {
    if constexpr (keeps) Lanes<T>(y, i, n).set(e);
  });
  const V factor(C{1} / sum);
  for (int64_t i = 0; i < n; i += V::size) {
    const Lanes<T> from(keeps ? y : x, i, n);
    Lanes<T>(y, i, n).set((keeps ? from.get() : exp(from.get() - V(largest))) * factor);
  }
}

template <class T>
void log_softmax_row(const T* x, T* y, int64_t n) {
  using V = Vec<Compute<T>>;
  const V top(row_max(x, n));
  const V log_sum = log(V(sum_exponentials(x, n, top[0], [](int64_t, V) {})));
  for (int64_t i = 0; i < n; i += V::size)
    Lanes<T>(y, i, n).set(Lanes<T>(x, i, n).get() - top - log_sum);
}

// The sum over a row of term(i), whose lanes past n must be 0.
template <class V, class Term>
auto sum_row(int64_t n, Term&& term) {
  V even(0), odd(0);
  int64_t i = 0;
  for (; i + V::size < n; i += 2 * V::size) {
    even += term(i);
    odd += term(i + V::size);
  }
  if (i < n) even += term(i);
  return reduce_add(even + odd);
}

// dx = y (dy - sum(y dy))
template <class T>
void softmax_backward_row(const T* y, const T* dy, T* dx, int64_t n) {
  using V = Vec<Compute<T>>;
  const V dot(sum_row<V>(n, [&](int64_t i) {
    return ahead(y, i, n).get() * ahead(dy, i, n).get();
  }));
  for (int64_t i = 0; i < n; i += V::size)
    Lanes<T>(dx, i, n).set(Lanes<T>(y, i, n).get() * (Lanes<T>(dy, i, n).get() - dot));
}

// dx = dy - exp(y) sum(dy)
template <class T>
void log_softmax_backward_row(const T* y, const T* dy, T* dx, int64_t n) {
  using V = Vec<Compute<T>>;
  const V total(sum_row<V>(n, [&](int64_t i) { return ahead(dy, i, n).get(); }));
  for (int64_t i = 0; i < n; i += V::size) {
    const V p = exp(ahead(y, i, n).get());
    Lanes<T>(dx, i, n).set(Lanes<T>(dy, i, n).get() - p * total);
  }
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
