// What the steps of optimizers share. The elements of all tensors form one list of blocks that
// threads share out, so that a thousand small tensors cost no more than one large one.
#pragma once

#include <math.h>

#include "cpu/lanes.h"
#include "cpu/simd/math.h"
#include "pydl/kernels/optimizer.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kBlock = 4096;  // elements; also the unit in which norms are summed up
constexpr int64_t kGrain = 8;     // blocks that make a thread worth waking

inline int64_t blocks_of(const PydlOptimizerTensor& tensor) {
  return (tensor.count + kBlock - 1) / kBlock;
}

int64_t count_blocks(const PydlOptimizerTensor* tensors, int64_t tensor_count) {
  int64_t blocks = 0;
  for (int64_t t = 0; t < tensor_count; ++t) blocks += blocks_of(tensors[t]);
  return blocks;
}

// Calls body(tensor, block, begin, end) for each block: its number in the list of all blocks, and
// the elements of its tensor that it holds.
template <class Body>
void for_each_block(const PydlContext* context, const PydlOptimizerTensor* tensors,
                    int64_t tensor_count, Body&& body) {
  const int64_t total = count_blocks(tensors, tensor_count);
  parallel_for(context, total, kGrain, [&](int64_t first, int64_t last) {
    const PydlOptimizerTensor* tensor = tensors;
    int64_t before = 0;  // blocks of the tensors before this one
    for (int64_t block = first; block < last; ++block) {
      while (before + blocks_of(*tensor) <= block) before += blocks_of(*tensor++);
      const int64_t begin = (block - before) * kBlock;
      const int64_t end = begin + kBlock < tensor->count ? begin + kBlock : tensor->count;
      body(*tensor, block, begin, end);
    }
  });
}

// The gradient as the step sees it: scaled, then clipped.
template <class T>
struct Gradient {
  using V = Vec<Compute<T>>;
  const T* data;
  V scale, low, high;
  bool clips;

  Gradient(const PydlOptimizerTensor& tensor, double clip_value)
      : data(static_cast<const T*>(tensor.gradient)),
        scale(static_cast<Compute<T>>(tensor.scale)),
        low(static_cast<Compute<T>>(-clip_value)),
        high(static_cast<Compute<T>>(clip_value)),
        clips(clip_value < INFINITY) {}
  V get(int64_t i, int64_t end) const {
    const V g = Lanes<T>(data, i, end).get() * scale;
    return clips ? min(max(g, low), high) : g;
  }
};

// parameter -= learning_rate weight_decay parameter, before the step.
template <class T>
struct Decay {
  using V = Vec<Compute<T>>;
  V shrink;

  template <class Args>
  explicit Decay(const Args& args)
      : shrink(static_cast<Compute<T>>(-args.learning_rate * args.weight_decay)) {}
  V operator()(V parameter) const { return fma(parameter, shrink, parameter); }
};

// Runs block(args, tensor, begin, end) over every block of a step.
template <class Args, class Visit>
PydlStatus run_step(const PydlContext* context, const Args* args, Visit&& block) {
  for_each_block(context, args->tensors, args->tensor_count,
                 [&](const PydlOptimizerTensor& tensor, int64_t, int64_t begin, int64_t end) {
                   block(*args, tensor, begin, end);
                 });
  return PYDL_OK;
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
