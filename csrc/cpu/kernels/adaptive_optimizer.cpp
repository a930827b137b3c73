// The steps of optimizers that adapt the rate of each element: Adagrad, Adadelta, Adamax, Nadam,
// Lion, FTRL.
#include "cpu/optimizer.h"
#include "cpu/simd/math_wide.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

template <class T>
void adagrad_block(const PydlAdagradStepArgs& args, const PydlOptimizerTensor& tensor,
                   int64_t begin, int64_t end) {
  using C = Compute<T>;
  using V = Vec<C>;
  const V rate(static_cast<C>(args.learning_rate)), epsilon(static_cast<C>(args.epsilon));
  const Decay<T> decayed(args);
  const Gradient<T> gradient(tensor, args.clip_value);
  for (int64_t i = begin; i < end; i += V::size) {
    const V g = gradient.get(i, end);
    const Lanes<T> parameter(tensor.parameter, i, end), squares(tensor.second, i, end);
    const V sum = fma(g, g, squares.get());
    squares.set(sum);
    parameter.set(decayed(parameter.get()) - rate * g / sqrt(sum + epsilon));
  }
}

template <class T>
void adadelta_block(const PydlAdadeltaStepArgs& args, const PydlOptimizerTensor& tensor,
                    int64_t begin, int64_t end) {
  using C = Compute<T>;
  using V = Vec<C>;
  const V rate(static_cast<C>(args.learning_rate)), epsilon(static_cast<C>(args.epsilon));
  const V rho(static_cast<C>(args.rho)), fresh(static_cast<C>(1 - args.rho));
  const Decay<T> decayed(args);
  const Gradient<T> gradient(tensor, args.clip_value);
  for (int64_t i = begin; i < end; i += V::size) {
    const V g = gradient.get(i, end);
    const Lanes<T> parameter(tensor.parameter, i, end);
    const Lanes<T> squares(tensor.second, i, end), moves(tensor.third, i, end);
    const V s = rho * squares.get() + fresh * (g * g);
    const V move = g * sqrt(moves.get() + epsilon) / sqrt(s + epsilon);
    squares.set(s);
    moves.set(rho * moves.get() + fresh * (move * move));
    parameter.set(decayed(parameter.get()) - rate * move);
  }
}

template <class T>
void adamax_block(const PydlAdamaxStepArgs& args, const PydlOptimizerTensor& tensor, int64_t begin,
                  int64_t end) {
  using C = Compute<T>;
  using V = Vec<C>;
  const V rate(static_cast<C>(args.corrected_rate)), epsilon(static_cast<C>(args.epsilon));
  const V fresh(static_cast<C>(1 - args.beta_1)), beta_2(static_cast<C>(args.beta_2));
  const Decay<T> decayed(args);
  const Gradient<T> gradient(tensor, args.clip_value);
  for (int64_t i = begin; i < end; i += V::size) {
    const V g = gradient.get(i, end);
    const Lanes<T> parameter(tensor.parameter, i, end);
    const Lanes<T> mean(tensor.first, i, end), largest(tensor.second, i, end);
    const V m = fma(g - mean.get(), fresh, mean.get());
    const V u = max(beta_2 * largest.get(), abs(g));
    mean.set(m);
    largest.set(u);
    parameter.set(decayed(parameter.get()) - rate * m / (u + epsilon));
  }
}

template <class T>
void nadam_block(const PydlNadamStepArgs& args, const PydlOptimizerTensor& tensor, int64_t begin,
                 int64_t end) {
  using C = Compute<T>;
  using V = Vec<C>;
  const V mean_rate(static_cast<C>(args.mean_rate));
  const V gradient_rate(static_cast<C>(args.gradient_rate));
  const V square_scale(static_cast<C>(args.square_scale)), epsilon(static_cast<C>(args.epsilon));
  const V fresh_1(static_cast<C>(1 - args.beta_1)), fresh_2(static_cast<C>(1 - args.beta_2));
  const Decay<T> decayed(args);
  const Gradient<T> gradient(tensor, args.clip_value);
  for (int64_t i = begin; i < end; i += V::size) {
    const V g = gradient.get(i, end);
    const Lanes<T> parameter(tensor.parameter, i, end);
    const Lanes<T> mean(tensor.first, i, end), square(tensor.second, i, end);
    const V m = fma(g - mean.get(), fresh_1, mean.get());
    const V v = fma(g * g - square.get(), fresh_2, square.get());
    mean.set(m);
    square.set(v);
    const V move = fma(mean_rate, m, gradient_rate * g);
    parameter.set(decayed(parameter.get()) - move / (sqrt(square_scale * v) + epsilon));
  }
}

