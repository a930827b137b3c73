// The k largest of each row. The best of every tile of a row go on to the next round, until one
// tile holds them all; where k is too large for that, the row is sorted.
#include "cuda/device/radix_sort.cuh"
#include "cuda/device/sort_tile.cuh"
#include "pydl/cuda/grid.cuh"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/sort.h"

namespace pydl::cuda {
namespace {

constexpr int64_t kMostOfTile = kTile / 4;  // the largest k by rounds, which then shrink a row by 4

// One round: every row has `tiles` tiles of n candidates, and the k best of each are kept.
struct Round {
  int64_t rows, columns;  // candidates of a row
  int32_t tiles, n, k;
  SortedArray from, to;
};

template <class K>
__global__ void __launch_bounds__(kTileThreads) top_k_kernel(Round round) {
  __shared__ K keys[kTile];
  __shared__ int32_t positions[kTile];
  const int n = round.n;
  const int64_t first = int64_t{blockIdx.x} * (kTile / n), all = round.rows * round.tiles;
  for (int i = static_cast<int>(threadIdx.x); i < kTile; i += kTileThreads) {
    const int64_t part = first + i / n, row = part / round.tiles;
    const int64_t column = part % round.tiles * n + i % n, at = row * round.columns + column;
    keys[i] = ~K{0};
    positions[i] = INT32_MAX;
    if (part >= all || column >= round.columns) continue;
    keys[i] = round.from.codec.load<K>(round.from.keys, at);
    positions[i] = round.from.positions ? round.from.positions[at] : static_cast<int32_t>(column);
  }
  sort_tile<K, true>(keys, positions, n);
  for (int i = static_cast<int>(threadIdx.x); i < kTile; i += kTileThreads) {
    const int64_t part = first + i / n;
    if (part >= all || i % n >= round.k) continue;
    const int64_t to = part * round.k + i % n;
    if (round.to.keys) static_cast<K*>(round.to.keys)[to] = keys[i];
    round.to.positions[to] = positions[i];
  }
}

template <class K>
PydlStatus run_round(const PydlContext* context, Round round) {
  const int64_t parts = round.rows * round.tiles, blocks = (parts - 1) / (kTile / round.n) + 1;
  return launch(context, dim3(static_cast<unsigned>(blocks)), dim3(kTileThreads), 0,
                top_k_kernel<K>, round);
}

template <class K>
PydlStatus select_by_rounds(const PydlContext* context, const PydlTopKArgs& args,
                            const SortedArray& x) {
  const KeyCodec plain = {kKeys, false, false};
  const int32_t k = static_cast<int32_t>(args.k);
  const auto tiles_of = [](int64_t columns) { return (columns - 1) / kTile + 1; };
  const int64_t first = args.columns > kTile ? args.rows * tiles_of(args.columns) * k : 1;
  const Scratch<K> keys(context, first), spare(context, first);
  const Scratch<int32_t> positions(context, first), spare_positions(context, first);
  if (!keys || !spare || !positions || !spare_positions) return PYDL_ERROR_MEMORY;
  SortedArray to = {plain, keys.data(), positions.data()};
  SortedArray other = {plain, spare.data(), spare_positions.data()};
  Round round = {args.rows, args.columns, 1, kTile, k, x, to};
  while (round.columns > kTile) {
    round.tiles = static_cast<int32_t>(tiles_of(round.columns));
    round.to = to;
    const PydlStatus status = run_round<K>(context, round);
    if (status != PYDL_OK) return status;
    round.columns = int64_t{round.tiles} * k;
    round.from = to;
    to = other;
    other = round.from;
  }
  round.tiles = 1;
  round.n = power_of_two_from(round.columns);
  round.to = {plain, nullptr, args.indices};
  return run_round<K>(context, round);
}

__global__ void __launch_bounds__(kThreads)
    first_columns_kernel(int64_t count, int64_t columns, int64_t k, const int32_t* sorted,
                         int32_t* indices) {
  for (int64_t i = first_element(); i < count; i += element_step())
    indices[i] = sorted[i / k * columns + i % k];
}

template <class K>
PydlStatus select_by_sorting(const PydlContext* context, const PydlTopKArgs& args,
                             const SortedArray& x) {
  const Scratch<int32_t> sorted(context, args.rows * args.columns);
  if (!sorted) return PYDL_ERROR_MEMORY;
  const PydlStatus status = radix_sort<K, true>(
      context, args.rows, args.columns, bits_of(args.dtype), x, {x.codec, nullptr, sorted.data()});
  if (status != PYDL_OK) return status;
  const int64_t count = args.rows * args.k;
  return launch_elements(context, count, first_columns_kernel, count, args.columns, args.k,
                         static_cast<const int32_t*>(sorted.data()), args.indices);
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    pick_kernel(int64_t count, int64_t columns, int64_t k, const T* x, const int32_t* indices,
                T* values) {
  for (int64_t i = first_element(); i < count; i += element_step())
    values[i] = x[i / k * columns + indices[i]];
}

template <class K>
PydlStatus select(const PydlContext* context, const PydlTopKArgs& args) {
  const SortedArray x = {{args.dtype, true, true}, const_cast<void*>(args.x), nullptr};
  const bool by_rounds = args.columns <= kTile || args.k <= kMostOfTile;
  return by_rounds ? select_by_rounds<K>(context, args, x) : select_by_sorting<K>(context, args, x);
}

}  // namespace

PydlStatus top_k(const PydlContext* context, const PydlTopKArgs* args) {
  const int64_t count = args->rows * args->k;
  if (count == 0) return PYDL_OK;
  const PydlStatus status = bits_of(args->dtype) == 64 ? select<uint64_t>(context, *args)
                                                       : select<uint32_t>(context, *args);
  if (status != PYDL_OK) return status;
  return visit_item_size(context, "top_k", bits_of(args->dtype) / 8, [&](auto zero) {
    using T = decltype(zero);
    return launch_elements(context, count, pick_kernel<T>, count, args->columns, args->k,
                           static_cast<const T*>(args->x),
                           static_cast<const int32_t*>(args->indices),
                           static_cast<T*>(args->values));
  });
}

}  // namespace pydl::cuda
