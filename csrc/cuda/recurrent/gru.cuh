// The steps of a GRU. With reset_after the reset gate multiplies hidden @ recurrent, so one product
// serves all gates; otherwise it multiplies hidden, and that of the gate h comes after z and r.
#pragma once

#include "cuda/recurrent/steps.cuh"

namespace pydl::cuda {
namespace {

constexpr int kGruGates = 3;

template <class T>
struct GruStep {
  StepMask mask;
  int64_t units;
  const T* bias;  // or NULL
  StepArray<T> gates, candidate, hidden, last_hidden;
  StepArray<T> reset;  // r * hidden, without reset_after

  // z or r, from the product of its gate.
  __device__ T gate(int g, int64_t r, int64_t j, T product) const {
    T& to = gates.at(r, g * units + j);
    return to = sigmoid(to + product + (bias ? bias[g * units + j] : T(0)));
  }
  // hidden, from z and what is added to the input of h.
  __device__ void finish(int64_t r, int64_t j, T z, T added) const {
    T& to = gates.at(r, 2 * units + j);
    const T h = to = ::tanh(to + added);
    hidden.at(r, j) = z * (last_hidden.get(r, j) - h) + h;
  }
};

template <class T>
struct GruResetAfter : GruStep<T> {
  __device__ void operator()(int64_t r, int64_t j, const T (&product)[kGruGates]) const {
    if (this->mask.hides(r)) {
      this->hidden.at(r, j) = this->last_hidden.get(r, j);
      return;
    }
    const T z = this->gate(0, r, j, product[0]), reset = this->gate(1, r, j, product[1]);
    const T inner = product[2] + (this->bias ? this->bias[2 * this->units + j] : T(0));
    this->candidate.at(r, j) = inner;
    this->finish(r, j, z, reset * inner);
  }
};

template <class T>
struct GruResetBefore : GruStep<T> {
  __device__ void operator()(int64_t r, int64_t j, const T (&product)[2]) const {
    if (this->mask.hides(r)) {
      this->reset.at(r, j) = 0;
      return;
    }
    this->gate(0, r, j, product[0]);
    this->reset.at(r, j) = this->gate(1, r, j, product[1]) * this->last_hidden.get(r, j);
  }
};

template <class T>
struct GruCandidate : GruStep<T> {
  __device__ void operator()(int64_t r, int64_t j, const T (&product)[1]) const {
    if (this->mask.hides(r)) {
      this->hidden.at(r, j) = this->last_hidden.get(r, j);
      return;
    }
    this->finish(r, j, this->gates.at(r, j), product[0]);
  }
};

template <class T>
PydlStatus gru_forward(const PydlContext* context, const PydlGruArgs& args) {
  const PydlSequence& s = args.sequence;
  Scratch<T> reset_memory(context, args.reset_after ? 1 : s.batch * s.units + 1);
  if (!reset_memory) return context->fail(context, PYDL_ERROR_MEMORY, "[gru] out of memory");
  const auto reset = once<T>(reset_memory.data(), s);
  PydlStatus status = PYDL_OK;
  for (int64_t step = 0; step < s.steps && status == PYDL_OK; ++step) {
    const auto last_hidden = before<T>(args.hidden, args.initial_hidden, s, step);
    const GruStep<T> run = {StepMask(s, step),
                            s.units,
                            args.reset_after ? static_cast<const T*>(args.recurrent_bias) : nullptr,
                            at_step<T>(args.gates, s, step, kGruGates * s.units),
                            at_step<T>(args.candidate, s, step, s.units),
                            at_step<T>(args.hidden, s, step, s.units),
                            last_hidden,
                            reset};
    const auto product = forward_product(s, last_hidden, kGruGates);
    if (args.reset_after) {
      status = run_step<kGruGates>(context, s, product, GruResetAfter<T>{run});
      continue;
    }
    status = run_step<2>(context, s, product, GruResetBefore<T>{run});
    if (status != PYDL_OK) break;
    status = run_step<1>(context, s, forward_product(s, reset, kGruGates, 2), GruCandidate<T>{run});
  }
  return status;
}

// See LstmBackwardStep.
template <class T>
struct GruBackwardStep {
  StepMask mask;
  int64_t units;
  StepArray<T> gates, candidate, last_hidden, dy, d_gates, d_recurrent, dh;

