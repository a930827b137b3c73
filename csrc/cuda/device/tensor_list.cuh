// Kernels over many tensors at once: descriptors of as many as fit travel with a launch, so that a
// thousand small tensors cost a few launches and nothing needs to be copied to the device first.
#pragma once

#include "cuda/kernel.h"
#include "pydl/cuda/vector.cuh"
#include "pydl/kernels/optimizer.h"

namespace pydl::cuda {
namespace {

constexpr int kTensorsAtOnce = 56;  // 3.4 kB of parameters
constexpr int kTensorThreads = 256;
constexpr int kTensorBlock = 4096;  // elements

struct TensorList {
  int32_t count;
  int32_t first_block[kTensorsAtOnce + 1];
  PydlOptimizerTensor tensors[kTensorsAtOnce];

  int blocks() const { return first_block[count]; }
};

// The elements of one tensor that belong to this block of threads.
struct TensorPart {
  int tensor;
  int64_t begin, end;

  __device__ explicit TensorPart(const TensorList& list) {
    const int block = static_cast<int>(blockIdx.x);
    int low = 0, high = list.count - 1;  // the last tensor that begins at this block or before
    while (low < high) {
      const int middle = (low + high + 1) / 2;
      if (list.first_block[middle] <= block) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    tensor = low;
    begin = int64_t{block - list.first_block[low]} * kTensorBlock;
    const int64_t count = list.tensors[low].count;
    end = begin + kTensorBlock < count ? begin + kTensorBlock : count;
  }
};

// Calls run(list) for as many lists as the tensors need, until one fails.
template <class Run>
PydlStatus for_each_list(const PydlOptimizerTensor* tensors, int64_t tensor_count, Run&& run) {
  constexpr int64_t kMostBlocks = 1 << 30;
  TensorList list = {};
  for (int64_t t = 0; t < tensor_count;) {
    list.count = list.first_block[0] = 0;
    for (; t < tensor_count && list.count < kTensorsAtOnce; ++t) {
      const int64_t end = list.blocks() + (tensors[t].count + kTensorBlock - 1) / kTensorBlock;
      if (end > kMostBlocks && list.count > 0) break;
      list.tensors[list.count++] = tensors[t];
      list.first_block[list.count] = static_cast<int32_t>(end);
    }
    const PydlStatus status = run(list);
    if (status != PYDL_OK) return status;
  }
  return PYDL_OK;
}

}  // namespace
}  // namespace pydl::cuda
