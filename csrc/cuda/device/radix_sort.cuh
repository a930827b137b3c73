// Stable sorting of long rows, 8 bits of the keys after another. A pass counts how often each digit
// occurs in each tile of a row, adds these counts up, and moves the elements of every tile to where
// those of its digit begin.
#pragma once

#include "cuda/device/block_scan.cuh"
#include "cuda/device/sort_keys.cuh"

namespace pydl::cuda {
namespace {

constexpr int kRadixThreads = 256;
constexpr int kDigits = 256;
constexpr int kRadixWarps = kRadixThreads / 32;

template <class K>
constexpr int kRadixItems = 64 / sizeof(K);  // of a thread
template <class K>
constexpr int kRadixTile = kRadixThreads* kRadixItems<K>;

struct RadixPass {
  int64_t columns;
  int32_t tiles;  // of a row
  int32_t shift;  // of the digit
  SortedArray from, to;
  uint32_t* counts;  // (rows, digits, tiles); then the sums of those before
  uint32_t* totals;  // (rows, digits)

  __device__ int tile() const { return static_cast<int>(blockIdx.x % tiles); }
  __device__ int64_t row() const { return blockIdx.x / tiles; }
  template <class K>
  __device__ int tile_size() const {
    const int64_t rest = columns - int64_t{tile()} * kRadixTile<K>;
    return static_cast<int>(rest < kRadixTile<K> ? rest : kRadixTile<K>);
  }
  template <class K>
  __device__ int64_t tile_begin() const {  // in its row
    return int64_t{tile()} * kRadixTile<K>;
  }
  template <class K>
  __device__ int digit(K key) const {
    return static_cast<int>(key >> shift) & (kDigits - 1);
  }
};

template <class K>
__global__ void __launch_bounds__(kRadixThreads) radix_count_kernel(RadixPass pass) {
  __shared__ uint32_t counts[kDigits];
  counts[threadIdx.x] = 0;
  __syncthreads();
  const int64_t begin = pass.row() * pass.columns + pass.tile_begin<K>();
  const int size = pass.tile_size<K>();
  for (int i = static_cast<int>(threadIdx.x); i < size; i += kRadixThreads)
    atomicAdd(counts + pass.digit(pass.from.codec.load<K>(pass.from.keys, begin + i)), 1u);
  __syncthreads();
  const int64_t at = (pass.row() * kDigits + threadIdx.x) * pass.tiles + pass.tile();
  pass.counts[at] = counts[threadIdx.x];
}

// Each warp replaces the counts of one digit of one row by the sums of those before.
__global__ void __launch_bounds__(kRadixThreads) radix_scan_kernel(RadixPass pass, int64_t digits) {
  const int64_t digit = int64_t{blockIdx.x} * kRadixWarps + threadIdx.x / 32;
  if (digit >= digits) return;
  const int lane = static_cast<int>(threadIdx.x % 32);
  uint32_t* counts = pass.counts + digit * pass.tiles;
  uint32_t before = 0;
  for (int tile = 0; tile < pass.tiles; tile += 32) {
    const bool inside = tile + lane < pass.tiles;
    const uint32_t count = inside ? counts[tile + lane] : 0;
    const uint32_t running = warp_running_sum(count);
    if (inside) counts[tile + lane] = before + running - count;
    before += __shfl_sync(0xffffffffu, running, 31);
  }
  if (lane == 0) pass.totals[digit] = before;
}

// The lanes whose digit is the same.
__device__ inline uint32_t lanes_with(int digit) {
  uint32_t lanes = 0xffffffffu;
#pragma unroll
  for (int bit = 0; bit < 8; ++bit) {
    const bool set = digit >> bit & 1;
    const uint32_t with = __ballot_sync(0xffffffffu, set);
    lanes &= set ? with : ~with;
  }
  return lanes;
}

// Each warp ranks consecutive elements of the tile, those of one digit in their order; `counts` are
// the digits that it has met. What lies beyond the tile's end counts as the last digit.
template <class K>
__device__ void rank_tile(const RadixPass& pass, K (&keys)[kRadixItems<K>],
                          uint32_t (&ranks)[kRadixItems<K>], uint32_t* counts) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  for (int d = lane; d < kDigits; d += 32) counts[d] = 0;
  __syncwarp();
#pragma unroll
  for (int k = 0; k < kRadixItems<K>; ++k) {
    const int digit = pass.digit(keys[k]);
    const uint32_t same = lanes_with(digit), before = same & ((1u << lane) - 1);
    ranks[k] = counts[digit] + __popc(before);
    __syncwarp();
    if (before == 0) counts[digit] += __popc(same);
    __syncwarp();
  }
}

template <class K, bool kPositions>
__global__ void __launch_bounds__(kRadixThreads, 2) radix_move_kernel(RadixPass pass) {
  constexpr int kItems = kRadixItems<K>;
  __shared__ uint32_t warp_counts[kRadixWarps][kDigits];
  __shared__ uint32_t tile_starts[kDigits];  // of each digit, in the sorted tile
  __shared__ uint32_t row_starts[kDigits];   // in the sorted row, less the former
  __shared__ K sorted[kRadixTile<K>];
  __shared__ int32_t sorted_positions[kPositions ? kRadixTile<K> : 1];
  const int warp = static_cast<int>(threadIdx.x / 32), lane = static_cast<int>(threadIdx.x % 32);
  const int size = pass.tile_size<K>(), own = warp * 32 * kItems + lane;
  const int64_t row = pass.row() * pass.columns, begin = pass.tile_begin<K>();
  K keys[kItems];
  uint32_t ranks[kItems];
#pragma unroll
  for (int k = 0; k < kItems; ++k) {
    const int i = own + 32 * k;
    keys[k] = i < size ? pass.from.codec.load<K>(pass.from.keys, row + begin + i) : ~K{0};
  }
  rank_tile(pass, keys, ranks, warp_counts[warp]);
  __syncthreads();

  const int d = static_cast<int>(threadIdx.x);
  uint32_t count = 0, all;
  for (int w = 0; w < kRadixWarps; ++w) {
    const uint32_t here = warp_counts[w][d];
    warp_counts[w][d] = count;
    count += here;
  }
  const int64_t digit = pass.row() * kDigits + d;
  const uint32_t start = block_sum_before<kRadixThreads>(count, all);
  tile_starts[d] = start;
  row_starts[d] = block_sum_before<kRadixThreads>(pass.totals[digit], all) +
                  pass.counts[digit * pass.tiles + pass.tile()] - start;
  __syncthreads();

#pragma unroll
  for (int k = 0; k < kItems; ++k) {
    const int i = own + 32 * k, place = pass.digit(keys[k]);
    const uint32_t at = tile_starts[place] + warp_counts[warp][place] + ranks[k];
    sorted[at] = keys[k];
    if constexpr (kPositions) {
      const int64_t from = begin + i;
      if (i < size)
        sorted_positions[at] =
            pass.from.positions ? pass.from.positions[row + from] : static_cast<int32_t>(from);
    }
  }
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < size; i += kRadixThreads) {
    const K key = sorted[i];
    const int64_t to = row + row_starts[pass.digit(key)] + static_cast<uint32_t>(i);
    if (pass.to.keys) pass.to.codec.store(pass.to.keys, to, key);
    if constexpr (kPositions) pass.to.positions[to] = sorted_positions[i];
  }
}

