// The steps of an LSTM.
#pragma once

#include "cpu/recurrent/steps.h"
#include "cpu/simd/math.h"
#include "pydl/kernels/gemm.h"

namespace pydl::cpu::PYDL_ISA {

PydlStatus gemm(const PydlContext*, const PydlGemmArgs*);

namespace {

constexpr int kLstmGates = 4;

// One row of the batch; `product` holds hidden @ recurrent, one gate `product_gate` values after
// the other.
template <class T>
void lstm_units(const PydlLstmArgs& args, int64_t row, int64_t step, const T* product,
                int64_t product_gate, const T* state, T* next) {
  const PydlSequence& s = args.sequence;
  T* gates = at<T>(args.gates, row, s.steps, step, kLstmGates * s.units);
  T* hidden = at<T>(args.hidden, row, s.steps, step, s.units);
  T* cell = at<T>(args.cell, row, s.steps, step, s.units);
  const T* last_cell = before<T>(s, args.cell, args.initial_cell, row, step);
  if (is_masked(s, row, step)) {
    copy_or_clear(last_cell, s.units, cell);
    copy_or_clear(state, s.units, hidden);
    copy_or_clear(state, s.units, next);
    return;
  }
  for_registers<T>(s.units, [&](int64_t j, auto... n) {
    const auto sum = [&](int gate) {
      return load(gates + gate * s.units + j, n...) + load(product + gate * product_gate + j, n...);
    };
    const Vec<T> i = sigmoid(sum(0)), f = sigmoid(sum(1)), c = tanh(sum(2)), o = sigmoid(sum(3));
    const Vec<T> new_cell = fma(f, load(last_cell + j, n...), i * c);
    const Vec<T> output = o * tanh(new_cell);
    store(i, gates + j, n...);
    store(f, gates + s.units + j, n...);
    store(c, gates + 2 * s.units + j, n...);
    store(o, gates + 3 * s.units + j, n...);
    store(new_cell, cell + j, n...);
    store(output, hidden + j, n...);
    store(output, next + j, n...);
  });
}

template <class T>
void lstm_rows(const PydlLstmArgs& args, const StepWeights<T>& weights, int64_t first, int64_t rows,
               T* scratch, T* split) {
  const PydlSequence& s = args.sequence;
  const int64_t stride = step_row<T>(s.units), gate = rows * stride;
  T *state = scratch, *next = state + rows * stride, *product = next + rows * stride;
  for (int64_t r = 0; r < rows; ++r) {
    copy_or_clear(at<T>(args.initial_hidden, first + r, 1, 0, s.units), s.units,
                  state + r * stride);
  }
  for (int64_t step = 0; step < s.steps; ++step) {
    const StepRows<T> hidden = weights.rows(state, stride, rows, split);
    weights.multiply(hidden, 0, kLstmGates, step, {product, gate, stride});
    // Row by row: rows of gates may be whole pages apart, and reading one just after writing to the
    // same place of another page waits for that.
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t begin = r * stride;
      lstm_units(args, first + r, step, product + begin, gate, state + begin, next + begin);
    }
    T* swapped = state;
    state = next;
    next = swapped;
  }
}

template <class T>
PydlStatus lstm_forward(const PydlContext* context, const PydlLstmArgs& args) {
  const PydlSequence& s = args.sequence;
  const auto weights = forward_weights<T>(context, s, kLstmGates, 0, kLstmGates);
  if (!weights) return PYDL_ERROR_MEMORY;
  const int64_t size = (2 + kLstmGates) * step_row<T>(s.units);
  return for_batch_rows<T>(context, s, kLstmGates, weights, size,
                           [&](auto... share) { lstm_rows<T>(args, weights, share...); });
}

// One row of the batch. `dh` and `dc` carry the gradients of the state from step to step; what came
// through the recurrent product of the next step is still in `product`.
template <class T>
void lstm_backward_units(const PydlLstmBackwardArgs& args, int64_t row, int64_t step,
                         const T* product, T* d_row) {
  const PydlSequence& s = args.sequence;
  const int64_t units = s.units;
  const T* gates = at<T>(args.gates, row, s.steps, step, kLstmGates * units);
  const T* cell = at<T>(args.cell, row, s.steps, step, units);
  const T* last_cell = before<T>(s, args.cell, args.initial_cell, row, step);
  const T* dy = at<T>(args.hidden_gradient, row, s.steps, step, units);
  T* d_gates = at<T>(args.gates_gradient, row, s.steps, step, kLstmGates * units);
  T* dh = at<T>(args.initial_hidden_gradient, row, 1, 0, units);
  T* dc = at<T>(args.initial_cell_gradient, row, 1, 0, units);
  const bool masked = is_masked(s, row, step);
  if (masked) {
    memset(d_gates, 0, static_cast<size_t>(kLstmGates * units) * sizeof(T));
    memset(d_row, 0, static_cast<size_t>(kLstmGates * units) * sizeof(T));
  }
  for_registers<T>(units, [&](int64_t j, auto... n) {
    Vec<T> d = load(dh + j, n...) + load(product + j, n...);
    if (dy) d += load(dy + j, n...);
    if (masked) return store(d, dh + j, n...);
    // The hardware does not look ahead from step to step.
    for (int g = 0; g < kLstmGates; ++g) __builtin_prefetch(gates + (g - kLstmGates) * units + j);
    __builtin_prefetch(last_cell - units + j);
    if (dy) __builtin_prefetch(dy - units + j);
    const Vec<T> i = load(gates + j, n...), f = load(gates + units + j, n...);
    const Vec<T> c = load(gates + 2 * units + j, n...), o = load(gates + 3 * units + j, n...);
    const Vec<T> y = tanh(load(cell + j, n...));
    const Vec<T> d_cell = fma(d * o, Vec<T>(1) - y * y, load(dc + j, n...));
    const Vec<T> d_sums[kLstmGates] = {
        d_cell * c * i * (Vec<T>(1) - i), d_cell * load(last_cell + j, n...) * f * (Vec<T>(1) - f),
        d_cell * i * (Vec<T>(1) - c * c), d * y * o * (Vec<T>(1) - o)};
    for (int g = 0; g < kLstmGates; ++g) {
      store(d_sums[g], d_gates + g * units + j, n...);
      store(d_sums[g], d_row + g * units + j, n...);
    }
    store(Vec<T>(T(0)), dh + j, n...);
    store(d_cell * f, dc + j, n...);
  });
}

// What the gradients of the gates of a step are multiplied by: the recurrent kernel and, where both
// stay in the second-level cache, the kernel.
template <class T>
struct LstmBackwardWeights {
  StepWeights<T> recurrent, inputs;

