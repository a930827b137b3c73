// How the operands of a product lie in memory.
#pragma once

#include <stdint.h>

namespace pydl::cuda {
namespace {

// Which of an operand's dimensions is contiguous; along an extent of 1 any stride is.
struct Layout {
  bool depth_contiguous;
  int64_t row_stride;

  Layout(int64_t outer, int64_t outer_stride, int64_t depth, int64_t depth_stride) {
    depth_contiguous = depth_stride == 1 || (depth == 1 && outer_stride != 1);
    if (outer == 1 && depth_stride != 1) depth_contiguous = false;
    row_stride = depth_contiguous ? outer_stride : depth_stride;
  }
};

}  // namespace
}  // namespace pydl::cuda
