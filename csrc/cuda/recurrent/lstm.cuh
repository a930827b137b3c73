// The steps of an LSTM.
#pragma once

#include "cuda/recurrent/steps.cuh"

namespace pydl::cuda {
namespace {

constexpr int kLstmGates = 4;

template <class T>
struct LstmStep {
  StepMask mask;
  int64_t units;
  StepArray<T> gates, hidden, cell, last_hidden, last_cell;

  __device__ void operator()(int64_t r, int64_t j, const T (&product)[kLstmGates]) const {
    if (mask.hides(r)) {
      cell.at(r, j) = last_cell.get(r, j);
      hidden.at(r, j) = last_hidden.get(r, j);
      return;
    }
    T* gate = &gates.at(r, j);
    const T i = sigmoid(gate[0] + product[0]), f = sigmoid(gate[units] + product[1]);
    const T c = ::tanh(gate[2 * units] + product[2]), o = sigmoid(gate[3 * units] + product[3]);
    gate[0] = i;
    gate[units] = f;
    gate[2 * units] = c;
    gate[3 * units] = o;
    const T new_cell = f * last_cell.get(r, j) + i * c;
    cell.at(r, j) = new_cell;
    hidden.at(r, j) = o * ::tanh(new_cell);
  }
};

template <class T>
PydlStatus lstm_forward(const PydlContext* context, const PydlLstmArgs& args) {
  const PydlSequence& s = args.sequence;
  PydlStatus status = PYDL_OK;
  for (int64_t step = 0; step < s.steps && status == PYDL_OK; ++step) {
    const auto last_hidden = before<T>(args.hidden, args.initial_hidden, s, step);
    const LstmStep<T> run = {StepMask(s, step),
                             s.units,
                             at_step<T>(args.gates, s, step, kLstmGates * s.units),
                             at_step<T>(args.hidden, s, step, s.units),
                             at_step<T>(args.cell, s, step, s.units),
                             last_hidden,
                             before<T>(args.cell, args.initial_cell, s, step)};
    status = run_step<kLstmGates>(context, s, forward_product(s, last_hidden, kLstmGates), run);
  }
  return status;
}

// `dh` and `dc` carry the gradients of the state from step to step; what comes through the recurrent
// product of the next step comes as `product`.
template <class T>
struct LstmBackwardStep {
  StepMask mask;
  int64_t units;
  StepArray<T> gates, cell, last_cell, dy, d_gates, dh, dc;

  __device__ void operator()(int64_t r, int64_t j, const T (&product)[1]) const {
    const T d = dh.at(r, j) + product[0] + dy.get(r, j);
    T* d_gate = &d_gates.at(r, j);
    if (mask.hides(r)) {
      for (int g = 0; g < kLstmGates; ++g) d_gate[g * units] = 0;
      dh.at(r, j) = d;
      return;
    }
    const T* gate = &gates.at(r, j);
    const T i = gate[0], f = gate[units], c = gate[2 * units], o = gate[3 * units];
    const T y = ::tanh(cell.at(r, j));
    const T d_cell = d * o * (T(1) - y * y) + dc.at(r, j);
    d_gate[0] = d_cell * c * i * (T(1) - i);
    d_gate[units] = d_cell * last_cell.get(r, j) * f * (T(1) - f);
    d_gate[2 * units] = d_cell * i * (T(1) - c * c);
    d_gate[3 * units] = d * y * o * (T(1) - o);
    dh.at(r, j) = 0;
    dc.at(r, j) = d_cell * f;
  }
};

template <class T>
PydlStatus lstm_backward(const PydlContext* context, const PydlLstmBackwardArgs& args) {
  const PydlSequence& s = args.sequence;
  const auto dh = once<T>(args.initial_hidden_gradient, s);
  const auto dc = once<T>(args.initial_cell_gradient, s);
  PydlStatus status = begin_carry<T>(context, s, args.last_hidden_gradient, dh.data);
  if (status == PYDL_OK) status = begin_carry<T>(context, s, args.last_cell_gradient, dc.data);
  StepArray<T> next = {nullptr, 0};  // the gates' gradient of the step before, in this order
  const auto product = [&] { return backward_product(s, next, kLstmGates, 0, kLstmGates); };
  for (int64_t step = s.steps; step-- > 0 && status == PYDL_OK;) {
    const LstmBackwardStep<T> run = {StepMask(s, step),
                                     s.units,
                                     at_step<T>(args.gates, s, step, kLstmGates * s.units),
                                     at_step<T>(args.cell, s, step, s.units),
                                     before<T>(args.cell, args.initial_cell, s, step),
                                     at_step<T>(args.hidden_gradient, s, step, s.units),
                                     at_step<T>(args.gates_gradient, s, step, kLstmGates * s.units),
                                     dh,
                                     dc};
    status = run_step<1>(context, s, product(), run);
    next = run.d_gates;
  }
  return status != PYDL_OK ? status : run_step<1>(context, s, product(), AddProduct<T>{dh});
}

}  // namespace
}  // namespace pydl::cuda
