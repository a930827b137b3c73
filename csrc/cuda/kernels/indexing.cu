// Positions from index arrays and masks, and what is read and written at single positions.
#include "cuda/device/block_scan.cuh"
#include "cuda/device/error.cuh"
#include "cuda/device/rows.cuh"
#include "cuda/device/segments.cuh"
#include "cuda/memory.h"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/indexing.h"

namespace pydl::cuda {
namespace {

// One index of one operand, in [0, extent); 0 for one that is out of range.
__device__ int64_t checked_index(const PydlRavelIndexArgs& args, int operand, int64_t offset,
                                 ErrorSink errors) {
  const void* indices = args.indices[operand];
  const int64_t extent = args.extents[operand];
  const int64_t index = args.dtypes[operand] == PYDL_INT32
                            ? static_cast<const int32_t*>(indices)[offset]
                            : static_cast<const int64_t*>(indices)[offset];
  if (index >= 0 && index < extent) return index;
  if (!args.wrap) {
    report_index_error(errors, index, extent, args.axes[operand]);
    return 0;
  }
  if (index < 0 && index >= -extent) return index + extent;
  report_signed_index_error(errors, index, extent, args.axes[operand]);
  return 0;
}

__global__ void __launch_bounds__(kThreads)
    ravel_index_kernel(const __grid_constant__ PydlRavelIndexArgs args, int64_t count,
                       ErrorSink errors) {
  for (int64_t i = first_element(); i < count; i += element_step()) {
    int64_t place = 0;
    for (int operand = 0; operand < args.operands; ++operand) {
      int64_t rest = i, offset = 0;
      for (int d = args.rank - 1; d > 0; --d) {
        int64_t position;
        rest = divide(rest, args.shape[d], position);
        offset += position * args.strides[operand][d];
      }
      if (args.rank > 0) offset += rest * args.strides[operand][0];
      place = place * args.extents[operand] + checked_index(args, operand, offset, errors);
    }
    args.out[i] = place;
  }
}

// No index is in range, so that there is nothing for later kernels to read: this fails at once.
PydlStatus fail_empty_axis(const PydlContext* context, const PydlRavelIndexArgs& args,
                           int operand) {
  int32_t narrow = 0;
  int64_t index = 0;
  const bool is_narrow = args.dtypes[operand] == PYDL_INT32;
  const PydlStatus status = read_back(context, args.indices[operand], is_narrow ? 4 : 8,
                                      is_narrow ? static_cast<void*>(&narrow) : &index);
  if (status != PYDL_OK) return status;
  char message[96];
  snprintf(message, sizeof message, "expected indices in [0, 0) for axis %d of extent 0, got %lld",
           static_cast<int>(args.axes[operand]), static_cast<long long>(index + narrow));
  return context->fail(context, PYDL_ERROR_INDEX, message);
}

// The true elements of a chunk are counted, and then numbered, by one block.
constexpr int kShare = 16;  // consecutive elements of a thread
constexpr int kChunk = kThreads * kShare;
constexpr int kScanThreads = 1024;

__device__ int64_t share_begin() { return int64_t{blockIdx.x} * kChunk + threadIdx.x * kShare; }

__device__ uint32_t count_share(const uint8_t* mask, int64_t count) {
  uint32_t total = 0;
  for (int64_t i = share_begin(); i < share_begin() + kShare && i < count; ++i)
    total += mask[i] != 0;
  return total;
}

__global__ void __launch_bounds__(kThreads)
    count_true_kernel(int64_t count, const uint8_t* mask, int64_t* starts) {
  uint32_t total;
  block_sum_before<kThreads>(count_share(mask, count), total);
  if (threadIdx.x == 0) starts[blockIdx.x] = total;
}

// Replaces counts by the sums of those before; one more holds the sum of all.
__global__ void __launch_bounds__(kScanThreads)
    scan_counts_kernel(int64_t chunks, int64_t* starts) {
  int64_t before = 0;
  for (int64_t first = 0; first < chunks; first += kScanThreads) {
    const int64_t chunk = first + threadIdx.x;
    uint32_t total;
    const uint32_t count = chunk < chunks ? static_cast<uint32_t>(starts[chunk]) : 0;
    const uint32_t here = block_sum_before<kScanThreads>(count, total);
    if (chunk < chunks) starts[chunk] = before + here;
    before += total;
  }
  if (threadIdx.x == 0) starts[chunks] = before;
}

__global__ void __launch_bounds__(kThreads)
    write_true_kernel(int64_t count, const uint8_t* mask, const int64_t* starts, int64_t* out) {
  uint32_t total;
  const uint32_t before = block_sum_before<kThreads>(count_share(mask, count), total);
  int64_t to = starts[blockIdx.x] + before;
  for (int64_t i = share_begin(); i < share_begin() + kShare && i < count; ++i) {
    if (mask[i]) out[to++] = i;
  }
}

// Elements of an (outer, extent, inner) array, at places along its middle that an (outer, count,
// inner) array names.
struct Places {
  int64_t outer, count, extent, inner;
  const int64_t* indices;