template <class K, bool kPositions>
PydlStatus run_radix_pass(const PydlContext* context, const RadixPass& pass, int64_t rows) {
  const dim3 tiles(static_cast<unsigned>(rows * pass.tiles)), threads(kRadixThreads);
  PydlStatus status = launch(context, tiles, threads, 0, radix_count_kernel<K>, pass);
  if (status != PYDL_OK) return status;
  const int64_t digits = rows * kDigits;
  status = launch(context, dim3(static_cast<unsigned>(digits / kRadixWarps)), threads, 0,
                  radix_scan_kernel, pass, digits);
  if (status != PYDL_OK) return status;
  return launch(context, tiles, threads, 0, radix_move_kernel<K, kPositions>, pass);
}

// Sorts rows by the lowest `bits` bits of their keys. The result has keys, positions or both.
template <class K, bool kPositions>
PydlStatus radix_sort(const PydlContext* context, int64_t rows, int64_t columns, int bits,
                      const SortedArray& from, const SortedArray& to) {
  const int passes = bits > 8 ? (bits + 7) / 8 : 1;
  const int64_t count = rows * columns, tiles = (columns - 1) / kRadixTile<K> + 1;
  const Scratch<uint32_t> counts(context, rows * kDigits * tiles), totals(context, rows * kDigits);
  // The passes but the last write to these two in turn.
  const Scratch<K> keys(context, passes > 1 ? count : 1), spare(context, passes > 2 ? count : 1);
  const Scratch<int32_t> positions(context, kPositions && passes > 1 ? count : 1);
  const Scratch<int32_t> spare_positions(context, kPositions && passes > 2 ? count : 1);
  if (!counts || !totals || !keys || !spare || !positions || !spare_positions)
    return PYDL_ERROR_MEMORY;
  const KeyCodec plain = {kKeys, false, false};
  const SortedArray steps[2] = {{plain, keys.data(), positions.data()},
                                {plain, spare.data(), spare_positions.data()}};
  RadixPass pass = {columns,      static_cast<int32_t>(tiles), 0, from, {}, counts.data(),
                    totals.data()};
  for (int p = 0; p < passes; ++p, pass.shift += 8) {
    pass.to = p == passes - 1 ? to : steps[p % 2];
    const PydlStatus status = run_radix_pass<K, kPositions>(context, pass, rows);
    if (status != PYDL_OK) return status;
    pass.from = pass.to;
  }
  return PYDL_OK;
}

}  // namespace
}  // namespace pydl::cuda
