// sort and argsort: values become unsigned keys in the same order, for argsort with their positions
// below, and a radix sort sorts those.
#include "cpu/simd/dtype.h"
#include "cpu/sort_keys.h"
#include "pydl/kernels/sort.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kTaskWork = 16384;  // elements worth a thread

template <class T>
struct ByValue {
  using E = Key<T>;
  using Order = Sorter<E, sizeof(T)>;
  static constexpr Order order = {0};
  const T* x;
  T* out;

  void read(int64_t offset, int64_t begin, int64_t end, E* keys) const {
    for (int64_t i = begin; i < end; ++i) keys[i] = to_key(x[offset + i]);
  }
  void write(int64_t offset, int64_t begin, int64_t end, const E* keys) const {
    for (int64_t i = begin; i < end; ++i) out[offset + i] = from_key<T>(keys[i]);
  }
};

template <class T>
struct ByPosition {
  using E = KeyAndPosition<T>;
  using Order = Sorter<E, sizeof(T)>;
  static constexpr Order order = {32};
  const T* x;
  int32_t* out;

  void read(int64_t offset, int64_t begin, int64_t end, E* keys) const {
    for (int64_t i = begin; i < end; ++i)
      keys[i] = with_position<T>(to_equal_key(x[offset + i]), static_cast<uint32_t>(i));
  }
  void write(int64_t offset, int64_t begin, int64_t end, const E* keys) const {
    for (int64_t i = begin; i < end; ++i) out[offset + i] = static_cast<int32_t>(keys[i]);
  }
};

template <class S>
PydlStatus sort_rows(const PydlContext* context, const S& s, int64_t rows, int64_t columns) {
  using E = typename S::E;
  PydlStatus status = PYDL_OK;
  parallel_for(context, rows, kTaskWork / columns + 1, [&](int64_t begin, int64_t end) {
    Scratch<E> keys(context, 2 * columns);
    Scratch<uint32_t> counts(context, S::Order::counts(columns, 1));
    if (!keys || !counts) return __atomic_store_n(&status, PYDL_ERROR_MEMORY, __ATOMIC_RELAXED);
    for (int64_t row = begin; row < end; ++row) {
      s.read(row * columns, 0, columns, keys.data());
      const E* sorted = S::order.run(keys.data(), keys.data() + columns, columns, counts.data());
      s.write(row * columns, 0, columns, sorted);
    }
  });
  return status;
}

template <class S>
PydlStatus sort_long_rows(const PydlContext* context, const S& s, int64_t rows, int64_t columns) {
  using E = typename S::E;
  Scratch<E> keys(context, 2 * columns);
  Scratch<uint32_t> counts(context, S::Order::counts(columns, context->num_threads));
  if (!keys || !counts) return PYDL_ERROR_MEMORY;
  for (int64_t row = 0; row < rows; ++row) {
    parallel_for(context, columns, kTaskWork, [&](int64_t begin, int64_t end) {
      s.read(row * columns, begin, end, keys.data());
    });
    const E* sorted = S::order.run_parallel(context, keys.data(), keys.data() + columns, columns,
                                            counts.data());
    parallel_for(context, columns, kTaskWork, [&](int64_t begin, int64_t end) {
      s.write(row * columns, begin, end, sorted);
    });
  }
  return PYDL_OK;
}

template <class S>
PydlStatus sort_with(const PydlContext* context, const S& s, int64_t rows, int64_t columns) {
  if (rows * columns == 0) return PYDL_OK;
  if (rows < context->num_threads && columns >= kParallelSort)
    return sort_long_rows(context, s, rows, columns);
  return sort_rows(context, s, rows, columns);
}

}  // namespace

PydlStatus sort(const PydlContext* context, const PydlSortArgs* args) {
  const PydlDType dtype = args->dtype == PYDL_BOOL ? PYDL_UINT8 : args->dtype;
  return visit_number(context, "sort", dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* x = static_cast<const T*>(args->x);
    if (args->values)
      return sort_with(context, ByValue<T>{x, static_cast<T*>(args->values)}, args->rows,
                       args->columns);
    return sort_with(context, ByPosition<T>{x, args->indices}, args->rows, args->columns);
  });
}

}  // namespace pydl::cpu::PYDL_ISA
