// Cumulative sums and products and first-order recurrences. Floating values accumulate in double. Long
// rows are cut into chunks: their totals first, then the totals before each, then the chunks.
#include "cuda/device/strided.cuh"
#include "cuda/kernel.h"
#include "pydl/cuda/visit.h"
#include "pydl/cuda/warp.cuh"
#include "pydl/kernels/scan.h"

namespace pydl::cuda {
namespace {

constexpr int kThreads = 256, kItems = 4;
constexpr int64_t kTile = kThreads * kItems;
constexpr int64_t kChunk = 16 * kTile;

// Integers wrap around.
template <class T>
using Accumulator =
    std::conditional_t<std::is_same_v<T, int32_t>, uint32_t,
                       std::conditional_t<std::is_same_v<T, int64_t>, uint64_t, double>>;

// What some neighbouring elements do to the running result: multiply it, then add.
template <class A, PydlScanOp op>
struct Step {
  A factor = A(1), value = op == PYDL_SCAN_prod ? A(1) : A(0);

  __device__ static Step of(A x, A factor) {
    Step step;
    step.value = x;
    if constexpr (op == PYDL_SCAN_linear) step.factor = factor;
    return step;
  }
  __device__ Step then(const Step& next) const {
    Step both;
    if constexpr (op == PYDL_SCAN_prod) {
      both.value = value * next.value;
    } else if constexpr (op == PYDL_SCAN_sum) {
      both.value = value + next.value;
    } else {
      both.value = value * next.factor + next.value;
      both.factor = factor * next.factor;
    }
    return both;
  }
  __device__ Step lane_above(int distance) const {
    Step other;
    other.value = __shfl_up_sync(kAllLanes, value, distance);
    if constexpr (op == PYDL_SCAN_linear)
      other.factor = __shfl_up_sync(kAllLanes, factor, distance);
    return other;
  }
};

template <class T>
struct Scan {
  int64_t outer, n, inner;
  bool reverse;
  const T *x, *factors;
  T* out;