  // Those of a row, less the index and the column.
  __device__ int64_t slice(int64_t row) const {
    int64_t j;
    return divide(row, count, j) * extent * inner;
  }
  __device__ int64_t of(int64_t slice, int64_t row, int64_t column) const {
    return slice + indices[row * inner + column] * inner + column;
  }
};

template <class Args>
Places places(const Args& args) {
  return {args.outer, args.count, args.extent, args.inner, args.indices};
}

template <class T>
__global__ void __launch_bounds__(kRowThreads) gather_kernel(Places at, const T* x, T* out) {
  for (int64_t row = first_row(); row < at.outer * at.count; row += row_step()) {
    const int64_t slice = at.slice(row);
    for (int64_t c = first_column(); c < at.inner; c += column_step())
      out[row * at.inner + c] = x[at.of(slice, row, c)];
  }
}

__global__ void __launch_bounds__(kRowThreads) places_kernel(Places at, int64_t* targets) {
  for (int64_t row = first_row(); row < at.outer * at.count; row += row_step()) {
    const int64_t slice = at.slice(row);
    for (int64_t c = first_column(); c < at.inner; c += column_step())
      targets[row * at.inner + c] = at.of(slice, row, c);
  }
}

// Integers wrap around.
template <class T>
__device__ T sum_of(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  else
    return a + b;
}

// A column belongs to one thread, so its sums are taken in one order.
template <class T>
__global__ void __launch_bounds__(kRowThreads)
    add_columns_kernel(Places at, const T* updates, T* out) {
  for (int64_t outer = first_row(); outer < at.outer; outer += row_step()) {
    for (int64_t c = first_column(); c < at.inner; c += column_step()) {
      for (int64_t j = 0; j < at.count; ++j) {
        const int64_t row = outer * at.count + j;
        const int64_t place = at.of(outer * at.extent * at.inner, row, c);
        out[place] = sum_of(out[place], updates[row * at.inner + c]);
      }
    }
  }
}

// The thread at the first of equal targets adds all of them up.
template <class T>
__global__ void __launch_bounds__(kThreads)
    add_segments_kernel(int64_t count, const int64_t* targets, const int32_t* order,
                        const T* updates, T* out) {
  for (int64_t first = first_element(); first < count; first += element_step()) {
    const int64_t target = targets[first];
    if (first > 0 && targets[first - 1] == target) continue;
    T sum = out[target];
    for (int64_t p = first; p < count && targets[p] == target; ++p)
      sum = sum_of(sum, updates[order[p]]);
    out[target] = sum;
  }
}

template <class T>
PydlStatus scatter_add_as(const PydlContext* context, const PydlScatterAddArgs& args) {
  constexpr int64_t kShortColumn = 32;
  const Places at = places(args);
  const T* updates = static_cast<const T*>(args.updates);
  T* out = static_cast<T*>(args.out);
  if (args.count <= kShortColumn) {
    return launch_rows(context, args.outer, args.inner, add_columns_kernel<T>, at, updates, out);
  }
  const int64_t count = args.outer * args.count * args.inner;
  const Scratch<int64_t> targets(context, count);
  Segments segments(context, count);
  if (!targets || !segments) return PYDL_ERROR_MEMORY;
  PydlStatus status =
      launch_rows(context, args.outer * args.count, args.inner, places_kernel, at, targets.data());
  if (status != PYDL_OK) return status;
  status = segments.sort(targets.data(), args.outer * args.extent * args.inner);
  if (status != PYDL_OK) return status;
  return launch_elements(context, count, add_segments_kernel<T>, count, segments.targets(),
                         segments.order(), updates, out);
}

}  // namespace

PydlStatus ravel_index(const PydlContext* context, const PydlRavelIndexArgs* args) {
  int64_t count = 1;
  for (int d = 0; d < args->rank; ++d) count *= args->shape[d];
  if (count == 0) return PYDL_OK;
  for (int operand = 0; operand < args->operands; ++operand) {
    if (args->extents[operand] == 0) return fail_empty_axis(context, *args, operand);
  }
  return launch_elements(context, count, ravel_index_kernel, *args, count, error_sink(context));
}

PydlStatus nonzero(const PydlContext* context, const PydlNonzeroArgs* args) {
  *args->total = 0;
  if (args->count == 0) return PYDL_OK;
  const int64_t chunks = (args->count + kChunk - 1) / kChunk;
  const dim3 grid(static_cast<unsigned>(chunks));
  const Scratch<int64_t> starts(context, chunks + 1);
  if (!starts) return PYDL_ERROR_MEMORY;
  PydlStatus status = launch(context, grid, dim3(kThreads), 0, count_true_kernel, args->count,
                             args->mask, starts.data());
  if (status != PYDL_OK) return status;
  status =
      launch(context, dim3(1), dim3(kScanThreads), 0, scan_counts_kernel, chunks, starts.data());
  if (status != PYDL_OK) return status;
  if (args->out) {
    status = launch(context, grid, dim3(kThreads), 0, write_true_kernel, args->count, args->mask,
                    static_cast<const int64_t*>(starts.data()), args->out);
    if (status != PYDL_OK) return status;
  }
  return read_back(context, starts.data() + chunks, sizeof(int64_t), args->total);
}

PydlStatus gather(const PydlContext* context, const PydlGatherArgs* args) {
  const int64_t rows = args->outer * args->count;
  if (rows * args->inner == 0) return PYDL_OK;
  const int32_t item_size = static_cast<int32_t>(args->item_size);
  return visit_item_size(context, "gather", item_size, [&](auto zero) {
    using T = decltype(zero);
    return launch_rows(context, rows, args->inner, gather_kernel<T>, places(*args),
                       static_cast<const T*>(args->x), static_cast<T*>(args->out));
  });
}

PydlStatus scatter_add(const PydlContext* context, const PydlScatterAddArgs* args) {
  if (args->outer * args->count * args->inner == 0) return PYDL_OK;
  return visit_all(context, "scatter_add", args->dtype, [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, Compute<T>> && !std::is_same_v<T, bool>) {
      return scatter_add_as<T>(context, *args);
    } else {
      return fail_dtype(context, "scatter_add", "float32, float64 or an integer dtype",
                        args->dtype);
    }
  });
}

}  // namespace pydl::cuda
