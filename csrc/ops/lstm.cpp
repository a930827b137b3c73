#include "ops/recurrence.h"

namespace pydl {
namespace {

struct LstmCell {
  static constexpr const char* kName = "lstm";
  static constexpr int kGates = 4, kStates = 2;
  static constexpr bool kOneProduct = true;

  Dims bias_shape(int64_t units) const { return {kGates * units}; }
  Tensor input_bias(const Tensor& bias) const { return bias; }
  Tensor bias_gradient(const SequenceGradients& d, DType dtype) const {
    return sum_of_rows(d.gates, dtype);
  }
  Tensor recurrent_gradient(const Recurrence& r, const Tensor& hidden, const std::vector<Tensor>&,
                            const SequenceGradients& d) const {
    return matmul(swap_last(previous_rows(hidden, r.states[0])), as_rows(d.recurrent));
  }

  SequenceResult forward(const Op& op, const Recurrence& r, const Tensor& gates) const {
    Dims shape = {r.x.size(0), r.x.size(1), r.recurrent_kernel.size(0)};
    Tensor hidden = Tensor::empty(shape, r.x.dtype(), op.device());
    Tensor cell = Tensor::empty(shape, r.x.dtype(), op.device());
    PydlLstmArgs args = {};
    args.sequence = sequence_args(r);
    args.initial_hidden = r.states[0].data();
    args.initial_cell = r.states[1].data();
    args.gates = gates.data();
    args.hidden = hidden.data();
    args.cell = cell.data();
    op.launch(&PydlKernelTable::lstm_forward, args);
    return {
        hidden, {last_state(hidden, r.states[0]), last_state(cell, r.states[1])}, {gates, cell}};
  }

  SequenceGradients backward(const Op& op, const Recurrence& inputs, const Tensor&,
                             const std::vector<Tensor>& kept,
                             const std::vector<Tensor>& gradients, bool wants_x) const {
    Recurrence r = inputs;
    r.recurrent_kernel = contiguous(r.recurrent_kernel);
    r.kernel = contiguous(r.kernel);
    Tensor initial_cell = contiguous(r.states[1]);
    std::vector<Tensor> dense;
    for (const Tensor& each : gradients) dense.push_back(each.defined() ? contiguous(each) : each);
    auto like = [&](const Tensor& x) { return Tensor::empty(x.shape(), x.dtype(), op.device()); };
    Tensor d_gates = like(kept[0]);
    std::vector<Tensor> d_states = {like(r.states[0]), like(r.states[1])};
    PydlLstmBackwardArgs args = {};
    args.sequence = sequence_args(r);
    args.initial_cell = initial_cell.data();
    args.gates = kept[0].data();
    args.cell = kept[1].data();
    args.hidden_gradient = data_or_null(dense[0]);
    args.last_hidden_gradient = data_or_null(dense[1]);
    args.last_cell_gradient = data_or_null(dense[2]);
    args.gates_gradient = d_gates.data();
    args.initial_hidden_gradient = d_states[0].data();
    args.initial_cell_gradient = d_states[1].data();
    Tensor d_x;
    if (wants_x && op.device().type == DeviceType::cpu) {
      d_x = like(r.x);
      args.inputs_gradient = d_x.data();
      args.kernel = r.kernel.data();
      args.features = r.x.size(2);
    }
    op.launch(&PydlKernelTable::lstm_backward, args);
    return {d_gates, d_gates, d_states, d_x};
  }

  std::vector<Tensor> step(const Tensor& gates, const Recurrence& r,
                           const std::vector<Tensor>& states) const {
    int64_t units = r.recurrent_kernel.size(0);
    Tensor sums = add(gates, matmul(states[0], r.recurrent_kernel));
    std::vector<Tensor> part = split(sums, {units, units, units, units}, 1);
    Tensor cell =
        add(multiply(sigmoid(part[1]), states[1]), multiply(sigmoid(part[0]), tanh(part[2])));
    return {multiply(sigmoid(part[3]), tanh(cell)), cell};
  }
};

}  // namespace

std::vector<Tensor> lstm(const Recurrence& inputs) { return run_recurrent(LstmCell{}, inputs); }

}  // namespace pydl
