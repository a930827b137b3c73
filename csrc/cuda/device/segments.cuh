// Elements grouped by where they go, in their order: what lets sums over equal indices be taken
// without atomic additions, in the same order every time.
#pragma once

#include "cuda/device/sort_rows.cuh"
#include "pydl/cuda/grid.cuh"

namespace pydl::cuda {
namespace {

// targets[order[p]] rises with p, and order[p] does among equal targets. Sorted targets are kept.
class Segments {
 public:
  Segments(const PydlContext* context, int64_t count)
      : context_(context), count_(count), targets_(context, count), order_(context, count) {}
  explicit operator bool() const { return targets_ && order_; }

  // Of targets in [0, extent).
  PydlStatus sort(const int64_t* targets, int64_t extent) {
    if (count_ > INT32_MAX)
      return context_->fail(context_, PYDL_ERROR_VALUE, "expected fewer than 2^31 indices");
    int bits = 1;
    while (bits < 63 && (extent - 1) >> bits) ++bits;
    const KeyCodec plain = {kKeys, false, false};
    return sort_rows<uint64_t, true>(context_, 1, count_, bits,
                                     {plain, const_cast<int64_t*>(targets), nullptr},
                                     {plain, targets_.data(), order_.data()});
  }
  const int64_t* targets() const { return targets_.data(); }
  const int32_t* order() const { return order_.data(); }

 private:
  const PydlContext* context_;
  int64_t count_;
  Scratch<int64_t> targets_;
  Scratch<int32_t> order_;
};

// starts[e] = how many of the sorted targets are below e, for e up to extent.
__global__ void __launch_bounds__(kThreads)
    segment_starts_kernel(int64_t count, int64_t extent, const int64_t* targets, int64_t* starts) {
  for (int64_t e = first_element(); e <= extent; e += element_step()) {
    int64_t low = 0, high = count;
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      if (targets[middle] < e) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    starts[e] = low;
  }
}

}  // namespace
}  // namespace pydl::cuda
