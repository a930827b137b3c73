// log(sum(exp(x))) of each row, shifted by the largest element so that nothing overflows. Few long
// rows are cut into chunks.
#include "cuda/device/log_sum.cuh"
#include "cuda/device/row.cuh"
#include "cuda/kernel.h"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/reduce.h"

namespace pydl::cuda {
namespace {

struct Cut {
  int64_t rows, columns, chunks, chunk_size;
  bool vectors;
};

template <class Team, class T>
__global__ void __launch_bounds__(Team::kThreads)
    chunk_kernel(Cut cut, const T* x, LogSum<Compute<T>>* sums) {
  using C = Compute<T>;
  const int64_t all = cut.rows * cut.chunks, own = Team::row();
  const int64_t i = own < all ? own : all - 1, begin = i % cut.chunks * cut.chunk_size;
  const int64_t rest = cut.columns - begin;
  const Team team(rest < cut.chunk_size ? rest : cut.chunk_size, cut.vectors);
  x += i / cut.chunks * cut.columns + begin;
  C v[Team::kItems];
  LogSum<C> sum;
  for (int64_t start = 0; start < team.columns; start += Team::kBatch) {
    team.load(x, start, v, -static_cast<C>(INFINITY));
    sum.add(v);
  }
  sum.template reduce<Team::kTeam>();
  if (own < all && team.lane == 0) sums[i] = sum;
}

constexpr int kThreads = 128;

template <class T>
__global__ void __launch_bounds__(kThreads)
    merge_kernel(Cut cut, const LogSum<Compute<T>>* sums, T* out) {
  using C = Compute<T>;
  const int64_t row = static_cast<int64_t>(blockIdx.x) * (kThreads / kWarp) + threadIdx.x / kWarp;
  const bool inside = row < cut.rows;
  C top = -static_cast<C>(INFINITY), sum = 0;
  for (int64_t i = threadIdx.x % kWarp; inside && i < cut.chunks; i += kWarp)
    top = Larger()(top, sums[row * cut.chunks + i].top);
  top = reduce_lanes<kWarp>(top, Larger());
  for (int64_t i = threadIdx.x % kWarp; inside && i < cut.chunks; i += kWarp) {
    const LogSum<C> part = sums[row * cut.chunks + i];
    if (part.sum != 0)
      sum += part.sum * ::exp(LogSum<C>::center(part.top) - LogSum<C>::center(top));
  }
  sum = reduce_lanes<kWarp>(sum, Add());
  if (inside && threadIdx.x % kWarp == 0)
    out[row] = from_compute<T>(LogSum<C>::center(top) + ::log(sum));
}

template <class T>
PydlStatus run(const PydlContext* context, const PydlLogSumExpArgs& a) {
  using C = Compute<T>;
  constexpr int64_t kChunk = 4096, kEnoughRows = 512;
  Cut cut = {a.rows, a.columns, 1, a.columns, rows_are_aligned<T>(a.columns, a.x)};
  const int64_t most = divide_up(a.columns, kChunk), wanted = divide_up(kEnoughRows, a.rows);
  if (wanted > 1 && most > 1) {
    cut.chunk_size = divide_up(divide_up(a.columns, most < wanted ? most : wanted), 16) * 16;
    cut.chunks = divide_up(a.columns, cut.chunk_size);
  }
  Scratch<LogSum<C>> sums(context, cut.rows * cut.chunks);
  if (!sums) return context->fail(context, PYDL_ERROR_MEMORY, "[logsumexp] out of memory");
  const auto with_team = [&](auto threads, auto items) {
    using Team = RowTeam<T, threads.value, items.value>;
    return launch(context, dim3(row_blocks<Team>(cut.rows * cut.chunks)), dim3(Team::kThreads), 0,
                  chunk_kernel<Team, T>, cut, static_cast<const T*>(a.x), sums.data());
  };
  using std::integral_constant;
  const PydlStatus status =
      cut.chunk_size <= 64 ? with_team(integral_constant<int, 8>{}, integral_constant<int, 8>{})
      : cut.chunk_size <= 1024
          ? with_team(integral_constant<int, 32>{}, integral_constant<int, 8>{})
          : with_team(integral_constant<int, 256>{}, integral_constant<int, 8>{});
  if (status != PYDL_OK) return status;
  const int64_t blocks = divide_up(a.rows, kThreads / kWarp);
  return launch(context, dim3(static_cast<uint32_t>(blocks)), dim3(kThreads), 0, merge_kernel<T>,
                cut, sums.data(), static_cast<T*>(a.out));
}

}  // namespace

PydlStatus logsumexp(const PydlContext* context, const PydlLogSumExpArgs* args) {
  if (args->rows == 0) return PYDL_OK;
  return visit_floating(context, "logsumexp", args->dtype,
                        [&](auto zero) { return run<decltype(zero)>(context, *args); });
}

}  // namespace pydl::cuda
