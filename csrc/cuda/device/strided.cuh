// From the number of an element to where it lies in strided arrays.
#pragma once

#include <cuda_runtime.h>
#include <stdint.h>

#include <type_traits>

#include "pydl/abi.h"

namespace pydl::cuda {
namespace {

constexpr int64_t kMaxIndex = int64_t{1} << 31;  // what a StridedIndex counts to

// Division of n < 2^31 by a constant: a multiplication and a shift.
// Granlund and Montgomery, "Division by invariant integers using multiplication", 1994.
struct FastDivider {
  uint32_t divisor = 1, multiplier = 1, shift = 0;

  FastDivider() = default;
  explicit FastDivider(int64_t d) : divisor(static_cast<uint32_t>(d)) {
    while ((uint64_t{1} << shift) < divisor) ++shift;
    const uint64_t excess = (uint64_t{1} << shift) - divisor;
    multiplier = static_cast<uint32_t>((excess << 32) / divisor + 1);
  }
  __device__ uint32_t divide(uint32_t n, uint32_t& remainder) const {
    const uint32_t high = static_cast<uint32_t>((uint64_t{n} * multiplier) >> 32);
    const uint32_t quotient = (high + n) >> shift;
    remainder = n - quotient * divisor;
    return quotient;
  }
};

// Offsets, in elements, into kArrays arrays that share a shape of fewer than 2^31 elements.
template <int kArrays>
struct StridedIndex {
  int32_t rank = 1;  // 1 at least
  FastDivider shape[PYDL_MAX_RANK];
  int32_t unused = 0;  // padding would hold what was in memory before
  int64_t strides[kArrays][PYDL_MAX_RANK] = {};

  StridedIndex() = default;
  StridedIndex(int32_t given_rank, const int64_t* given_shape,
               const int64_t* const (&given_strides)[kArrays])
      : rank(given_rank > 0 ? given_rank : 1) {
    for (int d = 0; d < given_rank; ++d) {
      shape[d] = FastDivider(given_shape[d] > 0 ? given_shape[d] : 1);
      for (int k = 0; k < kArrays; ++k) strides[k][d] = given_strides[k][d];
    }
  }

  __device__ void offsets(uint32_t index, int64_t (&out)[kArrays]) const {
#pragma unroll
    for (int k = 0; k < kArrays; ++k) out[k] = 0;
    for (int d = rank - 1; d > 0; --d) {
      uint32_t position;
      index = shape[d].divide(index, position);
#pragma unroll
      for (int k = 0; k < kArrays; ++k) out[k] += position * strides[k][d];
    }
#pragma unroll
    for (int k = 0; k < kArrays; ++k) out[k] += index * strides[k][0];
  }
  __device__ int64_t offset(uint32_t index) const {
    int64_t out[kArrays];
    offsets(index, out);
    return out[0];
  }
};

static_assert(std::has_unique_object_representations_v<StridedIndex<1>>, "no padding");

inline int64_t count_of(int32_t rank, const int64_t* shape) {
  int64_t count = 1;
  for (int d = 0; d < rank; ++d) count *= shape[d];
  return count;
}

__host__ __device__ inline int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace
}  // namespace pydl::cuda
