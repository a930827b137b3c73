// sort and argsort: values become integers in the same order, for argsort with their positions
// below, and those are sorted.
#include "cpu/simd/dtype.h"
#include "cpu/sort_keys.h"
#include "pydl/kernels/sort.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kTaskWork = 8192;  // elements worth a thread
constexpr int64_t kLongRow = 65536;  // elements of a row that several threads sort
constexpr int kMaxParts = 256;       // that such a row is cut into

// Keys of long rows are kept in the result's memory. Those of short ones are not, because there
// they would wait for cache lines.
template <class T, bool in_place>
struct ByValue {
  using E = Key<T>;
  const T* x;
  T* out;

  E* place(int64_t offset) const {
    return in_place ? reinterpret_cast<E*>(out + offset) : nullptr;
  }
  void read(int64_t offset, int64_t begin, int64_t end, E* keys) const {
    for (int64_t i = begin; i < end; ++i) keys[i] = to_key(x[offset + i]);
  }
  void write(int64_t offset, E* keys, int64_t count) const {
    for (int64_t i = 0; i < count; ++i) {
      const T value = from_key<T>(keys[i]);
      if constexpr (in_place) memcpy(keys + i, &value, sizeof value);
      else out[offset + i] = value;
    }
  }
};

template <class T>
struct ByPosition {
  using E = KeyAndPosition<T>;
  const T* x;
  int32_t* out;

  E* place(int64_t) const { return nullptr; }
  void read(int64_t offset, int64_t begin, int64_t end, E* keys) const {
    for (int64_t i = begin; i < end; ++i)
      keys[i] = with_position<T>(to_equal_key(x[offset + i]), i);
  }
  void write(int64_t offset, E* keys, int64_t count) const {
    for (int64_t i = 0; i < count; ++i) out[offset + i] = static_cast<int32_t>(keys[i]);
  }
};

template <class S>
PydlStatus sort_rows(const PydlContext* context, const S& s, int64_t rows, int64_t columns) {
  using E = typename S::E;
  PydlStatus status = PYDL_OK;
  parallel_for(context, rows, kTaskWork / columns + 1, [&](int64_t begin, int64_t end) {
    Scratch<E> own(context, s.place(0) ? 0 : columns);
    Scratch<E> spare(context, KeySort<E>::spare_size(columns));
    if (!own || !spare) return __atomic_store_n(&status, PYDL_ERROR_MEMORY, __ATOMIC_RELAXED);
    for (int64_t row = begin; row < end; ++row) {
      const int64_t offset = row * columns;
      E* const keys = s.place(0) ? s.place(offset) : own.data();
      s.read(offset, 0, columns, keys);
      KeySort<E>::sort(keys, spare.data(), columns, [&](E* part, int64_t count) {
        s.write(offset + (part - keys), part, count);
      });
    }
  });
  return status;
}

// Partitions until there are several parts for each thread, then sorts those.
template <class E, class Done>
void sort_by_parts(const PydlContext* context, E* x, E* spare, int64_t n, Done&& done) {
  using Sort = VectorSort<E>;
  int64_t bounds[kMaxParts + 1] = {0, n}, parts = 1;
  for (; parts < 4 * context->num_threads && parts < kMaxParts; parts *= 2) {
    for (int64_t part = parts; part > 0; --part) bounds[2 * part] = bounds[part];
    parallel_for(context, parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t part = 2 * begin; part < 2 * end; part += 2) {
        const int64_t first = bounds[part], size = bounds[part + 2] - first;
        bounds[part + 1] = first;
        if (size > Sort::kShort)
          bounds[part + 1] += Sort::partition(x + first, size, Sort::pivot_of(x + first, size));
      }
    });
  }
  parallel_for(context, parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part)
      Sort::sort(x + bounds[part], spare + bounds[part], bounds[part + 1] - bounds[part], done);
  });
}

template <class S>
PydlStatus sort_long_rows(const PydlContext* context, const S& s, int64_t rows, int64_t columns) {
  using E = typename S::E;
  Scratch<E> own(context, s.place(0) ? 0 : columns), spare(context, columns);
  if (!own || !spare) return PYDL_ERROR_MEMORY;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t offset = row * columns;
    E* const keys = s.place(0) ? s.place(offset) : own.data();
    parallel_for(context, columns, kTaskWork,
                 [&](int64_t begin, int64_t end) { s.read(offset, begin, end, keys); });
    sort_by_parts(context, keys, spare.data(), columns, [&](E* part, int64_t count) {
      s.write(offset + (part - keys), part, count);
    });
  }
  return PYDL_OK;
}

template <class S>
PydlStatus sort_with(const PydlContext* context, const S& s, int64_t rows, int64_t columns) {
  if (rows * columns == 0) return PYDL_OK;
  if constexpr (sizeof(typename S::E) <= 8)
    if (rows < context->num_threads && columns >= kLongRow)
      return sort_long_rows(context, s, rows, columns);
  return sort_rows(context, s, rows, columns);
}

}  // namespace

PydlStatus sort(const PydlContext* context, const PydlSortArgs* args) {
  const PydlDType dtype = args->dtype == PYDL_BOOL ? PYDL_UINT8 : args->dtype;
  return visit_number(context, "sort", dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* x = static_cast<const T*>(args->x);
    T* values = static_cast<T*>(args->values);
    const int64_t rows = args->rows, columns = args->columns;
    if (!values) return sort_with(context, ByPosition<T>{x, args->indices}, rows, columns);
    if constexpr (sizeof(Key<T>) == sizeof(T))
      if (columns >= kLongRow)
        return sort_with(context, ByValue<T, true>{x, values}, rows, columns);
    return sort_with(context, ByValue<T, false>{x, values}, rows, columns);
  });
}

}  // namespace pydl::cpu::PYDL_ISA
