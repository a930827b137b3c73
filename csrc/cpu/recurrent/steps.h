// What recurrent kernels share: the split of a batch, and access to its arrays. Each thread takes
// its rows of the batch through all steps, so that none waits for others.
#pragma once

#include "cpu/recurrent/step_weights.h"
#include "pydl/kernels/recurrent.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kStepRows = 4;  // fewer rows do not hide the latency of a tile's additions

// Values from one row of a buffer to the next; rows do not all fall into the same sets of the
// cache.
template <class T>
inline int64_t step_row(int64_t n) {
  return padded<T>(n) + Vec<T>::size;
}

// The weights of forward: one matrix (units, units) for each of `gates` gates from `first` on.
template <class T>
StepWeights<T> forward_weights(const PydlContext* context, const PydlSequence& s, int64_t all_gates,
                               int64_t first, int64_t gates) {
  const T* data = static_cast<const T*>(s.recurrent_kernel) + first * s.units;
  return StepWeights<T>(context, data, all_gates * s.units, 1, s.units, s.units, gates, s.batch);
}
// The weights of backward: the transpose of those, (gates * units, units).
template <class T>
StepWeights<T> backward_weights(const PydlContext* context, const PydlSequence& s,
                                int64_t all_gates, int64_t first, int64_t gates) {
  const T* data = static_cast<const T*>(s.recurrent_kernel) + first * s.units;
  return StepWeights<T>(context, data, 1, all_gates * s.units, gates * s.units, s.units, 1,
                        s.batch);
}

// body(first, rows, scratch, split) for each thread's rows of the batch: `size` values of scratch
// for a row, and what `weights` need to split them.
template <class T, class Body>
PydlStatus for_batch_rows(const PydlContext* context, const PydlSequence& s, int64_t gates,
                          const StepWeights<T>& weights, int64_t size, Body&& body) {
  if (s.batch == 0) return PYDL_OK;
  const int64_t products = larger(1, s.steps * gates * s.units * s.units);
  const int64_t grain = larger(kStepRows, divide_up(kProductsPerThread, products));
  const int64_t parts = larger(1, smaller(context->num_threads, s.batch / grain));
  const int64_t most = divide_up(s.batch, parts), split = weights.rows_size(most);
  const int64_t part_size = split + padded<T>(most * size);
  const Scratch<T> scratch(context, larger(1, parts * part_size));
  if (!scratch) return PYDL_ERROR_MEMORY;
  parallel_for(context, parts, 1, [&](int64_t begin, int64_t end) {
    const TileRegisters registers(weights.split());
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = s.batch * i / parts, rows = s.batch * (i + 1) / parts - first;
      T* memory = scratch.data() + i * part_size;
      body(first, rows, memory + split, memory);
    }
  });
  return PYDL_OK;
}

inline bool is_masked(const PydlSequence& s, int64_t row, int64_t step) {
  return s.mask && !s.mask[row * s.steps + step];
}

// An array (batch, steps, width), or (batch, width) with a `stride` of 1; may be absent.
template <class T>
inline T* at(void* array, int64_t row, int64_t stride, int64_t step, int64_t width) {
  return array ? static_cast<T*>(array) + (row * stride + step) * width : nullptr;
}
template <class T>
inline const T* at(const void* array, int64_t row, int64_t stride, int64_t step, int64_t width) {
  return at<T>(const_cast<void*>(array), row, stride, step, width);
}

// What a sequence (batch, steps, units) held before a step.
template <class T>
inline const T* before(const PydlSequence& s, const void* sequence, const void* initial,
                       int64_t row, int64_t step) {
  return step ? at<T>(sequence, row, s.steps, step - 1, s.units)
              : at<T>(initial, row, 1, 0, s.units);
}

template <class T>
inline void copy_or_clear(const T* from, int64_t n, T* to) {
  if (from) {
    memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
  } else {
    memset(to, 0, static_cast<size_t>(n) * sizeof(T));
  }
}

// Rows of the gradient of the initial state, which carry that of the state from step to step, as
// they come in after the last step. `product` will hold what comes through the recurrent product.
template <class T>
inline T* begin_backward(const PydlSequence& s, const void* last_gradient, void* gradient,
                         int64_t first, int64_t rows, T* product) {
  T* carried = at<T>(gradient, first, 1, 0, s.units);
  copy_or_clear(at<T>(last_gradient, first, 1, 0, s.units), rows * s.units, carried);
  memset(product, 0, static_cast<size_t>(rows * step_row<T>(s.units)) * sizeof(T));
  return carried;
}

// dense += product, for rows of n values.
template <class T>
inline void add_products(const T* product, int64_t stride, int64_t rows, int64_t n, T* dense) {
  for (int64_t r = 0; r < rows; ++r) {
    for_registers<T>(n, [&](int64_t j, auto... count) {
      T* to = dense + r * n + j;
      store(load(to, count...) + load(product + r * stride + j, count...), to, count...);
    });
  }
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