template <class T>
void lion_block(const PydlLionStepArgs& args, const PydlOptimizerTensor& tensor, int64_t begin,
                int64_t end) {
  using C = Compute<T>;
  using V = Vec<C>;
  const V rate(static_cast<C>(args.learning_rate));
  const V beta_1(static_cast<C>(args.beta_1)), fresh_1(static_cast<C>(1 - args.beta_1));
  const V beta_2(static_cast<C>(args.beta_2)), fresh_2(static_cast<C>(1 - args.beta_2));
  const Decay<T> decayed(args);
  const Gradient<T> gradient(tensor, args.clip_value);
  for (int64_t i = begin; i < end; i += V::size) {
    const V g = gradient.get(i, end);
    const Lanes<T> parameter(tensor.parameter, i, end), mean(tensor.first, i, end);
    const V m = mean.get(), way = m * beta_1 + g * fresh_1;
    const V move = select(way > V(0), rate, select(way < V(0), -rate, way));
    mean.set(m * beta_2 + g * fresh_2);
    parameter.set(decayed(parameter.get()) - move);
  }
}

// x^-power; the usual power of -1/2 needs no logarithm.
template <class T>
inline Vec<T> curvature(Vec<T> x, double power) {
  return power == -0.5 ? sqrt(x) : pow(x, Vec<T>(static_cast<T>(-power)));
}

template <class T>
void ftrl_block(const PydlFtrlStepArgs& args, const PydlOptimizerTensor& tensor, int64_t begin,
                int64_t end) {
  using C = Compute<T>;
  using V = Vec<C>;
  const V per_rate(static_cast<C>(1 / args.learning_rate)), l1(static_cast<C>(args.l1));
  const V l2(static_cast<C>(2 * args.l2)), shrinkage(static_cast<C>(2 * args.l2_shrinkage));
  const Decay<T> decayed(args);
  const Gradient<T> gradient(tensor, args.clip_value);
  for (int64_t i = begin; i < end; i += V::size) {
    const V g = gradient.get(i, end);
    const Lanes<T> parameter(tensor.parameter, i, end);
    const Lanes<T> squares(tensor.second, i, end), linear(tensor.third, i, end);
    const V p = decayed(parameter.get()), sum = fma(g, g, squares.get());
    const V now = curvature(sum, args.power) * per_rate;
    const V before = curvature(squares.get(), args.power) * per_rate;
    const V z = linear.get() + fma(shrinkage, p, g) - (now - before) * p;
    squares.set(sum);
    linear.set(z);
    parameter.set((min(max(z, -l1), l1) - z) / (now + l2));
  }
}

}  // namespace

PydlStatus adagrad_step(const PydlContext* context, const PydlAdagradStepArgs* args) {
  return visit_floating(context, "adagrad_step", args->dtype, [&](auto zero) {
    return run_step(context, args, adagrad_block<decltype(zero)>);
  });
}

PydlStatus adadelta_step(const PydlContext* context, const PydlAdadeltaStepArgs* args) {
  return visit_floating(context, "adadelta_step", args->dtype, [&](auto zero) {
    return run_step(context, args, adadelta_block<decltype(zero)>);
  });
}

PydlStatus adamax_step(const PydlContext* context, const PydlAdamaxStepArgs* args) {
  return visit_floating(context, "adamax_step", args->dtype, [&](auto zero) {
    return run_step(context, args, adamax_block<decltype(zero)>);
  });
}

PydlStatus nadam_step(const PydlContext* context, const PydlNadamStepArgs* args) {
  return visit_floating(context, "nadam_step", args->dtype, [&](auto zero) {
    return run_step(context, args, nadam_block<decltype(zero)>);
  });
}

PydlStatus lion_step(const PydlContext* context, const PydlLionStepArgs* args) {
  return visit_floating(context, "lion_step", args->dtype, [&](auto zero) {
    return run_step(context, args, lion_block<decltype(zero)>);
  });
}

PydlStatus ftrl_step(const PydlContext* context, const PydlFtrlStepArgs* args) {
  return visit_floating(context, "ftrl_step", args->dtype, [&](auto zero) {
    return run_step(context, args, ftrl_block<decltype(zero)>);
  });
}

}  // namespace pydl::cpu::PYDL_ISA
