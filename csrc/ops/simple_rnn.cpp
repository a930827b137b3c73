#include "ops/recurrence.h"

namespace pydl {
namespace {

struct SimpleRnnCell {
  static constexpr const char* kName = "simple_rnn";
  static constexpr int kGates = 1, kStates = 1;
  static constexpr bool kOneProduct = true;

  PydlActivation activation;

  Dims bias_shape(int64_t units) const { return {units}; }
  Tensor input_bias(const Tensor& bias) const { return bias; }
  Tensor bias_gradient(const SequenceGradients& d, DType dtype) const {
    return sum_of_rows(d.gates, dtype);
  }
  Tensor recurrent_gradient(const Recurrence& r, const Tensor& hidden, const std::vector<Tensor>&,
                            const SequenceGradients& d) const {
    return matmul(swap_last(previous_rows(hidden, r.states[0])), as_rows(d.recurrent));
  }

  SequenceResult forward(const Op& op, const Recurrence& r, const Tensor& inputs) const {
    Tensor hidden = Tensor::empty(inputs.shape(), r.x.dtype(), op.device());
    PydlSimpleRnnArgs args = {};
    args.sequence = sequence_args(r);
    args.activation = activation;
    args.initial_hidden = r.states[0].data();
    args.inputs = inputs.data();
    args.hidden = hidden.data();
    op.launch(&PydlKernelTable::simple_rnn_forward, args);
    return {hidden, {last_state(hidden, r.states[0])}, {}};
  }

  SequenceGradients backward(const Op& op, const Recurrence& inputs, const Tensor& hidden,
                             const std::vector<Tensor>&,
                             const std::vector<Tensor>& gradients, bool) const {
    Recurrence r = inputs;
    r.recurrent_kernel = contiguous(r.recurrent_kernel);
    std::vector<Tensor> dense;
    for (const Tensor& each : gradients) dense.push_back(each.defined() ? contiguous(each) : each);
    Tensor d_inputs = Tensor::empty(hidden.shape(), hidden.dtype(), op.device());
    Tensor d_initial = Tensor::empty(r.states[0].shape(), hidden.dtype(), op.device());
    PydlSimpleRnnBackwardArgs args = {};
    args.sequence = sequence_args(r);
    args.activation = activation;
    args.hidden = hidden.data();
    args.hidden_gradient = data_or_null(dense[0]);
    args.last_hidden_gradient = data_or_null(dense[1]);
    args.inputs_gradient = d_inputs.data();
    args.initial_hidden_gradient = d_initial.data();
    op.launch(&PydlKernelTable::simple_rnn_backward, args);
    return {d_inputs, d_inputs, {d_initial}, {}};
  }

  std::vector<Tensor> step(const Tensor& inputs, const Recurrence& r,
                           const std::vector<Tensor>& states) const {
    Tensor sum = add(inputs, matmul(states[0], r.recurrent_kernel));
    switch (activation) {
      case PYDL_ACTIVATION_RELU:
        return {relu(sum)};
      case PYDL_ACTIVATION_SIGMOID:
        return {sigmoid(sum)};
      case PYDL_ACTIVATION_TANH:
        return {tanh(sum)};
      default:
        return {sum};
    }
  }
};

PydlActivation activation_named(const std::string& name) {
  if (name.empty()) return PYDL_ACTIVATION_NONE;
  if (name == "relu") return PYDL_ACTIVATION_RELU;
  if (name == "sigmoid") return PYDL_ACTIVATION_SIGMOID;
  if (name == "tanh") return PYDL_ACTIVATION_TANH;
  fail<ValueError>("[simple_rnn] expected activation None, relu, sigmoid or tanh, got '", name,
                   "'. Hint: the layer SimpleRNN takes any activation");
}

}  // namespace

std::vector<Tensor> simple_rnn(const Recurrence& inputs, const std::string& activation) {
  return run_recurrent(SimpleRnnCell{activation_named(activation)}, inputs);
}

}  // namespace pydl