  // Of the sums of z and h; z of the gradient of hidden goes on to the step before.
  __device__ void update(int64_t r, int64_t j, T product, T& d_z, T& d_h) const {
    const T d = dh.at(r, j) + product + dy.get(r, j);
    const T z = gates.at(r, j), h = gates.at(r, 2 * units + j);
    d_z = d * (last_hidden.get(r, j) - h) * z * (T(1) - z);
    d_h = d * (T(1) - z) * (T(1) - h * h);
    d_gates.at(r, j) = d_z;
    d_gates.at(r, 2 * units + j) = d_h;
    dh.at(r, j) = d * z;
  }
  __device__ void pass(int64_t r, int64_t j, T product) const {
    dh.at(r, j) += product + dy.get(r, j);
    for (int g = 0; g < kGruGates; ++g) {
      d_gates.at(r, g * units + j) = 0;
      if (d_recurrent.data) d_recurrent.at(r, g * units + j) = 0;
    }
  }
};

template <class T>
struct GruResetAfterBackward : GruBackwardStep<T> {
  __device__ void operator()(int64_t r, int64_t j, const T (&product)[1]) const {
    if (this->mask.hides(r)) return this->pass(r, j, product[0]);
    const int64_t units = this->units;
    T d_z, d_h;
    this->update(r, j, product[0], d_z, d_h);
    const T reset = this->gates.at(r, units + j);
    const T d_r = d_h * this->candidate.at(r, j) * reset * (T(1) - reset);
    this->d_gates.at(r, units + j) = d_r;
    this->d_recurrent.at(r, j) = d_z;
    this->d_recurrent.at(r, units + j) = d_r;
    this->d_recurrent.at(r, 2 * units + j) = d_h * reset;
  }
};

template <class T>
struct GruResetBeforeBackward : GruBackwardStep<T> {
  __device__ void operator()(int64_t r, int64_t j, const T (&product)[1]) const {
    if (this->mask.hides(r)) return this->pass(r, j, product[0]);
    T d_z, d_h;
    this->update(r, j, product[0], d_z, d_h);
  }
};

// The product is the gradient of r * hidden.
template <class T>
struct GruResetBackward : GruBackwardStep<T> {
  __device__ void operator()(int64_t r, int64_t j, const T (&product)[1]) const {
    if (this->mask.hides(r)) return;
    const T reset = this->gates.at(r, this->units + j);
    this->d_gates.at(r, this->units + j) =
        product[0] * this->last_hidden.get(r, j) * reset * (T(1) - reset);
    this->dh.at(r, j) += product[0] * reset;
  }
};

template <class T>
PydlStatus gru_backward(const PydlContext* context, const PydlGruBackwardArgs& args) {
  const PydlSequence& s = args.sequence;
  const auto dh = once<T>(args.initial_hidden_gradient, s);
  PydlStatus status = begin_carry<T>(context, s, args.last_hidden_gradient, dh.data);
  StepArray<T> next = {nullptr, 0};
  const int64_t after = args.reset_after, width = kGruGates * s.units;
  const auto product = [&] { return backward_product(s, next, kGruGates, 0, after ? 3 : 2); };
  for (int64_t step = s.steps; step-- > 0 && status == PYDL_OK;) {
    const GruBackwardStep<T> run = {
        StepMask(s, step),
        s.units,
        at_step<T>(args.gates, s, step, width),
        at_step<T>(args.candidate, s, step, s.units),
        before<T>(args.hidden, args.initial_hidden, s, step),
        at_step<T>(args.hidden_gradient, s, step, s.units),
        at_step<T>(args.gates_gradient, s, step, width),
        at_step<T>(after ? args.recurrent_gradient : nullptr, s, step, width),
        dh};
    if (after) {
      status = run_step<1>(context, s, product(), GruResetAfterBackward<T>{run});
      next = run.d_recurrent;
      continue;
    }
    status = run_step<1>(context, s, product(), GruResetBeforeBackward<T>{run});
    if (status != PYDL_OK) break;
    const StepArray<T> d_h = {run.d_gates.data + 2 * s.units, run.d_gates.row};
    status = run_step<1>(context, s, backward_product(s, d_h, kGruGates, 2, 1),
                         GruResetBackward<T>{run});
    next = run.d_gates;
  }
  return status != PYDL_OK ? status : run_step<1>(context, s, product(), AddProduct<T>{dh});
}

}  // namespace
}  // namespace pydl::cuda
