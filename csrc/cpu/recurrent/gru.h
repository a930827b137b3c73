// The steps of a GRU. With reset_after the reset gate multiplies hidden @ recurrent, so one product
// serves all gates; otherwise it multiplies hidden, and that of the gate h comes after z and r.
#pragma once

#include "cpu/norm_parameters.h"
#include "cpu/recurrent/steps.h"
#include "cpu/simd/math.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int kGruGates = 3;

// Where a step of one row of the batch reads and writes.
template <class T>
struct GruUnits {
  const PydlSequence& s;
  bool masked;
  T *gates, *candidate, *hidden;

  GruUnits(const PydlGruArgs& args, int64_t row, int64_t step)
      : s(args.sequence),
        masked(is_masked(s, row, step)),
        gates(at<T>(args.gates, row, s.steps, step, kGruGates * s.units)),
        candidate(at<T>(args.candidate, row, s.steps, step, s.units)),
        hidden(at<T>(args.hidden, row, s.steps, step, s.units)) {}

  // z or r, from the product of its gate.
  template <class... Count>
  Vec<T> gate(int g, int64_t j, const T* product, const T* bias, Count... n) const {
    T* to = gates + g * s.units + j;
    Vec<T> sum = load(to, n...) + load(product + j, n...);
    if (bias) sum += load(bias + g * s.units + j, n...);
    const Vec<T> result = sigmoid(sum);
    store(result, to, n...);
    return result;
  }
  // hidden, from z and what is added to the input of h.
  template <class... Count>
  void finish(int64_t j, Vec<T> z, Vec<T> added, const T* state, T* next, Count... n) const {
    T* to = gates + 2 * s.units + j;
    const Vec<T> h = tanh(load(to, n...) + added);
    store(h, to, n...);
    const Vec<T> y = fma(z, load(state + j, n...) - h, h);
    store(y, hidden + j, n...);
    store(y, next + j, n...);
  }
  void keep(const T* state, T* next) const {
    copy_or_clear(state, s.units, hidden);
    copy_or_clear(state, s.units, next);
  }
};

template <class T>
void gru_reset_after_units(const GruUnits<T>& units, const T* product, int64_t product_gate,
                           const T* bias, const T* state, T* next) {
  if (units.masked) return units.keep(state, next);
  for_registers<T>(units.s.units, [&](int64_t j, auto... n) {
    const Vec<T> z = units.gate(0, j, product, bias, n...);
    const Vec<T> r = units.gate(1, j, product + product_gate, bias, n...);
    Vec<T> inner = load(product + 2 * product_gate + j, n...);
    if (bias) inner += load(bias + 2 * units.s.units + j, n...);
    store(inner, units.candidate + j, n...);
    units.finish(j, z, r * inner, state, next, n...);
  });
}

template <class T>
void gru_reset_after_step(const PydlGruArgs& args, const StepWeights<T>& weights, int64_t step,
                          int64_t first, int64_t rows, const T* state, T* next, T* product,
                          T* split) {
  const int64_t stride = step_row<T>(args.sequence.units), gate = rows * stride;
  const T* bias = static_cast<const T*>(args.recurrent_bias);
  const StepRows<T> hidden = weights.rows(state, stride, rows, split);
  weights.multiply(hidden, 0, kGruGates, step, {product, gate, stride});
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t begin = r * stride;
    gru_reset_after_units(GruUnits<T>(args, first + r, step), product + begin, gate, bias,
                          state + begin, next + begin);
  }
}

template <class T>
void gru_reset_before_step(const PydlGruArgs& args, const StepWeights<T>& weights, int64_t step,
                           int64_t first, int64_t rows, const T* state, T* next, T* product,
                          T* split) {
  const int64_t n = args.sequence.units, stride = step_row<T>(n), gate = rows * stride;
  T* reset = product + 2 * gate;  // r * hidden
  const StepRows<T> hidden = weights.rows(state, stride, rows, split);
  weights.multiply(hidden, 0, 2, step, {product, gate, stride});
  for (int64_t r = 0; r < rows; ++r) {
    const GruUnits<T> units(args, first + r, step);
    const int64_t begin = r * stride;
    for_registers<T>(n, [&](int64_t j, auto... count) {
      const int64_t i = begin + j;
      if (units.masked) return store(Vec<T>(T(0)), reset + i, count...);
      units.gate(0, j, product + begin, nullptr, count...);
      const Vec<T> r_gate = units.gate(1, j, product + gate + begin, nullptr, count...);
      store(r_gate * load(state + i, count...), reset + i, count...);
    });
  }
  weights.multiply(weights.rows(reset, stride, rows, split), 2, 1, step, {product, 0, stride});
  for (int64_t r = 0; r < rows; ++r) {
    const GruUnits<T> units(args, first + r, step);
    const T* row_state = state + r * stride;
    T* row_next = next + r * stride;
    if (units.masked) {
      units.keep(row_state, row_next);
      continue;
    }
    for_registers<T>(n, [&](int64_t j, auto... count) {
      units.finish(j, load(units.gates + j, count...), load(product + r * stride + j, count...),
                   row_state, row_next, count...);
    });
  }
}

