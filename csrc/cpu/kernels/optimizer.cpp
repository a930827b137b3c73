// The steps of SGD, RMSprop and Adam; norms and scaling of many tensors.
#include "cpu/optimizer.h"
#include "cpu/simd/reciprocal.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

template <class T>
void sgd_block(const PydlSgdStepArgs& args, const PydlOptimizerTensor& tensor, int64_t begin,
               int64_t end) {
  using C = Compute<T>;
  using V = Vec<C>;
  const V rate(static_cast<C>(args.learning_rate)), momentum(static_cast<C>(args.momentum));
  const Decay<T> decayed(args);
  const Gradient<T> gradient(tensor, args.clip_value);
  for (int64_t i = begin; i < end; i += V::size) {
    const V move = gradient.get(i, end) * rate;
    const Lanes<T> parameter(tensor.parameter, i, end);
    const V p = decayed(parameter.get());
    if (!tensor.first) {
      parameter.set(p - move);
      continue;
    }
    const Lanes<T> velocity(tensor.first, i, end);
    const V v = velocity.get() * momentum - move;
    velocity.set(v);
    parameter.set(args.nesterov ? p + (v * momentum - move) : p + v);
  }
}

template <class T>
void rmsprop_block(const PydlRmspropStepArgs& args, const PydlOptimizerTensor& tensor,
                   int64_t begin, int64_t end) {
  using C = Compute<T>;
  using V = Vec<C>;
  const V rate(static_cast<C>(args.learning_rate)), momentum(static_cast<C>(args.momentum));
  const V rho(static_cast<C>(args.rho)), fresh(static_cast<C>(1 - args.rho));
  const Decay<T> decayed(args);
  const V epsilon(static_cast<C>(args.epsilon));
  const Gradient<T> gradient(tensor, args.clip_value);
  for (int64_t i = begin; i < end; i += V::size) {
    const V g = gradient.get(i, end);
    const Lanes<T> parameter(tensor.parameter, i, end), square(tensor.second, i, end);
    const V s = rho * square.get() + fresh * (g * g);
    square.set(s);
    V variance = s;
    if (tensor.third) {
      const Lanes<T> mean(tensor.third, i, end);
      const V m = rho * mean.get() + fresh * g;
      mean.set(m);
      variance = s - m * m;
    }
    V move = rate * g * reciprocal(sqrt(variance + epsilon));
    if (tensor.first) {
      const Lanes<T> velocity(tensor.first, i, end);
      move = move + momentum * velocity.get();
      velocity.set(move);
    }
    parameter.set(decayed(parameter.get()) - move);
  }
}

template <class T>
void adam_block(const PydlAdamStepArgs& args, const PydlOptimizerTensor& tensor, int64_t begin,
                int64_t end) {
  using C = Compute<T>;
  using V = Vec<C>;
  const V rate(static_cast<C>(args.corrected_rate));
  const V fresh_1(static_cast<C>(1 - args.beta_1)), fresh_2(static_cast<C>(1 - args.beta_2));
  const Decay<T> decayed(args);
  const V epsilon(static_cast<C>(args.epsilon));
  const Gradient<T> gradient(tensor, args.clip_value);
  for (int64_t i = begin; i < end; i += V::size) {
    const V g = gradient.get(i, end);
    const Lanes<T> parameter(tensor.parameter, i, end);
    const Lanes<T> mean(tensor.first, i, end), square(tensor.second, i, end);
    const V m = fma(g - mean.get(), fresh_1, mean.get());
    const V v = fma(g * g - square.get(), fresh_2, square.get());
    mean.set(m);
    square.set(v);
    V largest = v;
    if (tensor.third) {
      const Lanes<T> before(tensor.third, i, end);
      largest = max(before.get(), v);
      before.set(largest);
    }
    const V p = decayed(parameter.get());
    parameter.set(p - m * rate * reciprocal(sqrt(largest) + epsilon));
  }
}

template <class T>
double squared_norm_block(const PydlOptimizerTensor& tensor, int64_t begin, int64_t end) {
  using V = Vec<Compute<T>>;
  V sums[4] = {V(0), V(0), V(0), V(0)};
  int64_t i = begin;
  for (int lane = 0; i < end; i += V::size, lane = (lane + 1) % 4) {
    const V g = Lanes<T>(tensor.gradient, i, end).get();
    sums[lane] = fma(g, g, sums[lane]);
  }
  return reduce_add((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

}  // namespace

PydlStatus sgd_step(const PydlContext* context, const PydlSgdStepArgs* args) {
  return visit_floating(context, "sgd_step", args->dtype, [&](auto zero) {
    return run_step(context, args, sgd_block<decltype(zero)>);
  });
}

PydlStatus rmsprop_step(const PydlContext* context, const PydlRmspropStepArgs* args) {
  return visit_floating(context, "rmsprop_step", args->dtype, [&](auto zero) {
    return run_step(context, args, rmsprop_block<decltype(zero)>);
  });
}

PydlStatus adam_step(const PydlContext* context, const PydlAdamStepArgs* args) {
  return visit_floating(context, "adam_step", args->dtype, [&](auto zero) {
    return run_step(context, args, adam_block<decltype(zero)>);
  });
}

PydlStatus squared_norms(const PydlContext* context, const PydlSquaredNormsArgs* args) {
  Scratch<double> sums(context, count_blocks(args->tensors, args->tensor_count));
  if (!sums) return context->fail(context, PYDL_ERROR_MEMORY, "[global_norm] out of memory");
  const PydlStatus status =
      visit_floating(context, "global_norm", args->dtype, [&](auto zero) -> PydlStatus {
        for_each_block(context, args->tensors, args->tensor_count,
                       [&](const PydlOptimizerTensor& tensor, int64_t block, int64_t begin,
                           int64_t end) {
                         sums[block] = squared_norm_block<decltype(zero)>(tensor, begin, end);
                       });
        return PYDL_OK;
      });
  int64_t block = 0;
  for (int64_t t = 0; status == PYDL_OK && t < args->tensor_count; ++t) {
    double total = 0;
    for (int64_t i = 0; i < blocks_of(args->tensors[t]); ++i) total += sums[block++];
    args->squared_norms[t] = total;
  }
  return status;
}

PydlStatus scale_tensors(const PydlContext* context, const PydlScaleTensorsArgs* args) {
  return visit_floating(context, "clip_by_global_norm", args->dtype, [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    for_each_block(context, args->tensors, args->tensor_count,
                   [&](const PydlOptimizerTensor& tensor, int64_t, int64_t begin, int64_t end) {
                     using V = Vec<Compute<T>>;
                     const V scale(static_cast<Compute<T>>(tensor.scale));
                     for (int64_t i = begin; i < end; i += V::size) {
                       const Lanes<T> values(tensor.parameter, i, end);
                       values.set(values.get() * scale);
                     }
                   });
    return PYDL_OK;
  });
}

}  // namespace pydl::cpu::PYDL_ISA
