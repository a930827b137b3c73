// Layer and RMS normalisation. A row of up to 4096 elements is read once and stays in registers. In
// the backward pass a block goes through several rows and keeps the sums of the parameters' gradients
// in registers too; a second kernel adds up the blocks' sums.
#include "cuda/device/columns.cuh"
#include "cuda/device/row.cuh"
#include "cuda/kernel.h"
#include "pydl/cuda/visit.h"
#include "pydl/cuda/warp.cuh"
#include "pydl/kernels/norm.h"

namespace pydl::cuda {
namespace {

template <class T>
struct Norm {
  using C = Compute<T>;
  int64_t rows, columns;
  bool vectors, rms;
  const T* x;
  const C* gamma;  // or NULL for 1
};

template <class Team, class T, class C>
__device__ void load_parameter(const Team& team, const C* from, int64_t start, C neutral,
                               C (&v)[Team::kItems]) {
#pragma unroll
  for (int i = 0; i < Team::kItems; ++i)
    v[i] = from && team.has(start, i) ? from[team.column(start, i)] : neutral;
}

template <class Team, class T>
__global__ void __launch_bounds__(Team::kThreads)
    forward_kernel(Norm<T> norm, Compute<T> epsilon, const Compute<T>* beta, T* y, Compute<T>* means,
                   Compute<T>* inverse_stds) {
  using C = Compute<T>;
  const Team team(norm.columns, norm.vectors);
  const bool inside = Team::row() < norm.rows;
  const int64_t row = inside ? Team::row() : norm.rows - 1, n = norm.columns;
  const bool whole = n <= Team::kBatch;
  const T* x = norm.x + row * n;
  C v[Team::kItems], mean = 0, squares = 0;
  if (whole) team.load(x, 0, v, C(0));
  if (!norm.rms) {
    for (int64_t start = 0; start < n; start += Team::kBatch) {
      if (!whole) team.load(x, start, v, C(0));
#pragma unroll
      for (int i = 0; i < Team::kItems; ++i) mean += v[i];
    }
    mean = reduce_team<Team::kTeam>(mean, Add()) / static_cast<C>(n);
  }
  for (int64_t start = 0; start < n; start += Team::kBatch) {
    if (!whole) team.load(x, start, v, C(0));
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i) {
      const C centred = team.has(start, i) ? v[i] - mean : C(0);
      squares += centred * centred;
    }
  }
  squares = reduce_team<Team::kTeam>(squares, Add());
  const C inverse_std = C(1) / ::sqrt(squares / static_cast<C>(n) + epsilon);
  if (!inside) return;
  if (team.lane == 0) {
    if (!norm.rms) means[row] = mean;
    inverse_stds[row] = inverse_std;
  }
  for (int64_t start = 0; start < n; start += Team::kBatch) {
    if (!whole) team.load(x, start, v, C(0));
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i) {
      if (!team.has(start, i)) continue;
      const int64_t column = team.column(start, i);
      const C scale = norm.gamma ? norm.gamma[column] : C(1), shift = beta ? beta[column] : C(0);
      v[i] = (v[i] - mean) * inverse_std * scale + shift;
    }
    team.store(y + row * n, start, v);
  }
}

