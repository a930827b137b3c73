// Cross entropy of rows of logits (softmax fused in) or probabilities. Forward reads logits once:
// with b any number, the loss is sum(t) (top - b + log_sum) + sum(t (b - x)), whose sums can be taken
// before top is known.
#include "cuda/device/error.cuh"
#include "cuda/device/log_sum.cuh"
#include "cuda/device/math.cuh"
#include "cuda/device/row.cuh"
#include "cuda/device/total.cuh"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/loss.h"

namespace pydl::cuda {
namespace {

template <class C>
struct Problem {
  int64_t rows, columns;
  bool vectors, long_labels;
  C keep, off, low, high;  // of labels; of clipped probabilities

  template <class Args>
  Problem(const Args* args, bool aligned)
      : rows(args->rows),
        columns(args->columns),
        vectors(aligned),
        long_labels(args->label_dtype == PYDL_INT64),
        keep(static_cast<C>(1 - args->label_smoothing)),
        off(static_cast<C>(args->label_smoothing / static_cast<double>(args->columns))),
        low(static_cast<C>(args->epsilon)),
        high(static_cast<C>(1 - args->epsilon)) {}
  __device__ C clip(C p) const { return minimum(maximum(p, low), high); }
};

// What a row should be: `off` everywhere and `on` more at one class.
template <class T>
struct ClassTarget {
  using C = Compute<T>;
  using Labels = void;  // int32 or, where they are long, int64
  static constexpr bool is_dense = false;
  C on, off;
  int64_t label;

  __device__ ClassTarget(const Problem<C>& problem, const void* labels, int64_t row)
      : on(problem.keep),
        off(problem.off),
        label(problem.long_labels ? static_cast<const int64_t*>(labels)[row]
                                  : static_cast<const int32_t*>(labels)[row]) {}
  template <class Team>
  __device__ void load(const Team& team, int64_t start, C (&t)[Team::kItems]) const {
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i)
      t[i] = team.has(start, i) ? (team.column(start, i) == label ? on + off : off) : C(0);
  }
};

// What a row should be: keep * labels + off.
template <class T>
struct DenseTarget {
  using C = Compute<T>;
  using Labels = T;
  static constexpr bool is_dense = true;
  C keep, off;
  const T* labels;

  __device__ DenseTarget(const Problem<C>& problem, const T* labels, int64_t row)
      : keep(problem.keep), off(problem.off), labels(labels + row * problem.columns) {}
  template <class Team>
  __device__ void load(const Team& team, int64_t start, C (&t)[Team::kItems]) const {
    team.load(labels, start, t, C(0));
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i) t[i] = team.has(start, i) ? t[i] * keep + off : C(0);
  }
};

// A target of 0 counts nothing, even where the score is infinite.
template <class Team, class Target, class T, class C = Compute<T>>
__device__ C loss_of_logits(const Team& team, const Target& target, const T* x, LogSum<C>& sum) {
  C b = to_compute(x[0]);
  if (!(b - b == 0)) b = 0;
  C weight = 0, product = 0, v[Team::kItems], t[Team::kItems];
  for (int64_t start = 0; start < team.columns; start += Team::kBatch) {
    team.load(x, start, v, -static_cast<C>(INFINITY));
    target.load(team, start, t);
    sum.add(v);
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i) {
      if (t[i] == 0) continue;
      weight += t[i];
      product += t[i] * (b - v[i]);
    }
  }
  sum.template reduce<Team::kTeam>();
  if (sum.top == static_cast<C>(INFINITY)) sum.sum = static_cast<C>(NAN);
  sum.sum = ::log(sum.sum);
  weight = reduce_team<Team::kTeam>(weight, Add());
  product = reduce_team<Team::kTeam>(product, Add());
  return weight * (sum.top - b + sum.sum) + product;
}

template <class Team, class T, class C = Compute<T>>
__device__ C row_sum(const Team& team, const T* x) {
  C sum = 0, v[Team::kItems];
  for (int64_t start = 0; start < team.columns; start += Team::kBatch) {
    team.load(x, start, v, C(0));
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i) sum += v[i];
  }
  return reduce_team<Team::kTeam>(sum, Add());
}

