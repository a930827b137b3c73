#include "ops/recurrence.h"

namespace pydl {
namespace {

Tensor columns(const Tensor& rows, int64_t begin, int64_t count) {
  return slice(rows, {0, begin}, {rows.size(0), count}, {1, 1});
}

struct GruCell {
  static constexpr const char* kName = "gru";
  static constexpr int kGates = 3, kStates = 1;
  static constexpr bool kOneProduct = false;

  bool reset_after;  // the bias is then that of x @ kernel and that of hidden @ recurrent_kernel

  Dims bias_shape(int64_t units) const {
    return reset_after ? Dims{2, kGates * units} : Dims{kGates * units};
  }
  Tensor input_bias(const Tensor& bias) const { return row(bias, 0); }
  Tensor row(const Tensor& bias, int64_t i) const {
    if (!bias.defined() || !reset_after) return i ? Tensor() : bias;
    return reshape(slice(bias, {i, 0}, {1, bias.size(1)}, {1, 1}), {bias.size(1)});
  }
  Tensor bias_gradient(const SequenceGradients& d, DType dtype) const {
    Tensor of_input = sum_of_rows(d.gates, dtype);
    return reset_after ? stack({of_input, sum_of_rows(d.recurrent, dtype)}) : of_input;
  }
  Tensor recurrent_gradient(const Recurrence& r, const Tensor& hidden,
                            const std::vector<Tensor>& kept, const SequenceGradients& d) const {
    Tensor previous = previous_rows(hidden, r.states[0]), rows = as_rows(d.recurrent);
    if (reset_after) return matmul(swap_last(previous), rows);
    int64_t units = r.recurrent_kernel.size(0);
    Tensor reset = columns(as_rows(kept[0]), units, units);
    if (r.mask.defined())  // there the kernel left no gates
      reset = where(reshape(r.mask, {r.mask.count(), 1}), reset, constant(0, reset));
    return concatenate({matmul(swap_last(previous), contiguous(columns(rows, 0, 2 * units))),
                        matmul(swap_last(multiply(previous, reset)),
                               contiguous(columns(rows, 2 * units, units)))});
  }

  SequenceResult forward(const Op& op, const Recurrence& r, const Tensor& gates) const {
    Dims shape = {r.x.size(0), r.x.size(1), r.recurrent_kernel.size(0)};
    Tensor hidden = Tensor::empty(shape, r.x.dtype(), op.device()), candidate;
    if (reset_after) candidate = Tensor::empty(shape, r.x.dtype(), op.device());
    Tensor recurrent_bias = row(r.bias, 1);
    if (recurrent_bias.defined()) recurrent_bias = contiguous(recurrent_bias);
    PydlGruArgs args = {};
    args.sequence = sequence_args(r);
    args.reset_after = reset_after;
    args.recurrent_bias = data_or_null(recurrent_bias);
    args.initial_hidden = r.states[0].data();
    args.gates = gates.data();
    args.candidate = data_or_null(candidate);
    args.hidden = hidden.data();
    op.launch(&PydlKernelTable::gru_forward, args);
    return {hidden, {last_state(hidden, r.states[0])}, {gates, candidate}};
  }

  SequenceGradients backward(const Op& op, const Recurrence& inputs, const Tensor& hidden,
                             const std::vector<Tensor>& kept,
                             const std::vector<Tensor>& gradients, bool) const {
    Recurrence r = inputs;
    r.recurrent_kernel = contiguous(r.recurrent_kernel);
    Tensor initial = contiguous(r.states[0]);
    std::vector<Tensor> dense;
    for (const Tensor& each : gradients) dense.push_back(each.defined() ? contiguous(each) : each);
    auto like = [&](const Tensor& x) { return Tensor::empty(x.shape(), x.dtype(), op.device()); };
    Tensor d_gates = like(kept[0]), d_recurrent = reset_after ? like(kept[0]) : d_gates;
    Tensor d_initial = like(initial);
    PydlGruBackwardArgs args = {};
    args.sequence = sequence_args(r);
    args.reset_after = reset_after;
    args.initial_hidden = initial.data();
    args.gates = kept[0].data();
    args.candidate = data_or_null(kept[1]);
    args.hidden = hidden.data();
    args.hidden_gradient = data_or_null(dense[0]);
    args.last_hidden_gradient = data_or_null(dense[1]);
    args.gates_gradient = d_gates.data();
    args.recurrent_gradient = reset_after ? d_recurrent.data() : nullptr;
    args.initial_hidden_gradient = d_initial.data();
    op.launch(&PydlKernelTable::gru_backward, args);
    return {d_gates, d_recurrent, {d_initial}, {}};
  }

  std::vector<Tensor> step(const Tensor& gates, const Recurrence& r,
                           const std::vector<Tensor>& states) const {
    int64_t units = r.recurrent_kernel.size(0);
    const Tensor& hidden = states[0];
    std::vector<Tensor> x = split(gates, {units, units, units}, 1);
    Tensor z, added;
    if (reset_after) {
      Tensor product = matmul(hidden, r.recurrent_kernel);
      if (r.bias.defined()) product = add(product, row(r.bias, 1));
      std::vector<Tensor> inner = split(product, {units, units, units}, 1);
      z = sigmoid(add(x[0], inner[0]));
      added = multiply(sigmoid(add(x[1], inner[1])), inner[2]);
    } else {
      std::vector<Tensor> weights = split(r.recurrent_kernel, {units, units, units}, 1);
      z = sigmoid(add(x[0], matmul(hidden, weights[0])));
      Tensor reset = sigmoid(add(x[1], matmul(hidden, weights[1])));
      added = matmul(multiply(reset, hidden), weights[2]);
    }
    Tensor h = tanh(add(x[2], added));
    return {add(h, multiply(z, subtract(hidden, h)))};
  }
};

}  // namespace

std::vector<Tensor> gru(const Recurrence& inputs, bool reset_after) {
  return run_recurrent(GruCell{reset_after}, inputs);
}

}  // namespace pydl
