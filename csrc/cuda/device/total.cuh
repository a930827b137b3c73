// Sums of many numbers in double, in an order that depends on nothing but their count.
#pragma once

#include "cuda/device/strided.cuh"
#include "cuda/kernel.h"
#include "pydl/cuda/dtype.cuh"
#include "pydl/cuda/warp.cuh"

namespace pydl::cuda {
namespace {

constexpr int kTotalThreads = 256;
constexpr int64_t kTotalPart = 1 << 14;  // numbers that a block adds up

// sums[block] = the sum of a block's part of the values.
template <class C>
__global__ void __launch_bounds__(kTotalThreads)
    part_sums_kernel(const C* values, int64_t count, double* sums) {
  const int64_t begin = blockIdx.x * kTotalPart;
  const int64_t end = begin + kTotalPart < count ? begin + kTotalPart : count;
  double sum = 0;
  for (int64_t i = begin + threadIdx.x; i < end; i += kTotalThreads)
    sum += static_cast<double>(values[i]);
  sum = reduce_team<kTotalThreads>(sum, Add());
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

template <class T>
__global__ void __launch_bounds__(kTotalThreads)
    total_kernel(const double* sums, int64_t count, double factor, T* total) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += kTotalThreads) sum += sums[i];
  sum = reduce_team<kTotalThreads>(sum, Add());
  if (threadIdx.x == 0) *total = from_compute<T>(static_cast<Compute<T>>(sum * factor));
}

// *total = factor * the sum of `count` sums.
template <class T>
PydlStatus write_total(const PydlContext* context, const double* sums, int64_t count, double factor,
                       void* total) {
  return launch(context, dim3(1), dim3(kTotalThreads), 0, total_kernel<T>, sums, count, factor,
                static_cast<T*>(total));
}

// *total = factor * the sum of `count` values.
template <class T>
PydlStatus add_up(const PydlContext* context, const Compute<T>* values, int64_t count, double factor,
                  void* total) {
  const int64_t parts = divide_up(count, kTotalPart);
  Scratch<double> sums(context, parts + 1);
  if (!sums) return context->fail(context, PYDL_ERROR_MEMORY, "[sum] out of memory");
  const PydlStatus status =
      launch(context, dim3(static_cast<uint32_t>(parts)), dim3(kTotalThreads), 0,
             part_sums_kernel<Compute<T>>, values, count, sums.data());
  if (status != PYDL_OK) return status;
  return write_total<T>(context, sums.data(), parts, factor, total);
}

}  // namespace
}  // namespace pydl::cuda