template <class Team, class Target, class T, class C = Compute<T>>
__device__ C loss_of_probabilities(const Team& team, const Problem<C>& problem,
                                   const Target& target, const T* x) {
  const C total = row_sum(team, x);
  C loss = 0, v[Team::kItems], t[Team::kItems];
  for (int64_t start = 0; start < team.columns; start += Team::kBatch) {
    team.load(x, start, v, C(0));
    target.load(team, start, t);
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i) {
      if (t[i] != 0) loss -= t[i] * ::log(problem.clip(v[i] / total));
    }
  }
  return reduce_team<Team::kTeam>(loss, Add());
}

template <class Team, class Target, bool from_logits, class T>
__global__ void __launch_bounds__(Team::kThreads)
    forward_kernel(Problem<Compute<T>> problem, const T* scores,
                   const typename Target::Labels* labels, T* losses, Compute<T>* row_losses,
                   Compute<T>* normalizers, ErrorSink errors) {
  using C = Compute<T>;
  const Team team(problem.columns, problem.vectors);
  const bool inside = Team::row() < problem.rows;
  const int64_t row = inside ? Team::row() : problem.rows - 1;
  const T* x = scores + row * problem.columns;
  const Target target(problem, labels, row);
  LogSum<C> sum;
  C loss;
  if constexpr (from_logits) {
    loss = loss_of_logits(team, target, x, sum);
  } else {
    loss = loss_of_probabilities(team, problem, target, x);
  }
  if (!inside || team.lane != 0) return;
  if constexpr (!Target::is_dense) {
    if (target.label < 0 || target.label >= problem.columns)
      report_index_error(errors, target.label, problem.columns);
  }
  if (losses) losses[row] = from_compute<T>(loss);
  row_losses[row] = loss;
  if constexpr (from_logits) {
    normalizers[row] = sum.top;
    normalizers[problem.rows + row] = sum.sum;
  }
}

template <class Team, class Target, class T, class C = Compute<T>>
__device__ void gradient_of_logits(const Team& team, const Target& target, const T* x, C top,
                                   C log_sum, C dloss, T* dx) {
  C total, v[Team::kItems], t[Team::kItems];
  if constexpr (Target::is_dense) {
    total = target.keep * row_sum(team, target.labels) +
            target.off * static_cast<C>(team.columns);
  } else {
    total = target.on + target.off * static_cast<C>(team.columns);
  }
  for (int64_t start = 0; start < team.columns; start += Team::kBatch) {
    team.load(x, start, v, C(0));
    target.load(team, start, t);
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i)
      v[i] = dloss * (::exp(v[i] - top - log_sum) * total - t[i]);
    team.store(dx, start, v);
  }
}

// With q = x / sum(x): dx = (u - sum(u q)) / sum(x), where u = dloss/dq.
template <class Team, class Target, class T, class C = Compute<T>>
__device__ void gradient_of_probabilities(const Team& team, const Problem<C>& problem,
                                          const Target& target, const T* x, C dloss, T* dx) {
  const C sum = row_sum(team, x);
  C dot = 0, v[Team::kItems], t[Team::kItems];
  const auto load_slopes = [&](int64_t start) {  // q into v and u into t
    team.load(x, start, v, C(0));
    target.load(team, start, t);
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i) {
      v[i] /= sum;
      const C p = problem.clip(v[i]);
      t[i] = p == v[i] && team.has(start, i) ? -t[i] / p : C(0);
    }
  };
  for (int64_t start = 0; start < team.columns; start += Team::kBatch) {
    load_slopes(start);
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i) dot += t[i] * v[i];
  }
  dot = reduce_team<Team::kTeam>(dot, Add());
  for (int64_t start = 0; start < team.columns; start += Team::kBatch) {
    load_slopes(start);
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i) v[i] = dloss * (t[i] - dot) / sum;
    team.store(dx, start, v);
  }
}

template <class Team, class Target, bool from_logits, class T>
__global__ void __launch_bounds__(Team::kThreads)
    backward_kernel(Problem<Compute<T>> problem, const T* scores,
                    const typename Target::Labels* labels, const Compute<T>* normalizers,
                    const T* dlosses, int64_t dlosses_stride, Compute<T> factor, T* dscores) {
  using C = Compute<T>;
  Team team(problem.columns, problem.vectors);
  int64_t row = Team::row();
  if (row >= problem.rows) {  // the teams of a warp stay together, with nothing to do
    row = problem.rows - 1;
    team.columns = 0;
  }
  const T* x = scores + row * problem.columns;
  T* dx = dscores + row * problem.columns;
  const Target target(problem, labels, row);
  const C dloss = to_compute(dlosses[row * dlosses_stride]) * factor;
  if constexpr (from_logits) {
    gradient_of_logits(team, target, x, normalizers[row], normalizers[problem.rows + row], dloss,
                       dx);
  } else {
    gradient_of_probabilities(team, problem, target, x, dloss, dx);
  }
}

