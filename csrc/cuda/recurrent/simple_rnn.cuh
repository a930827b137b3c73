// The steps of a fully connected recurrent layer.
#pragma once

#include "cuda/device/activation.cuh"
#include "cuda/recurrent/steps.cuh"

namespace pydl::cuda {
namespace {

template <class T>
struct SimpleRnnStep {
  StepMask mask;
  PydlActivation activation;
  StepArray<T> inputs, hidden, last_hidden;

  __device__ void operator()(int64_t r, int64_t j, const T (&product)[1]) const {
    hidden.at(r, j) = mask.hides(r) ? last_hidden.get(r, j)
                                    : activate(activation, inputs.at(r, j) + product[0]);
  }
};

template <class T>
PydlStatus simple_rnn_forward(const PydlContext* context, const PydlSimpleRnnArgs& args) {
  const PydlSequence& s = args.sequence;
  PydlStatus status = PYDL_OK;
  for (int64_t step = 0; step < s.steps && status == PYDL_OK; ++step) {
    const auto last_hidden = before<T>(args.hidden, args.initial_hidden, s, step);
    const SimpleRnnStep<T> run = {StepMask(s, step), args.activation,
                                  at_step<T>(args.inputs, s, step, s.units),
                                  at_step<T>(args.hidden, s, step, s.units), last_hidden};
    status = run_step<1>(context, s, forward_product(s, last_hidden, 1), run);
  }
  return status;
}

// The derivative of an activation, from its result.
template <class T>
__device__ T slope_of(PydlActivation activation, T y) {
  switch (activation) {
    case PYDL_ACTIVATION_RELU: return y > 0 ? T(1) : T(0);
    case PYDL_ACTIVATION_SIGMOID: return y * (T(1) - y);
    case PYDL_ACTIVATION_TANH: return T(1) - y * y;
    default: return T(1);
  }
}

// See LstmBackwardStep.
template <class T>
struct SimpleRnnBackwardStep {
  StepMask mask;
  PydlActivation activation;
  StepArray<T> hidden, dy, dx, dh;

  __device__ void operator()(int64_t r, int64_t j, const T (&product)[1]) const {
    const bool masked = mask.hides(r);
    const T d = dh.at(r, j) + product[0] + dy.get(r, j);
    dx.at(r, j) = masked ? T(0) : d * slope_of(activation, hidden.at(r, j));
    dh.at(r, j) = masked ? d : T(0);
  }
};

template <class T>
PydlStatus simple_rnn_backward(const PydlContext* context, const PydlSimpleRnnBackwardArgs& args) {
  const PydlSequence& s = args.sequence;
  const auto dh = once<T>(args.initial_hidden_gradient, s);
  PydlStatus status = begin_carry<T>(context, s, args.last_hidden_gradient, dh.data);
  StepArray<T> next = {nullptr, 0};
  for (int64_t step = s.steps; step-- > 0 && status == PYDL_OK;) {
    const SimpleRnnBackwardStep<T> run = {StepMask(s, step), args.activation,
                                          at_step<T>(args.hidden, s, step, s.units),
                                          at_step<T>(args.hidden_gradient, s, step, s.units),
                                          at_step<T>(args.inputs_gradient, s, step, s.units), dh};
    status = run_step<1>(context, s, backward_product(s, next, 1, 0, 1), run);
    next = run.dx;
  }
  if (status != PYDL_OK) return status;
  return run_step<1>(context, s, backward_product(s, next, 1, 0, 1), AddProduct<T>{dh});
}

}  // namespace
}  // namespace pydl::cuda