// With x^ the normalised row and g = dy gamma: dx = inverse_std (g - mean(g) - x^ mean(g x^)).
// `sums`, when not NULL, gets the sums of dy x^ and dy over the rows of each team: (2, teams, columns).
template <class Team, class T>
__global__ void __launch_bounds__(Team::kThreads)
    backward_kernel(Norm<T> norm, int64_t teams, const Compute<T>* means,
                    const Compute<T>* inverse_stds, const T* dy, T* dx, Compute<T>* sums) {
  using C = Compute<T>;
  const Team team(norm.columns, norm.vectors);
  const int64_t n = norm.columns, rounds = divide_up(norm.rows, teams);
  C gamma[Team::kItems], x[Team::kItems], d[Team::kItems];
  C dgamma[Team::kItems] = {}, dbeta[Team::kItems] = {};
  load_parameter<Team, T>(team, norm.gamma, 0, C(1), gamma);
  for (int64_t round = 0; round < rounds; ++round) {
    const int64_t at = Team::row() + round * teams;
    const bool inside = Team::row() < teams && at < norm.rows;
    const int64_t row = inside ? at : norm.rows - 1;
    const C mean = norm.rms ? C(0) : means[row], inverse_std = inverse_stds[row];
    team.load(norm.x + row * n, 0, x, mean);
    team.load(dy + row * n, 0, d, C(0));
    C sum = 0, product = 0;
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i) {
      x[i] = (x[i] - mean) * inverse_std;
      if (inside) {
        dgamma[i] += d[i] * x[i];
        dbeta[i] += d[i];
      }
      d[i] *= gamma[i];
      sum += d[i];
      product += d[i] * x[i];
    }
    if (!dx) continue;
    sum = norm.rms ? C(0) : reduce_team<Team::kTeam>(sum, Add()) / static_cast<C>(n);
    product = reduce_team<Team::kTeam>(product, Add()) / static_cast<C>(n);
    if (!inside) continue;
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i) d[i] = (d[i] - sum - x[i] * product) * inverse_std;
    team.store(dx + row * n, 0, d);
  }
  if (!sums || Team::row() >= teams) return;
#pragma unroll
  for (int i = 0; i < Team::kItems; ++i) {
    if (!team.has(0, i)) continue;
    const int64_t to = Team::row() * n + team.column(0, i);
    sums[to] = dgamma[i];
    sums[teams * n + to] = dbeta[i];
  }
}

// The same for rows too long for registers, where the parameters' gradients are taken on their own.
template <class Team, class T>
__global__ void __launch_bounds__(Team::kThreads)
    long_backward_kernel(Norm<T> norm, const Compute<T>* means, const Compute<T>* inverse_stds,
                         const T* dy, T* dx) {
  using C = Compute<T>;
  const Team team(norm.columns, norm.vectors);
  const int64_t n = norm.columns, row = Team::row();
  const C mean = norm.rms ? C(0) : means[row], inverse_std = inverse_stds[row];
  C gamma[Team::kItems], x[Team::kItems], d[Team::kItems];
  const auto load = [&](int64_t start) {
    load_parameter<Team, T>(team, norm.gamma, start, C(1), gamma);
    team.load(norm.x + row * n, start, x, mean);
    team.load(dy + row * n, start, d, C(0));
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i) {
      x[i] = (x[i] - mean) * inverse_std;
      d[i] *= gamma[i];
    }
  };
  C sum = 0, product = 0;
  for (int64_t start = 0; start < n; start += Team::kBatch) {
    load(start);
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i) {
      sum += d[i];
      product += d[i] * x[i];
    }
  }
  sum = norm.rms ? C(0) : reduce_team<Team::kTeam>(sum, Add()) / static_cast<C>(n);
  product = reduce_team<Team::kTeam>(product, Add()) / static_cast<C>(n);
  for (int64_t start = 0; start < n; start += Team::kBatch) {
    load(start);
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i) d[i] = (d[i] - sum - x[i] * product) * inverse_std;
    team.store(dx + row * n, start, d);
  }
}

template <class T>
struct ParameterTerms {
  using C = Compute<T>;
  const T *x, *dy;
  const C *means, *inverse_stds;  // means is NULL for rms_norm
  int64_t columns;
  __device__ void operator()(int64_t, int64_t row, int64_t column, C (&terms)[2]) const {
    const C d = to_compute(dy[row * columns + column]);
    const C mean = means ? means[row] : C(0);
    terms[0] = d * (to_compute(x[row * columns + column]) - mean) * inverse_stds[row];
    terms[1] = d;
  }
};

