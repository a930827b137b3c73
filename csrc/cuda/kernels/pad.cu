// Padding: a row of the output is one end, a row of x and the other end.
#include "cuda/device/rows.cuh"
#include "pydl/cuda/grid.cuh"
#include "pydl/cuda/vector.cuh"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/indexing.h"

namespace pydl::cuda {
namespace {

// As in PydlPadArgs, with the block counted in units of what is moved at a time.
struct Padding {
  int32_t rank;
  int64_t block, rows;
  int64_t x_shape[PYDL_MAX_RANK], before[PYDL_MAX_RANK], after[PYDL_MAX_RANK];
  const int64_t* ends[PYDL_MAX_RANK];

  __host__ __device__ int64_t extent(int d) const { return before[d] + x_shape[d] + after[d]; }

  // The entry of axis d of x that an entry of the output comes from, or -1.
  __device__ int64_t source_of(int d, int64_t at) const {
    const int64_t inside = at - before[d];
    if (inside >= 0 && inside < x_shape[d]) return inside;
    if (!ends[d]) return -1;
    return ends[d][inside < 0 ? at : at - x_shape[d]];
  }

  // The row of x that a row of the output comes from, or -1. Rows run along the last axis.
  __device__ int64_t source_row(int64_t row) const {
    int64_t source = 0, step = 1;
    for (int d = rank - 2; d >= 0; --d) {
      int64_t place;
      row = divide(row, extent(d), place);
      const int64_t at = source_of(d, place);
      if (at < 0) return -1;
      source += at * step;
      step *= x_shape[d];
    }
    return source;
  }
};

template <class V>
__global__ void __launch_bounds__(kRowThreads)
    pad_kernel(const __grid_constant__ Padding padding, const V* x, V* out, V value) {
  const int last = padding.rank - 1;
  const int64_t block = padding.block, columns = padding.extent(last) * block;
  const int64_t begin = padding.before[last] * block, size = padding.x_shape[last] * block;
  for (int64_t row = first_row(); row < padding.rows; row += row_step()) {
    const int64_t source = padding.source_row(row);
    const V* from = x + source * size;
    for (int64_t c = first_column(); c < columns; c += column_step()) {
      int64_t place = source < 0 ? -1 : c - begin;  // in the row of x
      if (source >= 0 && (place < 0 || place >= size)) {
        int64_t rest;
        const int64_t entry = padding.source_of(last, divide(c, block, rest));
        place = entry < 0 ? -1 : entry * block + rest;
      }
      out[row * columns + c] = place < 0 ? value : from[place];
    }
  }
}

// Numbers on their way to the device as parameters of a launch, which can be captured.
struct NumberList {
  static constexpr int kMost = 400;
  int64_t numbers[kMost];
};

__global__ void __launch_bounds__(kThreads)
    store_numbers_kernel(const __grid_constant__ NumberList list, int count, int64_t* to) {
  for (int i = static_cast<int>(threadIdx.x); i < count; i += kThreads) to[i] = list.numbers[i];
}

PydlStatus store_numbers(const PydlContext* context, const int64_t* from, int64_t count,
                         int64_t* to) {
  NumberList list = {};
  for (int64_t begin = 0; begin < count; begin += NumberList::kMost) {
    const int size =
        static_cast<int>(count - begin < NumberList::kMost ? count - begin : NumberList::kMost);
    memcpy(list.numbers, from + begin, size * sizeof(int64_t));
    const PydlStatus status =
        launch(context, dim3(1), dim3(kThreads), 0, store_numbers_kernel, list, size, to + begin);
    if (status != PYDL_OK) return status;
  }
  return PYDL_OK;
}

template <class V>
PydlStatus pad_as(const PydlContext* context, const PydlPadArgs& args, Padding padding) {
  padding.block = args.block * args.item_size / static_cast<int64_t>(sizeof(V));
  V value;
  for (size_t i = 0; i < sizeof(V); i += args.item_size)
    memcpy(reinterpret_cast<char*>(&value) + i, &args.value, args.item_size);
  return launch_rows(context, padding.rows, padding.extent(padding.rank - 1) * padding.block,
                     pad_kernel<V>, padding, static_cast<const V*>(args.x),
                     static_cast<V*>(args.out), value);
}

}  // namespace

PydlStatus pad(const PydlContext* context, const PydlPadArgs* args) {
  Padding padding = {args->rank, 0, 1, {}, {}, {}, {}};
  int64_t end_count = 0;
  for (int d = 0; d < args->rank; ++d) {
    padding.x_shape[d] = args->x_shape[d];
    padding.before[d] = args->before[d];
    padding.after[d] = args->after[d];
    if (d < args->rank - 1) padding.rows *= padding.extent(d);
    if (args->ends[d]) end_count += args->before[d] + args->after[d];
  }
  const Scratch<int64_t> ends(context, end_count + 1);
  if (!ends) return PYDL_ERROR_MEMORY;
  int64_t* to = ends.data();
  for (int d = 0; d < args->rank; ++d) {
    if (!args->ends[d]) continue;
    const int64_t count = args->before[d] + args->after[d];
    const PydlStatus status = store_numbers(context, args->ends[d], count, to);
    if (status != PYDL_OK) return status;
    padding.ends[d] = to;
    to += count;
  }
  const bool packs = args->block * args->item_size % kVectorBytes == 0 && is_aligned(args->x) &&
                     is_aligned(args->out);
  if (packs) return pad_as<uint4>(context, *args, padding);
  return visit_item_size(context, "pad", args->item_size, [&](auto zero) {
    return pad_as<decltype(zero)>(context, *args, padding);
  });
}

}  // namespace pydl::cuda
