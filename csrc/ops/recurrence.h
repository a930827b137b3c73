// What the recurrent ops share. A Cell has
//   kName, kGates, kStates
//   kOneProduct                    whether hidden states before each step meet the same gradient as
//                                  the inputs
//   bias_shape(units), input_bias(bias), bias_gradient(gradients, dtype)
//   forward(op, inputs, gates)                     the kernel; `gates` is x @ kernel + bias
//   backward(op, inputs, hidden, kept, gradients, wants_x)
//                                  the kernel, from the gradients of forward's results, undefined
//                                  where they are 0
//   recurrent_gradient(inputs, hidden, kept, gradients)  of the recurrent kernel
//   step(gates, inputs, states)                    one step as separate ops
#pragma once

#include "autograd/engine.h"
#include "ops/gemm.h"
#include "ops/recurrent.h"
#include "pydl/kernels/recurrent.h"

namespace pydl {

struct SequenceResult {
  Tensor hidden;
  std::vector<Tensor> last;  // states
  std::vector<Tensor> kept;  // for backward
};

struct SequenceGradients {
  Tensor gates;      // of x @ kernel + bias
  Tensor recurrent;  // of hidden @ recurrent_kernel
  std::vector<Tensor> states;
  Tensor x;  // undefined where the kernel does not make it
};

// Checks them, fills in states of zeros, and brings all to one dtype and x and mask to the order of
// computation.
Recurrence prepared(const Op& op, const Recurrence& inputs, int gates, int states,
                    const Dims& bias_shape);
PydlSequence sequence_args(const Recurrence& inputs);
// What a sequence of states ends with.
Tensor last_state(const Tensor& sequence, const Tensor& initial);
// Hidden states before each step, as rows.
Tensor previous_rows(const Tensor& hidden, const Tensor& initial);
// The gradients of both kernels where one product gives them.
std::vector<Tensor> kernel_gradients(const Recurrence& inputs, const Tensor& hidden,
                                     const Tensor& gates);
Tensor sum_of_rows(const Tensor& x, DType dtype);

// The whole sequence as separate ops, which can be differentiated any number of times.
template <class Cell>
std::vector<Tensor> unrolled(const Cell& cell, const Recurrence& inputs) {
  Tensor gates = linear(inputs.x, inputs.kernel, cell.input_bias(inputs.bias), "");
  std::vector<Tensor> states = inputs.states, hidden;
  std::vector<Tensor> masks;
  if (inputs.mask.defined()) masks = unstack(expand_dims(inputs.mask, {2}), 1);
  for (const Tensor& now : unstack(gates, 1)) {
    std::vector<Tensor> next = cell.step(now, inputs, states);
    for (size_t i = 0; i < next.size(); ++i)
      states[i] = masks.empty() ? next[i] : where(masks[hidden.size()], next[i], states[i]);
    hidden.push_back(states[0]);
  }
  Dims no_steps = {inputs.x.size(0), 0, inputs.recurrent_kernel.size(0)};
  states.insert(states.begin(), hidden.empty() ? full(no_steps, 0, gates.dtype(), gates.device())
                                               : stack(hidden, 1));
  return states;
}

template <class Cell>
struct RecurrentBackward {
  Cell cell;
  Saved x, kernel, recurrent_kernel, bias;
  std::vector<Saved> states;
  Tensor mask;
  SavedOutput hidden;
  std::vector<Tensor> kept;

  Recurrence inputs(const Backward& b) const {
    Recurrence r = {b[x], b[kernel], b[recurrent_kernel], b[bias], {}, mask};
    for (const Saved& state : states) r.states.push_back(b[state]);
    return r;
  }

  void by_kernel(Backward& b, const Recurrence& r, const std::vector<Tensor>& gradients) const {
    Op op(Cell::kName, r.x, gradients[0]);
    Tensor y = b[hidden];
    SequenceGradients d = cell.backward(op, r, y, kept, gradients, b.needs(0));
    Tensor rows = as_rows(d.gates);
    if (b.needs(0)) b.give(0, d.x.defined() ? d.x : matmul(d.gates, swap_last(r.kernel)));
    if (Cell::kOneProduct && b.needs(1) && b.needs(2)) {
      std::vector<Tensor> both = kernel_gradients(r, y, d.gates);
      b.give(1, both[0]);
      b.give(2, both[1]);
    } else {
      if (b.needs(1)) b.give(1, matmul(swap_last(as_rows(r.x)), rows));
      if (b.needs(2)) b.give(2, cell.recurrent_gradient(r, y, kept, d));
    }
    if (b.needs(3)) b.give(3, cell.bias_gradient(d, r.x.dtype()));
    for (int i = 0; i < Cell::kStates; ++i)
      if (b.needs(4 + i)) b.give(4 + i, d.states[i]);
  }