  // Element i, in the order of the scan, of a column that begins at `base`.
  __device__ int64_t at(int64_t base, int64_t i) const {
    return base + (reverse ? n - 1 - i : i) * inner;
  }
  template <PydlScanOp op>
  __device__ Step<Accumulator<T>, op> step(int64_t at) const {
    using A = Accumulator<T>;
    A factor = A(0);
    if constexpr (op == PYDL_SCAN_linear) factor = static_cast<A>(to_compute(factors[at]));
    return Step<A, op>::of(static_cast<A>(to_compute(x[at])), factor);
  }
  __device__ void write(int64_t at, Accumulator<T> value) const {
    out[at] = from_compute<T>(static_cast<Compute<T>>(value));
  }
};

// One thread a column.
template <class T, PydlScanOp op>
__global__ void __launch_bounds__(kThreads) scan_columns_kernel(Scan<T> scan) {
  const int64_t column = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (column >= scan.outer * scan.inner) return;
  const int64_t base = column / scan.inner * scan.n * scan.inner + column % scan.inner;
  Step<Accumulator<T>, op> running;
  for (int64_t i = 0; i < scan.n; ++i) {
    const int64_t at = scan.at(base, i);
    running = running.then(scan.template step<op>(at));
    scan.write(at, running.value);
  }
}

// What comes before this thread's step within the block; `total` is all of the block.
template <class S>
__device__ S scan_block(S step, S& total) {
  constexpr int kWarps = kThreads / kWarp;
  __shared__ S totals[kWarps];
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
#pragma unroll
  for (int distance = 1; distance < kWarp; distance *= 2) {
    const S before = step.lane_above(distance);
    if (lane >= distance) step = before.then(step);
  }
  __syncthreads();  // the last tile may still be reading
  if (lane == kWarp - 1) totals[warp] = step;
  __syncthreads();
  S before;
  total = S();
  for (int w = 0; w < kWarps; ++w) {
    if (w == warp) before = total;
    total = total.then(totals[w]);
  }
  const S above = step.lane_above(1);
  return lane == 0 ? before : before.then(above);
}

// One block a chunk of a row. Without `out`, only the chunks' totals.
template <class T, PydlScanOp op>
__global__ void __launch_bounds__(kThreads)
    scan_rows_kernel(Scan<T> scan, int64_t chunks, bool writes, Step<Accumulator<T>, op>* steps) {
  using S = Step<Accumulator<T>, op>;
  const int64_t base = blockIdx.x / chunks * scan.n, begin = blockIdx.x % chunks * kChunk;
  const int64_t end = begin + kChunk < scan.n && chunks > 1 ? begin + kChunk : scan.n;
  S running;
  if (writes && steps) running = steps[blockIdx.x];
  for (int64_t tile = begin; tile < end; tile += kTile) {
    S own[kItems], all, total;
#pragma unroll
    for (int k = 0; k < kItems; ++k) {
      const int64_t i = tile + threadIdx.x * kItems + k;
      if (i < end) own[k] = scan.template step<op>(scan.at(base, i));
      all = all.then(own[k]);
    }
    S before = running.then(scan_block(all, total));
    running = running.then(total);
#pragma unroll
    for (int k = 0; k < kItems; ++k) {
      const int64_t i = tile + threadIdx.x * kItems + k;
      before = before.then(own[k]);
      if (writes && i < end) scan.write(scan.at(base, i), before.value);
    }
  }
  if (!writes && threadIdx.x == 0) steps[blockIdx.x] = running;
}

// From each chunk's step to that of all chunks of the row before it.
template <class S>
__global__ void __launch_bounds__(kThreads)
    scan_chunks_kernel(int64_t rows, int64_t chunks, S* steps) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (row >= rows) return;
  S running;
  for (int64_t i = row * chunks; i < (row + 1) * chunks; ++i) {
    const S here = steps[i];
    steps[i] = running;
    running = running.then(here);
  }
}

template <class T, PydlScanOp op>
PydlStatus scan_as(const PydlContext* context, const PydlScanArgs& a) {
  using S = Step<Accumulator<T>, op>;
  const Scan<T> scan = {a.outer, a.n, a.inner, a.reverse != 0, static_cast<const T*>(a.x),
                        static_cast<const T*>(a.factors), static_cast<T*>(a.out)};
  const auto blocks = [](int64_t count) {
    return dim3(static_cast<uint32_t>(divide_up(count, kThreads)));
  };
  if (a.inner > 1 || a.n <= 32)
    return launch(context, blocks(a.outer * a.inner), dim3(kThreads), 0, scan_columns_kernel<T, op>,
                  scan);
  constexpr int64_t kManyRows = 256;  // with so many, rows stay whole
  const int64_t chunks = a.outer < kManyRows ? divide_up(a.n, kChunk) : 1;
  const dim3 all(static_cast<uint32_t>(a.outer * chunks));
  if (chunks == 1)
    return launch(context, all, dim3(kThreads), 0, scan_rows_kernel<T, op>, scan, chunks, true,
                  static_cast<S*>(nullptr));
  Scratch<S> steps(context, a.outer * chunks);
  if (!steps) return context->fail(context, PYDL_ERROR_MEMORY, "[scan] out of memory");
  PydlStatus status = launch(context, all, dim3(kThreads), 0, scan_rows_kernel<T, op>, scan, chunks,
                             false, steps.data());
  if (status != PYDL_OK) return status;
  status = launch(context, blocks(a.outer), dim3(kThreads), 0, scan_chunks_kernel<S>, a.outer,
                  chunks, steps.data());
  if (status != PYDL_OK) return status;
  return launch(context, all, dim3(kThreads), 0, scan_rows_kernel<T, op>, scan, chunks, true,
                steps.data());
}

template <class T>
PydlStatus scan_dtype(const PydlContext* context, const PydlScanArgs& a) {
  if (a.outer * a.n * a.inner == 0) return PYDL_OK;
  switch (a.op) {
    case PYDL_SCAN_sum: return scan_as<T, PYDL_SCAN_sum>(context, a);
    case PYDL_SCAN_prod: return scan_as<T, PYDL_SCAN_prod>(context, a);
    case PYDL_SCAN_linear: return scan_as<T, PYDL_SCAN_linear>(context, a);
    default: return context->fail(context, PYDL_ERROR_VALUE, "[scan] unknown operation");
  }
}

}  // namespace

PydlStatus scan(const PydlContext* context, const PydlScanArgs* args) {
  if (args->dtype == PYDL_INT32) return scan_dtype<int32_t>(context, *args);
  if (args->dtype == PYDL_INT64) return scan_dtype<int64_t>(context, *args);
  return visit_floating(context, "scan", args->dtype, [&](auto zero) {
    return scan_dtype<decltype(zero)>(context, *args);
  });
}

}  // namespace pydl::cuda
