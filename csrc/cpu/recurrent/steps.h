// What recurrent kernels share: the weights that every step multiplies by, packed once, and the
// split of a batch. Each thread takes its rows of the batch through all steps, so that none waits
// for others.
#pragma once

#include "cpu/gemm/matrix.h"
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

// Matrices of (depth, columns) as panels of kTileColumns columns.
template <class T>
class StepWeights {
 public:
  static constexpr int64_t kWidth = kTileColumns<T>;

  // Element (l, j) of matrix g is data[l * row + (g * columns + j) * column].
  StepWeights(const PydlContext* context, const T* data, int64_t row, int64_t column, int64_t depth,
              int64_t columns, int64_t matrices)
      : depth_(depth),
        columns_(columns),
        panels_(divide_up(columns, kWidth)),
        packed_(context, larger(1, matrices * panels_ * depth * kWidth)) {
    if (!packed_) return;
    const int64_t size = depth * kWidth;
    const int64_t grain = divide_up(kProductsPerThread / 8, larger(1, size));
    parallel_for(context, matrices * panels_, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t panel = i % panels_;
        pack_matrix_panels(data + i / panels_ * columns * column, row, column, depth, columns,
                           panel, panel + 1, packed_.data() + i * size, size);
      }
    });
  }
  explicit operator bool() const { return static_cast<bool>(packed_); }

  int64_t panels() const { return panels_; }
  int columns(int64_t panel) const {
    return static_cast<int>(smaller(kWidth, columns_ - panel * kWidth));
  }

  // out = a @ one panel of a matrix.
  void multiply(const T* a, int64_t a_row, int64_t rows, int64_t matrix, int64_t panel, T* out,
                int64_t out_row) const {
    const Depth<T> depth(depth_);
    const Strips strips(rows);
    const int wide = columns(panel);
    const int vectors = (wide + Vec<T>::size - 1) / Vec<T>::size;
    const T* weights = packed_.data() + (matrix * panels_ + panel) * depth_ * kWidth;
    for (int64_t block = 0; block < depth.blocks; ++block) {
      const int64_t l = depth.begin(block);
      const TilePanel<T> b = {weights + l * kWidth, kWidth};
      for (int64_t strip = 0; strip < strips.count; ++strip) {
        const int64_t row = strips.begin(strip);
        find_tile<T>(strips.height(strip), vectors)(
            depth.count(block, depth_), {a + row * a_row + l, a_row, 1}, b,
            {out + row * out_row, out_row, wide, block > 0});
      }
    }
  }
  // out = a @ a matrix.
  void multiply(const T* a, int64_t a_row, int64_t rows, int64_t matrix, T* out,
                int64_t out_row) const {
    for (int64_t panel = 0; panel < panels_; ++panel) {
      multiply(a, a_row, rows, matrix, panel, out + panel * kWidth, out_row);
    }
  }

 private:
  int64_t depth_, columns_, panels_;
  Scratch<T> packed_;
};

// The weights of forward: one matrix (units, units) for each of `gates` gates from `first` on.
template <class T>
StepWeights<T> forward_weights(const PydlContext* context, const PydlSequence& s, int64_t all_gates,
                               int64_t first, int64_t gates) {
  const T* data = static_cast<const T*>(s.recurrent_kernel) + first * s.units;
  return StepWeights<T>(context, data, all_gates * s.units, 1, s.units, s.units, gates);
}
// The weights of backward: the transpose of those, (gates * units, units).
template <class T>
StepWeights<T> backward_weights(const PydlContext* context, const PydlSequence& s,
                                int64_t all_gates, int64_t first, int64_t gates) {
  const T* data = static_cast<const T*>(s.recurrent_kernel) + first * s.units;
  return StepWeights<T>(context, data, 1, all_gates * s.units, gates * s.units, s.units, 1);
}

// body(first, rows, scratch) for each thread's rows of the batch; `size` values of scratch for a
// row.
template <class T, class Body>
PydlStatus for_batch_rows(const PydlContext* context, const PydlSequence& s, int64_t gates,
                          int64_t size, Body&& body) {
  const Scratch<T> scratch(context, larger(1, s.batch * size));
  if (!scratch) return PYDL_ERROR_MEMORY;
  const int64_t products = larger(1, s.steps * gates * s.units * s.units);
  const int64_t grain = larger(kStepRows, divide_up(kProductsPerThread, products));
  parallel_for(context, s.batch, grain, [&](int64_t begin, int64_t end) {
    body(begin, end - begin, scratch.data() + begin * size);
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
