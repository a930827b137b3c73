// Threads for the rows of an array: (threadIdx.x, blockIdx.y) walk along rows and (threadIdx.y,
// blockIdx.x) from row to row, so that short rows share a block and few long ones are shared out.
#pragma once

#include "cuda/kernel.h"

namespace pydl::cuda {
namespace {

constexpr int kRowThreads = 256;

struct RowGrid {
  dim3 grid, block;

  // `columns` counts what a thread does at a time.
  RowGrid(int64_t rows, int64_t columns) {
    constexpr int64_t kMostBlocks = 1 << 16, kItems = 4;  // of a thread, in long rows
    unsigned width = 1;
    while (width < kRowThreads && width < columns) width *= 2;
    const unsigned height = kRowThreads / width;
    const int64_t down = (rows + height - 1) / height;
    const int64_t across = columns > 0 ? (columns - 1) / (width * kItems) + 1 : 1;
    block = dim3(width, height);
    grid = dim3(static_cast<unsigned>(down < kMostBlocks * 64 ? down : kMostBlocks * 64),
                static_cast<unsigned>(down >= kMostBlocks    ? 1
                                      : across < kMostBlocks ? across
                                                             : kMostBlocks - 1));
  }
};

template <class... Parameters, class... Arguments>
PydlStatus launch_rows(LaunchSite site, int64_t rows, int64_t columns,
                       void (*kernel)(Parameters...), Arguments... arguments) {
  const RowGrid grid(rows, columns);
  return launch(site, grid.grid, grid.block, 0, kernel, arguments...);
}

// a / b for numbers from 0 on. Dividing 64-bit numbers takes several times as long as short ones.
__device__ inline int64_t divide(int64_t a, int64_t b, int64_t& remainder) {
  if ((a | b) >> 32 == 0) {
    const auto quotient = static_cast<uint32_t>(a) / static_cast<uint32_t>(b);
    remainder = static_cast<uint32_t>(a) - quotient * static_cast<uint32_t>(b);
    return quotient;
  }
  const int64_t quotient = a / b;
  remainder = a - quotient * b;
  return quotient;
}

__device__ inline int64_t first_row() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.y + threadIdx.y;
}
__device__ inline int64_t row_step() { return static_cast<int64_t>(gridDim.x) * blockDim.y; }
__device__ inline int64_t first_column() {
  return static_cast<int64_t>(blockIdx.y) * blockDim.x + threadIdx.x;
}
__device__ inline int64_t column_step() { return static_cast<int64_t>(gridDim.y) * blockDim.x; }

}  // namespace
}  // namespace pydl::cuda
