// The steps of a fully connected recurrent layer.
#pragma once

#include "cpu/activation.h"
#include "cpu/recurrent/steps.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

template <class T>
void simple_rnn_rows(const PydlSimpleRnnArgs& args, const StepWeights<T>& weights, int64_t first,
                     int64_t rows, T* scratch, T* split) {
  const PydlSequence& s = args.sequence;
  const int64_t stride = step_row<T>(s.units);
  T *state = scratch, *product = scratch + rows * stride;
  for (int64_t r = 0; r < rows; ++r) {
    copy_or_clear(at<T>(args.initial_hidden, first + r, 1, 0, s.units), s.units,
                  state + r * stride);
  }
  for (int64_t step = 0; step < s.steps; ++step) {
    weights.multiply(weights.rows(state, stride, rows, split), 0, 1, step, {product, 0, stride});
    for (int64_t r = 0; r < rows; ++r) {
      const T* x = at<T>(args.inputs, first + r, s.steps, step, s.units);
      T* hidden = at<T>(args.hidden, first + r, s.steps, step, s.units);
      T* row_state = state + r * stride;
      if (is_masked(s, first + r, step)) {
        copy_or_clear(row_state, s.units, hidden);
        continue;
      }
      with_activation<T>(args.activation, [&](auto f) {
        for_registers<T>(s.units, [&](int64_t j, auto... n) {
          const Vec<T> y = f(load(x + j, n...) + load(product + r * stride + j, n...));
          store(y, hidden + j, n...);
          store(y, row_state + j, n...);
        });
      });
    }
  }
}

template <class T>
PydlStatus simple_rnn_forward(const PydlContext* context, const PydlSimpleRnnArgs& args) {
  const PydlSequence& s = args.sequence;
  const auto weights = forward_weights<T>(context, s, 1, 0, 1);
  if (!weights) return PYDL_ERROR_MEMORY;
  return for_batch_rows<T>(context, s, 1, weights, 2 * step_row<T>(s.units),
                           [&](auto... share) { simple_rnn_rows<T>(args, weights, share...); });
}

// Calls body(slope), the derivative of the activation as a function of its result.
template <class T, class Body>
inline void with_slope(PydlActivation activation, Body&& body) {
  switch (activation) {
    case PYDL_ACTIVATION_RELU:
      return body([](Vec<T> y) { return select(y > T(0), Vec<T>(1), 0); });
    case PYDL_ACTIVATION_SIGMOID:
      return body([](Vec<T> y) { return y * (Vec<T>(1) - y); });
    case PYDL_ACTIVATION_TANH:
      return body([](Vec<T> y) { return Vec<T>(1) - y * y; });
    default:
      return body([](Vec<T>) { return Vec<T>(1); });
  }
}

// One row of the batch; see lstm_backward_units.
template <class T>
void simple_rnn_backward_units(const PydlSimpleRnnBackwardArgs& args, int64_t row, int64_t step,
                               const T* product, T* d_row) {
  const PydlSequence& s = args.sequence;
  const T* hidden = at<T>(args.hidden, row, s.steps, step, s.units);
  const T* dy = at<T>(args.hidden_gradient, row, s.steps, step, s.units);
  T* dx = at<T>(args.inputs_gradient, row, s.steps, step, s.units);
  T* dh = at<T>(args.initial_hidden_gradient, row, 1, 0, s.units);
  const bool masked = is_masked(s, row, step);
  with_slope<T>(args.activation, [&](auto slope) {
    for_registers<T>(s.units, [&](int64_t j, auto... n) {
      Vec<T> d = load(dh + j, n...) + load(product + j, n...);
      if (dy) d += load(dy + j, n...);
      const Vec<T> d_sum = masked ? Vec<T>(T(0)) : d * slope(load(hidden + j, n...));
      store(d_sum, dx + j, n...);
      store(d_sum, d_row + j, n...);
      store(masked ? d : Vec<T>(T(0)), dh + j, n...);
    });
  });
}

template <class T>
PydlStatus simple_rnn_backward(const PydlContext* context, const PydlSimpleRnnBackwardArgs& args) {
  const PydlSequence& s = args.sequence;
  const auto weights = backward_weights<T>(context, s, 1, 0, 1);
  if (!weights) return PYDL_ERROR_MEMORY;
  const int64_t stride = step_row<T>(s.units);
  return for_batch_rows<T>(context, s, 1, weights, 2 * stride, [&](int64_t first, int64_t rows,
                                                                   T* product, T* split) {
    T* d_rows = product + rows * stride;
    T* dh = begin_backward<T>(s, args.last_hidden_gradient, args.initial_hidden_gradient, first,
                              rows, product);
    for (int64_t step = s.steps; step-- > 0;) {
      for (int64_t r = 0; r < rows; ++r) {
        simple_rnn_backward_units(args, first + r, step, product + r * stride, d_rows + r * stride);
      }
      weights.multiply(weights.rows(d_rows, stride, rows, split), 0, 1, step, {product, 0, stride});
    }
    add_products(product, stride, rows, s.units, dh);
  });
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
