// The steps of optimizers that adapt the rate of each element: Adagrad, Adadelta, Adamax, Nadam,
// Lion, FTRL.
#include "cuda/device/optimizer.cuh"

namespace pydl::cuda {
namespace {

template <class C_>
struct Adagrad : Uncorrected {
  using C = C_;
  C rate, epsilon;

  __host__ __device__ explicit Adagrad(const PydlAdagradStepArgs& args)
      : rate(static_cast<C>(args.learning_rate)), epsilon(static_cast<C>(args.epsilon)) {}
  __device__ void operator()(Element<C>& e, const PydlOptimizerTensor&) const {
    e.second = ::fma(e.gradient, e.gradient, e.second);
    e.parameter -= rate * e.gradient / ::sqrt(e.second + epsilon);
  }
};

template <class C_>
struct Adadelta : Uncorrected {
  using C = C_;
  C rate, rho, fresh, epsilon;

  __host__ __device__ explicit Adadelta(const PydlAdadeltaStepArgs& args)
      : rate(static_cast<C>(args.learning_rate)),
        rho(static_cast<C>(args.rho)),
        fresh(static_cast<C>(1 - args.rho)),
        epsilon(static_cast<C>(args.epsilon)) {}
  __device__ void operator()(Element<C>& e, const PydlOptimizerTensor&) const {
    e.second = rho * e.second + fresh * (e.gradient * e.gradient);
    const C move = e.gradient * ::sqrt(e.third + epsilon) / ::sqrt(e.second + epsilon);
    e.third = rho * e.third + fresh * (move * move);
    e.parameter -= rate * move;
  }
};

template <class C_>
struct Adamax {
  using C = C_;
  C rate, fresh, beta_2, epsilon;

  __host__ __device__ explicit Adamax(const PydlAdamaxStepArgs& args)
      : rate(static_cast<C>(args.corrected_rate)),
        fresh(static_cast<C>(1 - args.beta_1)),
        beta_2(static_cast<C>(args.beta_2)),
        epsilon(static_cast<C>(args.epsilon)) {}
  __device__ static void correct(PydlAdamaxStepArgs& args, double step) {
    args.corrected_rate = args.learning_rate / (1 - ::pow(args.beta_1, step));
  }
  __device__ void operator()(Element<C>& e, const PydlOptimizerTensor&) const {
    e.first = ::fma(e.gradient - e.first, fresh, e.first);
    e.second = maximum(beta_2 * e.second, ::fabs(e.gradient));
    e.parameter -= rate * e.first / (e.second + epsilon);
  }
};

template <class C_>
struct Nadam : Uncorrected {
  using C = C_;
  C mean_rate, gradient_rate, square_scale, fresh_1, fresh_2, epsilon;

  __host__ __device__ explicit Nadam(const PydlNadamStepArgs& args)
      : mean_rate(static_cast<C>(args.mean_rate)),
        gradient_rate(static_cast<C>(args.gradient_rate)),
        square_scale(static_cast<C>(args.square_scale)),
        fresh_1(static_cast<C>(1 - args.beta_1)),
        fresh_2(static_cast<C>(1 - args.beta_2)),
        epsilon(static_cast<C>(args.epsilon)) {}
  __device__ void operator()(Element<C>& e, const PydlOptimizerTensor&) const {
    const C g = e.gradient;
    e.first = ::fma(g - e.first, fresh_1, e.first);
    e.second = ::fma(g * g - e.second, fresh_2, e.second);
    const C move = ::fma(mean_rate, e.first, gradient_rate * g);
    e.parameter -= move / (::sqrt(square_scale * e.second) + epsilon);
  }
};

template <class C_>
struct Lion : Uncorrected {
  using C = C_;
  C rate, beta_1, fresh_1, beta_2, fresh_2;

  __host__ __device__ explicit Lion(const PydlLionStepArgs& args)
      : rate(static_cast<C>(args.learning_rate)),
        beta_1(static_cast<C>(args.beta_1)),
        fresh_1(static_cast<C>(1 - args.beta_1)),
        beta_2(static_cast<C>(args.beta_2)),
        fresh_2(static_cast<C>(1 - args.beta_2)) {}
  __device__ void operator()(Element<C>& e, const PydlOptimizerTensor&) const {
    const C way = e.first * beta_1 + e.gradient * fresh_1;
    e.first = e.first * beta_2 + e.gradient * fresh_2;
    e.parameter -= way > 0 ? rate : way < 0 ? -rate : way;
  }
};

template <class C_>
struct Ftrl : Uncorrected {
  using C = C_;
  C per_rate, power, l1, l2, shrinkage;

  __host__ __device__ explicit Ftrl(const PydlFtrlStepArgs& args)
      : per_rate(static_cast<C>(1 / args.learning_rate)),
        power(static_cast<C>(-args.power)),
        l1(static_cast<C>(args.l1)),
        l2(static_cast<C>(2 * args.l2)),
        shrinkage(static_cast<C>(2 * args.l2_shrinkage)) {}
  __device__ void operator()(Element<C>& e, const PydlOptimizerTensor&) const {
    const C sum = ::fma(e.gradient, e.gradient, e.second);
    const C now = curvature(sum) * per_rate, before = curvature(e.second) * per_rate;
    e.third += ::fma(shrinkage, e.parameter, e.gradient) - (now - before) * e.parameter;
    e.second = sum;
    e.parameter = (minimum(maximum(e.third, -l1), l1) - e.third) / (now + l2);
  }

 private:
  // The usual power of 1/2 needs no logarithm.
  __device__ C curvature(C x) const { return power == C(0.5) ? ::sqrt(x) : ::pow(x, power); }
};

}  // namespace

PydlStatus adagrad_step(const PydlContext* context, const PydlAdagradStepArgs* args) {
  return run_step<Adagrad>(context, "adagrad_step", args);
}

PydlStatus adadelta_step(const PydlContext* context, const PydlAdadeltaStepArgs* args) {
  return run_step<Adadelta>(context, "adadelta_step", args);
}

PydlStatus adamax_step(const PydlContext* context, const PydlAdamaxStepArgs* args) {
  return run_step<Adamax>(context, "adamax_step", args);
}

PydlStatus nadam_step(const PydlContext* context, const PydlNadamStepArgs* args) {
  if (replay_of(context))
    return context->fail(
        context, PYDL_ERROR_DEVICE,
        "expected an optimizer whose rates depend on the number of the step alone; "
        "Nadam's depend on all steps before. Hint: run it outside of the capture");
  return run_step<Nadam>(context, "nadam_step", args);
}

PydlStatus lion_step(const PydlContext* context, const PydlLionStepArgs* args) {
  return run_step<Lion>(context, "lion_step", args);
}

PydlStatus ftrl_step(const PydlContext* context, const PydlFtrlStepArgs* args) {
  return run_step<Ftrl>(context, "ftrl_step", args);
}

}  // namespace pydl::cuda