template <class T>
PydlStatus gru_forward(const PydlContext* context, const PydlGruArgs& args) {
  const PydlSequence& s = args.sequence;
  const auto weights = forward_weights<T>(context, s, kGruGates, 0, kGruGates);
  if (!weights) return PYDL_ERROR_MEMORY;
  const auto step_forward = args.reset_after ? gru_reset_after_step<T> : gru_reset_before_step<T>;
  const int64_t stride = step_row<T>(s.units);
  return for_batch_rows<T>(
      context, s, kGruGates, weights, (2 + kGruGates) * stride,
      [&](int64_t first, int64_t rows, T* scratch, T* split) {
        T *state = scratch, *next = state + rows * stride, *products = next + rows * stride;
        for (int64_t r = 0; r < rows; ++r) {
          copy_or_clear(at<T>(args.initial_hidden, first + r, 1, 0, s.units), s.units,
                        state + r * stride);
        }
        for (int64_t step = 0; step < s.steps; ++step) {
          step_forward(args, weights, step, first, rows, state, next, products, split);
          T* swapped = state;
          state = next;
          next = swapped;
        }
      });
}

// The gradients of one step of one row of the batch.
template <class T>
struct GruGradients {
  const PydlSequence& s;
  bool masked;
  const T *gates, *candidate, *last_hidden, *dy;
  T *d_gates, *d_recurrent, *dh;

  GruGradients(const PydlGruBackwardArgs& args, int64_t row, int64_t step)
      : s(args.sequence),
        masked(is_masked(s, row, step)),
        gates(at<T>(args.gates, row, s.steps, step, kGruGates * s.units)),
        candidate(at<T>(args.candidate, row, s.steps, step, s.units)),
        last_hidden(before<T>(s, args.hidden, args.initial_hidden, row, step)),
        dy(at<T>(args.hidden_gradient, row, s.steps, step, s.units)),
        d_gates(at<T>(args.gates_gradient, row, s.steps, step, kGruGates * s.units)),
        d_recurrent(at<T>(args.recurrent_gradient, row, s.steps, step, kGruGates * s.units)),
        dh(at<T>(args.initial_hidden_gradient, row, 1, 0, s.units)) {}

  // Of the sums of z and h; z of the gradient of hidden goes on to the step before. `d_row`
  // receives that of z.
  template <class... Count>
  Vec<T> of_update(int64_t j, const T* product, T* d_row, Count... n) const {
    Vec<T> d = load(dh + j, n...) + load(product + j, n...);
    if (dy) d += load(dy + j, n...);
    if (masked) {
      store(d, dh + j, n...);
      return T(0);
    }
    const Vec<T> z = load(gates + j, n...), h = load(gates + 2 * s.units + j, n...);
    const Vec<T> d_z = d * (load(last_hidden + j, n...) - h) * z * (Vec<T>(1) - z);
    const Vec<T> d_h = d * (Vec<T>(1) - z) * (Vec<T>(1) - h * h);
    store(d_z, d_gates + j, n...);
    store(d_z, d_row + j, n...);
    store(d_h, d_gates + 2 * s.units + j, n...);
    store(d * z, dh + j, n...);
    return d_h;
  }
  void clear(T* array) const {
    if (array) memset(array, 0, static_cast<size_t>(kGruGates * s.units) * sizeof(T));
  }
};

template <class T>
void gru_reset_after_backward(const GruGradients<T>& g, const T* product, T* d_row) {
  const int64_t units = g.s.units;
  if (g.masked) {
    g.clear(g.d_gates);
    g.clear(g.d_recurrent);
    g.clear(d_row);
  }
  for_registers<T>(units, [&](int64_t j, auto... n) {
    const Vec<T> d_h = g.of_update(j, product, d_row, n...);
    if (g.masked) return;
    const Vec<T> r = load(g.gates + units + j, n...);
    const Vec<T> d_r = d_h * load(g.candidate + j, n...) * r * (Vec<T>(1) - r), d_inner = d_h * r;
    store(d_r, g.d_gates + units + j, n...);
    store(load(d_row + j, n...), g.d_recurrent + j, n...);
    store(d_r, g.d_recurrent + units + j, n...);
    store(d_inner, g.d_recurrent + 2 * units + j, n...);
    store(d_r, d_row + units + j, n...);
    store(d_inner, d_row + 2 * units + j, n...);
  });
}

