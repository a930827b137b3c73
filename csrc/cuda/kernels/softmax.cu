// Softmax and log-softmax over rows. A row of up to 4096 elements is read once and stays in registers;
// a longer one is read twice.
#include "cuda/device/log_sum.cuh"
#include "cuda/device/row.cuh"
#include "cuda/kernel.h"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/softmax.h"

namespace pydl::cuda {
namespace {

template <class Team, class T>
__global__ void __launch_bounds__(Team::kThreads)
    softmax_kernel(int64_t rows, int64_t columns, bool vectors, bool log, const T* x, T* y) {
  using C = Compute<T>;
  const Team team(columns, vectors);
  const int64_t row = Team::row() < rows ? Team::row() : rows - 1;
  const bool whole = columns <= Team::kBatch;
  x += row * columns;
  y += row * columns;
  C v[Team::kItems];
  LogSum<C> sum;
  for (int64_t start = 0; start < columns; start += Team::kBatch) {
    team.load(x, start, v, -static_cast<C>(INFINITY));
    sum.add(v);
  }
  sum.template reduce<Team::kTeam>();
  if (sum.top == static_cast<C>(INFINITY)) sum.sum = static_cast<C>(NAN);
  const C factor = C(1) / sum.sum, log_sum = ::log(sum.sum);
  if (Team::row() >= rows) return;
  for (int64_t start = 0; start < columns; start += Team::kBatch) {
    if (!whole) team.load(x, start, v, -static_cast<C>(INFINITY));
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i)
      v[i] = log ? v[i] - sum.top - log_sum : ::exp(v[i] - sum.top) * factor;
    team.store(y, start, v);
  }
}

// dx = y (dy - sum(y dy)), or of log_softmax dx = dy - exp(y) sum(dy)
template <class Team, class T>
__global__ void __launch_bounds__(Team::kThreads)
    softmax_backward_kernel(int64_t rows, int64_t columns, bool vectors, bool log, const T* y,
                            const T* dy, T* dx) {
  using C = Compute<T>;
  const Team team(columns, vectors);
  const int64_t row = Team::row() < rows ? Team::row() : rows - 1;
  const bool whole = columns <= Team::kBatch;
  y += row * columns;
  dy += row * columns;
  dx += row * columns;
  C v[Team::kItems], d[Team::kItems];
  C sum = 0;
  for (int64_t start = 0; start < columns; start += Team::kBatch) {
    team.load(y, start, v, C(0));
    team.load(dy, start, d, C(0));
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i) sum += log ? d[i] : v[i] * d[i];
  }
  sum = reduce_team<Team::kTeam>(sum, Add());
  if (Team::row() >= rows) return;
  for (int64_t start = 0; start < columns; start += Team::kBatch) {
    if (!whole) {
      team.load(y, start, v, C(0));
      team.load(dy, start, d, C(0));
    }
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i)
      d[i] = log ? d[i] - ::exp(v[i]) * sum : v[i] * (d[i] - sum);
    team.store(dx, start, d);
  }
}

}  // namespace

PydlStatus softmax_forward(const PydlContext* context, const PydlSoftmaxArgs* args) {
  if (args->rows * args->columns == 0) return PYDL_OK;
  return visit_floating(context, "softmax", args->dtype, [&](auto zero) {
    using T = decltype(zero);
    return visit_team(args->columns, [&](auto threads, auto items) {
      using Team = RowTeam<T, threads.value, items.value>;
      const bool vectors = rows_are_aligned<T>(args->columns, args->x, args->y);
      return launch(context, dim3(row_blocks<Team>(args->rows)), dim3(Team::kThreads), 0,
                    softmax_kernel<Team, T>, args->rows, args->columns, vectors, args->log != 0,
                    static_cast<const T*>(args->x), static_cast<T*>(args->y));
    });
  });
}

PydlStatus softmax_backward(const PydlContext* context, const PydlSoftmaxBackwardArgs* args) {
  if (args->rows * args->columns == 0) return PYDL_OK;
  return visit_floating(context, "softmax", args->dtype, [&](auto zero) {
    using T = decltype(zero);
    return visit_team(args->columns, [&](auto threads, auto items) {
      using Team = RowTeam<T, threads.value, items.value>;
      const bool vectors = rows_are_aligned<T>(args->columns, args->y, args->dy, args->dx);
      return launch(context, dim3(row_blocks<Team>(args->rows)), dim3(Team::kThreads), 0,
                    softmax_backward_kernel<Team, T>, args->rows, args->columns, vectors,
                    args->log != 0, static_cast<const T*>(args->y),
                    static_cast<const T*>(args->dy), static_cast<T*>(args->dx));
    });
  });
}

}  // namespace pydl::cuda