  LstmBackwardWeights(const PydlContext* context, const PydlLstmBackwardArgs& args)
      : recurrent(backward_weights<T>(context, args.sequence, kLstmGates, 0, kLstmGates)),
        inputs(context, static_cast<const T*>(args.kernel), 1, kLstmGates * args.sequence.units,
               kLstmGates * args.sequence.units, inputs_width(args, recurrent), 1,
               args.sequence.batch) {}
  explicit operator bool() const { return recurrent && inputs; }

 private:
  static int64_t inputs_width(const PydlLstmBackwardArgs& args, const StepWeights<T>& recurrent) {
    const int64_t units = args.sequence.units;
    const bool fit = recurrent.bytes() * (units + args.features) <= kKeptWeights * units;
    return args.inputs_gradient && recurrent.split() && fit ? args.features : 0;
  }
};

template <class T>
void lstm_backward_rows(const PydlLstmBackwardArgs& args, const LstmBackwardWeights<T>& weights,
                        int64_t first, int64_t rows, T* scratch, T* split) {
  const PydlSequence& s = args.sequence;
  const int64_t stride = step_row<T>(s.units), d_stride = step_row<T>(kLstmGates * s.units);
  T *product = scratch, *d_rows = scratch + rows * stride;
  T* dh = begin_backward<T>(s, args.last_hidden_gradient, args.initial_hidden_gradient, first, rows,
                            product);
  copy_or_clear(at<T>(args.last_cell_gradient, first, 1, 0, s.units), rows * s.units,
                at<T>(args.initial_cell_gradient, first, 1, 0, s.units));
  for (int64_t step = s.steps; step-- > 0;) {
    for (int64_t r = 0; r < rows; ++r) {
      lstm_backward_units(args, first + r, step, product + r * stride, d_rows + r * d_stride);
    }
    const StepRows<T> d = weights.recurrent.rows(d_rows, d_stride, rows, split);
    weights.recurrent.multiply(d, 0, 1, step, {product, 0, stride});
    T* d_inputs = at<T>(args.inputs_gradient, first, s.steps, step, args.features);
    weights.inputs.multiply(d, 0, 1, step, {d_inputs, 0, s.steps * args.features});
  }
  add_products(product, stride, rows, s.units, dh);
}

// The gradient of x as one product of all steps.
inline PydlStatus lstm_inputs_gradient(const PydlContext* context,
                                       const PydlLstmBackwardArgs& args) {
  PydlGemmArgs product = {};
  product.dtype = product.out_dtype = args.sequence.dtype;
  product.m = args.sequence.batch * args.sequence.steps;
  product.n = product.c_row_stride = args.features;
  product.k = product.a_row_stride = product.b_col_stride = kLstmGates * args.sequence.units;
  product.a_col_stride = product.b_row_stride = 1;
  product.a = args.gates_gradient;
  product.b = args.kernel;
  product.c = args.inputs_gradient;
  return gemm(context, &product);
}

template <class T>
PydlStatus lstm_backward(const PydlContext* context, const PydlLstmBackwardArgs& args) {
  const PydlSequence& s = args.sequence;
  const LstmBackwardWeights<T> weights(context, args);
  if (!weights) return PYDL_ERROR_MEMORY;
  const int64_t size = step_row<T>(s.units) + step_row<T>(kLstmGates * s.units);
  const PydlStatus status = for_batch_rows<T>(
      context, s, kLstmGates, weights.recurrent, size,
      [&](auto... share) { lstm_backward_rows<T>(args, weights, share...); });
  const bool done = !args.inputs_gradient || weights.inputs.panels() > 0;
  return status == PYDL_OK && !done ? lstm_inputs_gradient(context, args) : status;
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