  void by_ops(Backward& b, const Recurrence& r, const std::vector<Tensor>& gradients) const {
    // Through new nodes, so that a gradient does not also flow through what one input shares with
    // another.
    auto entry = [](const Tensor& t) { return t.defined() ? reshape(t, t.shape()) : t; };
    Recurrence fresh = {entry(r.x), entry(r.kernel), entry(r.recurrent_kernel), entry(r.bias),
                        {},         r.mask};
    for (const Tensor& state : r.states) fresh.states.push_back(entry(state));
    std::vector<Tensor> all = {fresh.x, fresh.kernel, fresh.recurrent_kernel, fresh.bias}, wanted;
    all.insert(all.end(), fresh.states.begin(), fresh.states.end());
    std::vector<int> positions;
    for (size_t i = 0; i < all.size(); ++i) {
      if (!requires_grad(all[i])) continue;
      wanted.push_back(all[i]);
      positions.push_back(static_cast<int>(i));
    }
    std::vector<Tensor> outputs = unrolled(cell, fresh), used, given;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!gradients[i].defined() || !requires_grad(outputs[i])) continue;
      used.push_back(outputs[i]);
      given.push_back(gradients[i]);
    }
    if (used.empty()) return;
    std::vector<Tensor> results = grad(used, wanted, given, true, true, true);
    for (size_t i = 0; i < results.size(); ++i) b.give(positions[i], results[i]);
  }

  void operator()(Backward& b) const {
    std::vector<Tensor> gradients;
    for (int i = 0; i <= Cell::kStates; ++i)
      gradients.push_back(b.has_grad(i) ? b.grad(i) : Tensor());
    grad_enabled() ? by_ops(b, inputs(b), gradients) : by_kernel(b, inputs(b), gradients);
  }
};

template <class Cell>
std::vector<Tensor> run_recurrent(const Cell& cell, const Recurrence& given) {
  std::vector<Tensor> inputs = {given.x, given.kernel, given.recurrent_kernel, given.bias};
  inputs.insert(inputs.end(), given.states.begin(), given.states.end());
  Op op(Cell::kName, inputs);
  int64_t units = given.recurrent_kernel.rank() ? given.recurrent_kernel.size(0) : 0;
  Recurrence r = prepared(op, given, Cell::kGates, Cell::kStates, cell.bias_shape(units));
  DType dtype = given.x.dtype();
  for (const Tensor& input : inputs)
    if (input.defined()) dtype = promote(dtype, input.dtype());

  Recurrence plain = {r.x.detach(),
                      r.kernel.detach(),
                      contiguous(r.recurrent_kernel.detach()),
                      r.bias.defined() ? r.bias.detach() : r.bias,
                      {},
                      r.mask};
  for (const Tensor& state : r.states) plain.states.push_back(contiguous(state.detach()));
  Tensor gates = linear(plain.x, plain.kernel, cell.input_bias(plain.bias), "");
  SequenceResult result = cell.forward(op, plain, gates);
  std::vector<Tensor> outputs = {result.hidden};
  outputs.insert(outputs.end(), result.last.begin(), result.last.end());

  std::vector<Tensor> sources = {r.x, r.kernel, r.recurrent_kernel, r.bias};
  sources.insert(sources.end(), r.states.begin(), r.states.end());
  bool recorded = false;
  for (const Tensor& source : sources) recorded |= needs_grad(source);
  if (recorded)
    record(Cell::kName, outputs, sources,
           RecurrentBackward<Cell>{cell,
                                   r.x,
                                   r.kernel,
                                   r.recurrent_kernel,
                                   r.bias,
                                   {r.states.begin(), r.states.end()},
                                   r.mask,
                                   SavedOutput(result.hidden),
                                   result.kept});
  for (Tensor& output : outputs) output = cast(output, dtype);
  return outputs;
}

}  // namespace pydl
