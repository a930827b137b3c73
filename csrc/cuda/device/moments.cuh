// Means and variances, whose merging cancels nothing however far the mean is from 0.
// Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
// variances", 1979.
#pragma once

#include "cuda/device/columns.cuh"
#include "pydl/cuda/warp.cuh"

namespace pydl::cuda {
namespace {

template <class C>
struct Moments {
  C count = 0, mean = 0, squares = 0;  // squares: the sum of (x - mean)^2

  __device__ void add(C x) {
    count += 1;
    const C distance = x - mean;
    mean += distance / count;
    squares += distance * (x - mean);
  }
  __device__ void merge(const Moments& other) {
    if (other.count == 0) return;
    const C total = count + other.count, share = other.count / total;
    const C distance = other.mean - mean;
    mean += distance * share;
    squares += other.squares + distance * distance * count * share;
    count = total;
  }
};

// Of the columns of x: (items, rows, columns).
template <class T>
struct MomentsReducer {
  using C = Compute<T>;
  using State = Moments<C>;
  int64_t rows, columns;
  const T* x;
  Moments<C>* out;

  __device__ void read(State& state, int64_t item, int64_t row, int64_t column) const {
    state.add(to_compute(x[(item * rows + row) * columns + column]));
  }
  __device__ void write(const State& state, int64_t, int64_t index) const { out[index] = state; }
};

constexpr int kGroupThreads = 128;

// finish(group, moments) for each group of `size` neighbouring columns of each item; one warp a group.
template <class C, class Finish>
__global__ void __launch_bounds__(kGroupThreads)
    merge_groups_kernel(ColumnGrid grid, int64_t size, const Moments<C>* parts, Finish finish) {
  const int64_t groups = grid.columns / size;
  const int64_t group = static_cast<int64_t>(blockIdx.x) * (kGroupThreads / kWarp) +
                        threadIdx.x / kWarp;
  const int lane = threadIdx.x % kWarp;
  const bool inside = group < grid.items * groups;
  const int64_t item = group / groups, first = group % groups * size;
  Moments<C> moments;
  for (int64_t i = lane; inside && i < grid.chunks * size; i += kWarp)
    moments.merge(parts[(item * grid.chunks + i / size) * grid.columns + first + i % size]);
#pragma unroll
  for (int step = kWarp / 2; step > 0; step /= 2) {
    const Moments<C> other = {__shfl_down_sync(kAllLanes, moments.count, step),
                              __shfl_down_sync(kAllLanes, moments.mean, step),
                              __shfl_down_sync(kAllLanes, moments.squares, step)};
    moments.merge(other);
  }
  if (inside && lane == 0) finish(group, moments);
}

// finish(group, moments) for each group of columns / groups columns of each item of x.
template <class T, class Finish>
PydlStatus group_moments(const PydlContext* context, int64_t items, int64_t rows, int64_t columns,
                         int64_t groups, const T* x, const Finish& finish) {
  using C = Compute<T>;
  const ColumnGrid grid(items, rows, columns);
  Scratch<Moments<C>> parts(context, grid.results() + 1);
  if (!parts) return context->fail(context, PYDL_ERROR_MEMORY, "[moments] out of memory");
  const PydlStatus status =
      reduce_columns(context, grid, MomentsReducer<T>{rows, columns, x, parts.data()});
  if (status != PYDL_OK) return status;
  const int64_t blocks = divide_up(items * groups, kGroupThreads / kWarp);
  return launch(context, dim3(static_cast<uint32_t>(blocks)), dim3(kGroupThreads), 0,
                merge_groups_kernel<C, Finish>, grid, columns / groups, parts.data(), finish);
}

}  // namespace
}  // namespace pydl::cuda