template <class T>
PydlStatus gru_reset_after_backward(const PydlContext* context, const PydlGruBackwardArgs& args) {
  const PydlSequence& s = args.sequence;
  const auto weights = backward_weights<T>(context, s, kGruGates, 0, kGruGates);
  if (!weights) return PYDL_ERROR_MEMORY;
  const int64_t stride = step_row<T>(s.units), d_stride = step_row<T>(kGruGates * s.units);
  return for_batch_rows<T>(
      context, s, kGruGates, weights, stride + d_stride,
      [&](int64_t first, int64_t rows, T* product, T* split) {
        T* d_rows = product + rows * stride;
        T* dh = begin_backward<T>(s, args.last_hidden_gradient, args.initial_hidden_gradient, first,
                                  rows, product);
        for (int64_t step = s.steps; step-- > 0;) {
          for (int64_t r = 0; r < rows; ++r) {
            gru_reset_after_backward(GruGradients<T>(args, first + r, step), product + r * stride,
                                     d_rows + r * d_stride);
          }
          weights.multiply(weights.rows(d_rows, d_stride, rows, split), 0, 1, step,
                           {product, 0, stride});
        }
        add_products(product, stride, rows, s.units, dh);
      });
}

// d_row gets the gradients of the sums of z and of h, the latter where r will be.
template <class T>
void gru_reset_before_backward_h(const GruGradients<T>& g, const T* product, T* d_row) {
  if (g.masked) {
    g.clear(g.d_gates);
    memset(d_row, 0, static_cast<size_t>(2 * g.s.units) * sizeof(T));
  }
  for_registers<T>(g.s.units, [&](int64_t j, auto... n) {
    const Vec<T> d_h = g.of_update(j, product, d_row, n...);
    store(d_h, d_row + g.s.units + j, n...);
  });
}

// `product` holds the gradient of r * hidden.
template <class T>
void gru_reset_before_backward_r(const GruGradients<T>& g, const T* product, T* d_row) {
  if (g.masked) return;
  const int64_t units = g.s.units;
  for_registers<T>(units, [&](int64_t j, auto... n) {
    const Vec<T> d = load(product + j, n...), r = load(g.gates + units + j, n...);
    const Vec<T> d_r = d * load(g.last_hidden + j, n...) * r * (Vec<T>(1) - r);
    store(d_r, g.d_gates + units + j, n...);
    store(d_r, d_row + units + j, n...);
    store(fma(d, r, load(g.dh + j, n...)), g.dh + j, n...);
  });
}

template <class T>
PydlStatus gru_reset_before_backward(const PydlContext* context, const PydlGruBackwardArgs& args) {
  const PydlSequence& s = args.sequence;
  const auto weights = backward_weights<T>(context, s, kGruGates, 0, 2);
  const auto weights_h = backward_weights<T>(context, s, kGruGates, 2, 1);
  if (!weights || !weights_h) return PYDL_ERROR_MEMORY;
  const int64_t stride = step_row<T>(s.units), d_stride = step_row<T>(2 * s.units);
  return for_batch_rows<T>(
      context, s, kGruGates, weights, stride + d_stride,
      [&](int64_t first, int64_t rows, T* product, T* split) {
        T* d_rows = product + rows * stride;
        T* dh = begin_backward<T>(s, args.last_hidden_gradient, args.initial_hidden_gradient, first,
                                  rows, product);
        for (int64_t step = s.steps; step-- > 0;) {
          for (int64_t r = 0; r < rows; ++r) {
            gru_reset_before_backward_h(GruGradients<T>(args, first + r, step),
                                        product + r * stride, d_rows + r * d_stride);
          }
          weights_h.multiply(weights_h.rows(d_rows + s.units, d_stride, rows, split), 0, 1, step,
                             {product, 0, stride});
          for (int64_t r = 0; r < rows; ++r) {
            gru_reset_before_backward_r(GruGradients<T>(args, first + r, step),
                                        product + r * stride, d_rows + r * d_stride);
          }
          weights.multiply(weights.rows(d_rows, d_stride, rows, split), 0, 1, step,
                           {product, 0, stride});
        }
        add_products(product, stride, rows, s.units, dh);
      });
}

template <class T>
PydlStatus gru_backward(const PydlContext* context, const PydlGruBackwardArgs& args) {
  return args.reset_after ? gru_reset_after_backward<T>(context, args)
                          : gru_reset_before_backward<T>(context, args);
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