template <class T>
PydlStatus forward(const PydlContext* context, const PydlLayerNormArgs& args) {
  using C = Compute<T>;
  const Norm<T> norm = {args.rows, args.columns, rows_are_aligned<T>(args.columns, args.x, args.y),
                        args.rms != 0, static_cast<const T*>(args.x),
                        static_cast<const C*>(args.gamma)};
  return visit_team(args.columns, [&](auto threads, auto items) {
    using Team = RowTeam<T, threads.value, items.value>;
    return launch(context, dim3(row_blocks<Team>(args.rows)), dim3(Team::kThreads), 0,
                  forward_kernel<Team, T>, norm, static_cast<C>(args.epsilon),
                  static_cast<const C*>(args.beta), static_cast<T*>(args.y),
                  static_cast<C*>(args.mean), static_cast<C*>(args.inverse_std));
  });
}

template <class T>
PydlStatus long_backward(const PydlContext* context, const PydlLayerNormBackwardArgs& args,
                         const Norm<T>& norm) {
  using C = Compute<T>;
  using Team = RowTeam<T, 512, 8>;
  const T* dy = static_cast<const T*>(args.dy);
  const C* means = static_cast<const C*>(args.mean);
  const C* inverse_stds = static_cast<const C*>(args.inverse_std);
  if (args.dx) {
    const PydlStatus status =
        launch(context, dim3(row_blocks<Team>(args.rows)), dim3(Team::kThreads), 0,
               long_backward_kernel<Team, T>, norm, means, inverse_stds, dy,
               static_cast<T*>(args.dx));
    if (status != PYDL_OK) return status;
  }
  const ParameterTerms<T> terms = {norm.x, dy, args.rms ? nullptr : means, inverse_stds,
                                   args.columns};
  return sum_columns<C, 2>(context, 1, args.rows, args.columns, terms,
                           {static_cast<C*>(args.dgamma), static_cast<C*>(args.dbeta)});
}

template <class T>
PydlStatus backward(const PydlContext* context, const PydlLayerNormBackwardArgs& args) {
  using C = Compute<T>;
  const int64_t n = args.columns;
  const Norm<T> norm = {args.rows, n, rows_are_aligned<T>(n, args.x, args.dy, args.dx),
                        args.rms != 0, static_cast<const T*>(args.x),
                        static_cast<const C*>(args.gamma)};
  constexpr int64_t kLongest = 4096;  // that visit_team finds the registers for
  if (n > kLongest) return long_backward(context, args, norm);
  constexpr int64_t kRows = 8, kMostTeams = 1024;  // rows of a team, unless there are very many
  const int64_t wanted = divide_up(args.rows, kRows);
  const int64_t teams = wanted < kMostTeams ? wanted : kMostTeams;
  Scratch<C> sums(context, 2 * teams * n + 1);
  if (!sums) return context->fail(context, PYDL_ERROR_MEMORY, "[layer_norm] out of memory");
  const bool has_parameters = args.dgamma || args.dbeta;
  const PydlStatus status = visit_team(n, [&](auto threads, auto items) {
    using Team = RowTeam<T, threads.value, items.value>;
    return launch(context, dim3(row_blocks<Team>(teams)), dim3(Team::kThreads), 0,
                  backward_kernel<Team, T>, norm, teams, static_cast<const C*>(args.mean),
                  static_cast<const C*>(args.inverse_std), static_cast<const T*>(args.dy),
                  static_cast<T*>(args.dx), has_parameters ? sums.data() : nullptr);
  });
  if (status != PYDL_OK || !has_parameters) return status;
  return add_partial_sums<C, 2>(context, sums.data(), 1, teams, n,
                                {static_cast<C*>(args.dgamma), static_cast<C*>(args.dbeta)});
}

}  // namespace

PydlStatus layer_norm_forward(const PydlContext* context, const PydlLayerNormArgs* args) {
  if (args->rows * args->columns == 0) return PYDL_OK;
  return visit_floating(context, args->rms ? "rms_norm" : "layer_norm", args->dtype,
                        [&](auto zero) { return forward<decltype(zero)>(context, *args); });
}

PydlStatus layer_norm_backward(const PydlContext* context, const PydlLayerNormBackwardArgs* args) {
  return visit_floating(context, args->rms ? "rms_norm" : "layer_norm", args->dtype,
                        [&](auto zero) { return backward<decltype(zero)>(context, *args); });
}

}  // namespace pydl::cuda
