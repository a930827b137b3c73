// Reading, writing and summing whole rows at given positions: embeddings and their gradients.
#include "cuda/device/rows.cuh"
#include "cuda/device/segments.cuh"
#include "cuda/memory.h"
#include "pydl/cuda/vector.cuh"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/indexing.h"

namespace pydl::cuda {
namespace {

using Word = unsigned long long;  // what 64-bit atomics take

// Rows of an (outer, extent, columns) array, at the places that `indices` names, beside those of a
// dense (outer, count, columns) one.
template <class V>
struct IndexedRows {
  int64_t rows, count, extent, columns;  // rows = outer * count
  const int64_t* indices;

  // Where a row is, by the position j of its index.
  __device__ int64_t place(int64_t row, int64_t& j) const {
    const int64_t outer = divide(row, count, j);
    return (outer * extent + indices[j]) * columns;
  }
};

template <class V>
__global__ void __launch_bounds__(kRowThreads) take_kernel(IndexedRows<V> at, const V* x, V* out) {
  for (int64_t row = first_row(); row < at.rows; row += row_step()) {
    int64_t j;
    const V* from = x + at.place(row, j);
    for (int64_t c = first_column(); c < at.columns; c += column_step())
      out[row * at.columns + c] = from[c];
  }
}

// last[e] = one more than the last position at which e is found.
__global__ void __launch_bounds__(kThreads)
    last_kernel(int64_t count, const int64_t* indices, Word* last) {
  for (int64_t j = first_element(); j < count; j += element_step())
    atomicMax(last + indices[j], static_cast<Word>(j + 1));
}

template <class V>
__global__ void __launch_bounds__(kRowThreads)
    put_kernel(IndexedRows<V> at, const Word* last, const V* values, V* out) {
  for (int64_t row = first_row(); row < at.rows; row += row_step()) {
    int64_t j;
    V* to = out + at.place(row, j);
    if (last && last[at.indices[j]] != static_cast<Word>(j + 1)) continue;
    for (int64_t c = first_column(); c < at.columns; c += column_step())
      to[c] = values[row * at.columns + c];
  }
}

// The widest type that rows of `bytes` between a and b can be moved by.
template <class Visitor>
PydlStatus visit_unit(const void* a, const void* b, int64_t bytes, Visitor&& visitor) {
  const auto fits = [&](int unit) {
    return bytes % unit == 0 && is_aligned(a, unit) && is_aligned(b, unit);
  };
  if (fits(16)) return visitor(uint4{});
  if (fits(8)) return visitor(uint64_t{});
  if (fits(4)) return visitor(uint32_t{});
  if (fits(2)) return visitor(uint16_t{});
  return visitor(uint8_t{});
}

template <class V, class Args>
IndexedRows<V> indexed_rows(const Args& args) {
  const auto columns = args.inner * args.item_size / static_cast<int64_t>(sizeof(V));
  return {args.outer * args.count, args.count, args.extent, columns, args.indices};
}

// Each thread adds up some columns of one row of dx, over the rows of dy that belong to it.
template <int kWidth, class T>
__global__ void __launch_bounds__(kRowThreads, 2)
    sum_rows_kernel(IndexedRows<T> at, int64_t dx_rows, const int64_t* starts, const int32_t* order,
                    const T* dy, T* dx) {
  using C = Compute<T>;
  for (int64_t row = first_row(); row < dx_rows; row += row_step()) {
    int64_t e;
    const T* slice = dy + divide(row, at.extent, e) * at.count * at.columns;
    const int64_t begin = starts[e], end = starts[e + 1];
    for (int64_t c = kWidth * first_column(); c < at.columns; c += kWidth * column_step()) {
      C sums[kWidth] = {};
      T values[kWidth];
      for (int64_t h = begin; h < end; ++h) {
        load_pack<kWidth>(slice + order[h] * at.columns + c, values);
#pragma unroll
        for (int k = 0; k < kWidth; ++k) sums[k] += to_compute(values[k]);
      }
#pragma unroll
      for (int k = 0; k < kWidth; ++k) values[k] = from_compute<T>(sums[k]);
      store_pack<kWidth>(values, dx + row * at.columns + c);
    }
  }
}

template <int kWidth, class T>
PydlStatus sum_rows(const PydlContext* context, const PydlTakeBackwardArgs& args,
                    const int64_t* starts, const int32_t* order) {
  const int64_t rows = args.outer * args.extent;
  const IndexedRows<T> at = {args.outer * args.count, args.count, args.extent, args.inner,
                             args.indices};
  return launch_rows(context, rows, args.inner / kWidth, sum_rows_kernel<kWidth, T>, at, rows,
                     starts, order, static_cast<const T*>(args.dy), static_cast<T*>(args.dx));
}

}  // namespace

PydlStatus take(const PydlContext* context, const PydlTakeArgs* args) {
  const int64_t rows = args->outer * args->count, bytes = args->inner * args->item_size;
  if (rows * bytes == 0) return PYDL_OK;
  return visit_unit(args->x, args->out, bytes, [&](auto zero) {
    using V = decltype(zero);
    const auto at = indexed_rows<V>(*args);
    return launch_rows(context, rows, at.columns, take_kernel<V>, at,
                       static_cast<const V*>(args->x), static_cast<V*>(args->out));
  });
}

PydlStatus take_backward(const PydlContext* context, const PydlTakeBackwardArgs* args) {
  if (args->outer * args->extent * args->inner == 0) return PYDL_OK;
  if (args->count == 0) {
    const int64_t bytes = args->outer * args->extent * args->inner * bits_of(args->dtype) / 8;
    return fill_with_zeros(context, args->dx, bytes);
  }
  Segments segments(context, args->count);
  const Scratch<int64_t> starts(context, args->extent + 1);
  if (!segments || !starts) return PYDL_ERROR_MEMORY;
  PydlStatus status = segments.sort(args->indices, args->extent);
  if (status != PYDL_OK) return status;
  status = launch_elements(context, args->extent + 1, segment_starts_kernel, args->count,
                           args->extent, segments.targets(), starts.data());
  if (status != PYDL_OK) return status;
  return visit_floating(context, "take_backward", args->dtype, [&](auto zero) {
    using T = decltype(zero);
    constexpr int kWidth = kVectorBytes / sizeof(T);
    const bool packs = args->inner % kWidth == 0 && is_aligned(args->dy) && is_aligned(args->dx);
    return packs ? sum_rows<kWidth, T>(context, *args, starts.data(), segments.order())
                 : sum_rows<1, T>(context, *args, starts.data(), segments.order());
  });
}

PydlStatus put(const PydlContext* context, const PydlPutArgs* args) {
  const int64_t rows = args->outer * args->count, bytes = args->inner * args->item_size;
  if (rows * bytes == 0) return PYDL_OK;
  // Of equal indices the last one wins.
  const bool may_meet = args->count > 1;
  const Scratch<Word> last(context, may_meet ? args->extent : 1);
  if (!last) return PYDL_ERROR_MEMORY;
  if (may_meet) {
    PydlStatus status = fill_with_zeros(context, last.data(), args->extent * sizeof(Word));
    if (status != PYDL_OK) return status;
    status =
        launch_elements(context, args->count, last_kernel, args->count, args->indices, last.data());
    if (status != PYDL_OK) return status;
  }
  return visit_unit(args->values, args->out, bytes, [&](auto zero) {
    using V = decltype(zero);
    const auto at = indexed_rows<V>(*args);
    return launch_rows(context, rows, at.columns, put_kernel<V>, at,
                       static_cast<const Word*>(may_meet ? last.data() : nullptr),
                       static_cast<const V*>(args->values), static_cast<V*>(args->out));
  });
}

}  // namespace pydl::cuda
