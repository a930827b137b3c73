// What the steps of optimizers share. A rule changes one element; it is made from the arguments of
// its kernel, on the device when a captured step is replayed, because the learning rate and the
// number of the step are then known to the device only.
#pragma once

#include <math.h>

#include "cuda/device/math.cuh"
#include "cuda/device/tensor_list.cuh"
#include "pydl/cuda/dtype.cuh"
#include "pydl/cuda/replay.cuh"
#include "pydl/cuda/visit.h"

namespace pydl::cuda {
namespace {

// One element with its gradient, scaled and clipped, and its state. The parameter has decayed.
template <class C>
struct Element {
  C parameter, gradient, first, second, third;
};

// What happens to an element before its rule.
template <class C>
struct Preparation {
  C limit, shrink;

  template <class Args>
  __host__ __device__ explicit Preparation(const Args& args)
      : limit(static_cast<C>(args.clip_value)),
        shrink(static_cast<C>(-args.learning_rate * args.weight_decay)) {}
  __device__ void operator()(Element<C>& e, C scale) const {
    e.gradient = minimum(maximum(e.gradient * scale, -limit), limit);
    e.parameter = ::fma(e.parameter, shrink, e.parameter);
  }
};

// What rules inherit whose rates do not depend on the number of the step.
struct Uncorrected {
  template <class Args>
  __device__ static void correct(Args&, double) {}
};

template <class Rule>
struct Step {
  Preparation<typename Rule::C> prepare;
  Rule rule;

  template <class Args>
  __host__ __device__ explicit Step(const Args& args) : prepare(args), rule(args) {}
};

// kWidth neighbouring elements from i on. State that a tensor lacks is 0 and is not written.
template <int kWidth, class T, class Rule>
__device__ inline void step_elements(const PydlOptimizerTensor& tensor, const Step<Rule>& step,
                                     int64_t i) {
  using C = Compute<T>;
  T parameters[kWidth], gradients[kWidth], states[3][kWidth] = {};
  T* const state[3] = {static_cast<T*>(tensor.first), static_cast<T*>(tensor.second),
                       static_cast<T*>(tensor.third)};
  load_pack<kWidth>(static_cast<T*>(tensor.parameter) + i, parameters);
  load_pack<kWidth>(static_cast<const T*>(tensor.gradient) + i, gradients);
#pragma unroll
  for (int s = 0; s < 3; ++s) {
    if (state[s]) load_pack<kWidth>(state[s] + i, states[s]);
  }
#pragma unroll
  for (int k = 0; k < kWidth; ++k) {
    Element<C> e = {to_compute(parameters[k]), to_compute(gradients[k]), to_compute(states[0][k]),
                    to_compute(states[1][k]), to_compute(states[2][k])};
    step.prepare(e, static_cast<C>(tensor.scale));
    step.rule(e, tensor);
    parameters[k] = from_compute<T>(e.parameter);
    states[0][k] = from_compute<T>(e.first);
    states[1][k] = from_compute<T>(e.second);
    states[2][k] = from_compute<T>(e.third);
  }
  store_pack<kWidth>(parameters, static_cast<T*>(tensor.parameter) + i);
#pragma unroll
  for (int s = 0; s < 3; ++s) {
    if (state[s]) store_pack<kWidth>(states[s], state[s] + i);
  }
}

__device__ inline bool has_whole_packs(const PydlOptimizerTensor& tensor) {
  const auto bits =
      reinterpret_cast<uintptr_t>(tensor.parameter) | reinterpret_cast<uintptr_t>(tensor.gradient) |
      reinterpret_cast<uintptr_t>(tensor.first) | reinterpret_cast<uintptr_t>(tensor.second) |
      reinterpret_cast<uintptr_t>(tensor.third);
  return bits % kVectorBytes == 0;
}

template <class T, class Rule>
__global__ void __launch_bounds__(kTensorThreads)
    step_kernel(const __grid_constant__ TensorList list, Step<Rule> given,
                const Step<Rule>* replayed) {
  constexpr int kWidth = kVectorBytes / sizeof(T);
  const Step<Rule> step = replayed ? *replayed : given;
  const TensorPart part(list);
  const PydlOptimizerTensor& tensor = list.tensors[part.tensor];
  int64_t rest = part.begin;
  if (has_whole_packs(tensor)) {
    rest = part.end - (part.end - part.begin) % kWidth;
    for (int64_t i = part.begin + threadIdx.x * kWidth; i < rest; i += kTensorThreads * kWidth)
      step_elements<kWidth, T>(tensor, step, i);
  }
  for (int64_t i = rest + threadIdx.x; i < part.end; i += kTensorThreads)
    step_elements<1, T>(tensor, step, i);
}

template <class Rule, class Args>
__global__ void __launch_bounds__(1)
    replay_step_kernel(Args args, const PydlReplay* replay, Step<Rule>* step) {
  args.learning_rate = replay->learning_rate;
  Rule::correct(args, static_cast<double>(replay->step));
  *step = Step<Rule>(args);
}

template <template <class> class Rule, class Args>
PydlStatus run_step(const PydlContext* context, const char* op, const Args* args) {
  return visit_floating(context, op, args->dtype, [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    using S = Step<Rule<Compute<T>>>;
    const PydlReplay* replay = replay_of(context);
    const Scratch<S> replayed(context, replay ? 1 : 0);
    if (replay) {
      if (!replayed) return PYDL_ERROR_MEMORY;
      Args numbers = *args;  // without what is on the host
      numbers.tensors = nullptr;
      const PydlStatus status =
          launch(context, dim3(1), dim3(1), 0, replay_step_kernel<Rule<Compute<T>>, Args>, numbers,
                 replay, replayed.data());
      if (status != PYDL_OK) return status;
    }
    return for_each_list(args->tensors, args->tensor_count, [&](const TensorList& list) {
      if (list.blocks() == 0) return PydlStatus{PYDL_OK};
      return launch(context, dim3(list.blocks()), dim3(kTensorThreads), 0,
                    step_kernel<T, Rule<Compute<T>>>, list, S(*args),
                    static_cast<const S*>(replay ? replayed.data() : nullptr));
    });
  });
}

}  // namespace
}  // namespace pydl::cuda