template <class T>
struct Type {
  using type = T;
};

// visit(Type<Team>, Type<Target>, from_logits): as many threads as a row of logits is worth.
template <class T, class Args, class Visitor>
PydlStatus visit_problem(const Args* args, Visitor&& visit) {
  using std::false_type;
  using std::true_type;
  const auto with_target = [&](auto target) {
    if (!args->from_logits) return visit(Type<RowTeam<T, 32, 8>>{}, target, false_type{});
    if (args->columns <= 64) return visit(Type<RowTeam<T, 8, 8>>{}, target, true_type{});
    if (args->columns <= 1024) return visit(Type<RowTeam<T, 32, 8>>{}, target, true_type{});
    return visit(Type<RowTeam<T, 256, 8>>{}, target, true_type{});
  };
  return args->label_dtype == args->dtype ? with_target(Type<DenseTarget<T>>{})
                                          : with_target(Type<ClassTarget<T>>{});
}

template <class T>
PydlStatus forward(const PydlContext* context, const PydlCrossEntropyArgs* args) {
  using C = Compute<T>;
  Scratch<C> row_losses(context, args->rows + 1);
  if (!row_losses)
    return context->fail(context, PYDL_ERROR_MEMORY, "[cross_entropy] out of memory");
  const bool dense = args->label_dtype == args->dtype;
  const Problem<C> problem(
      args, rows_are_aligned<T>(args->columns, args->scores, dense ? args->labels : nullptr));
  const PydlStatus status = visit_problem<T>(args, [&](auto team, auto target, auto from_logits) {
    using Team = typename decltype(team)::type;
    using Target = typename decltype(target)::type;
    return launch(context, dim3(row_blocks<Team>(args->rows)), dim3(Team::kThreads), 0,
                  forward_kernel<Team, Target, from_logits.value, T>, problem,
                  static_cast<const T*>(args->scores),
                  static_cast<const typename Target::Labels*>(args->labels),
                  static_cast<T*>(args->losses), row_losses.data(),
                  static_cast<C*>(args->normalizers),
                  error_sink(context, "labels", PYDL_ERROR_VALUE));
  });
  if (status != PYDL_OK || !args->total) return status;
  return add_up<T>(context, row_losses.data(), args->rows, args->factor, args->total);
}

template <class T>
PydlStatus backward(const PydlContext* context, const PydlCrossEntropyBackwardArgs* args) {
  using C = Compute<T>;
  const bool dense = args->label_dtype == args->dtype;
  const Problem<C> problem(args, rows_are_aligned<T>(args->columns, args->scores, args->dscores,
                                                     dense ? args->labels : nullptr));
  return visit_problem<T>(args, [&](auto team, auto target, auto from_logits) {
    using Team = typename decltype(team)::type;
    using Target = typename decltype(target)::type;
    return launch(context, dim3(row_blocks<Team>(args->rows)), dim3(Team::kThreads), 0,
                  backward_kernel<Team, Target, from_logits.value, T>, problem,
                  static_cast<const T*>(args->scores),
                  static_cast<const typename Target::Labels*>(args->labels),
                  static_cast<const C*>(args->normalizers), static_cast<const T*>(args->dlosses),
                  args->dlosses_stride, static_cast<C>(args->factor),
                  static_cast<T*>(args->dscores));
  });
}

}  // namespace

PydlStatus cross_entropy(const PydlContext* context, const PydlCrossEntropyArgs* args) {
  return visit_floating(context, "cross_entropy", args->dtype,
                        [&](auto zero) { return forward<decltype(zero)>(context, args); });
}

PydlStatus cross_entropy_backward(const PydlContext* context,
                                  const PydlCrossEntropyBackwardArgs* args) {
  return visit_floating(context, "cross_entropy", args->dtype,
                        [&](auto zero) { return backward<decltype(zero)>(context, args); });
}

}  // namespace pydl::cuda
