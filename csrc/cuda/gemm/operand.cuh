// Operands of a product in global memory, as rows of contiguous elements that a tile loader asks for.
// An operand has: T, data, aligned (16-byte loads will do), row(i), column(j), and find(row, column), the
// address of an element or NULL where it is a zero that is not in memory.
#pragma once

#include <cuda_runtime.h>
#include <stdint.h>

namespace pydl::cuda {
namespace {

// Quotients of numbers below 2^31 by a divisor that the host knows.
struct FastDivisor {
  uint32_t divisor = 1, multiplier = 0, shift = 0;

  FastDivisor() = default;
  explicit FastDivisor(int64_t by) : divisor(static_cast<uint32_t>(by)) {
    while ((uint64_t{1} << shift) < divisor) ++shift;
    const uint64_t two_to_shift = uint64_t{1} << shift;
    multiplier =
        static_cast<uint32_t>((uint64_t{1} << 32) * (two_to_shift - divisor) / divisor + 1);
  }
  __device__ int quotient(int x) const {
    const uint64_t high = static_cast<uint64_t>(static_cast<uint32_t>(x)) * multiplier >> 32;
    return static_cast<int>((high + static_cast<uint32_t>(x)) >> shift);
  }
};

// A plain matrix. (A whole word for `aligned`: the emulator looks for strays in kernel parameters and
// would find them in padding.)
template <class Element>
struct MatrixOperand {
  using T = Element;
  using Row = int64_t;
  using Column = int;
  const T* data;
  int64_t row_stride;
  int64_t aligned;

  __device__ Row row(int i) const { return i * row_stride; }
  __device__ Column column(int j) const { return j; }
  __device__ const T* find(Row row, Column column) const { return data + row + column; }
};

}  // namespace
}  // namespace pydl::cuda
