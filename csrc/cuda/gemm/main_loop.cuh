// The kernel behind every product: a ring of tiles in shared memory, filled by asynchronous copies while
// a multiplier (tensor16.cuh, tensor32.cuh, simt.cuh) works on those that have come.
#pragma once

#include "cuda/gemm/product.cuh"
#include "cuda/gemm/tile_loader.cuh"
#include "pydl/cuda/launch.h"

namespace pydl::cuda {
namespace {

template <class Multiplier>
struct MainLoopShared {
  using Sum = typename Multiplier::Sum;
  static constexpr int kStage = Multiplier::TileA::kSize + Multiplier::TileB::kSize;
  static constexpr int kRingBytes =
      Multiplier::kStages * kStage * static_cast<int>(sizeof(typename Multiplier::T));
  static constexpr int kSumBytes =
      Multiplier::kTileRows * Multiplier::kTileColumns * static_cast<int>(sizeof(Sum));
  // Sums leave through the ring's memory.
  static constexpr int kBytes = kRingBytes > kSumBytes ? kRingBytes : kSumBytes;
  static_assert(kBytes <= 64 << 10, "all that a block of sm_75 may have");
};

// Adds up the products of depths [depth, depth_end).
template <class Multiplier, class LoaderA, class LoaderB>
__device__ inline void run_ring(Multiplier& multiplier, LoaderA& a, LoaderB& b, int depth,
                                int depth_end, typename Multiplier::T* ring) {
  using T = typename Multiplier::T;
  constexpr int kStages = Multiplier::kStages, kDepth = Multiplier::kDepth;
  constexpr int kStage = MainLoopShared<Multiplier>::kStage;
  const int tiles = (depth_end - depth + kDepth - 1) / kDepth;
  const auto load = [&](int tile) {
    if (tile < tiles) {
      T* to = ring + tile % kStages * kStage;
      a.load(to, depth + tile * kDepth);
      b.load(to + Multiplier::TileA::kSize, depth + tile * kDepth);
    }
    ptx::commit_copies();
  };
#pragma unroll
  for (int tile = 0; tile < kStages - 1; ++tile) load(tile);
  for (int tile = 0; tile < tiles; ++tile) {
    ptx::wait_for_copies<kStages - 2>();
    __syncthreads();  // the tile has come for all; none reads the one before any more
    load(tile + kStages - 1);
    const T* from = ring + tile % kStages * kStage;
    multiplier.multiply(from, from + Multiplier::TileA::kSize);
  }
  ptx::wait_for_copies<0>();
  __syncthreads();
}

// Brings the sums of a tile from shared memory to their place: `out`, or a split's share of `partial`.
template <class S, int kThreads, int kRows, int kColumns, class Sum>
__device__ inline void write_tile(const Output& out, int64_t at, Sum* partial, int m, int n,
                                  int row_begin, int column_begin, const Sum* sums) {
  constexpr int kFours = kColumns / 4;
#pragma unroll 1
  for (int i = static_cast<int>(threadIdx.x); i < kRows * kFours; i += kThreads) {
    const int row = row_begin + i / kFours, column = column_begin + i % kFours * 4;
    if (row >= m || column >= n) continue;
    const int count = n - column < 4 ? n - column : 4;
    Sum x[4];
    const Sum* from = sums + sum_place<kColumns>(i / kFours, i % kFours * 4);
    for (int j = 0; j < 4; ++j) x[j] = from[j];
    if (partial) {
      Four<Sum>::store(x, count, n % 4 == 0, partial + static_cast<int64_t>(row) * n + column);
    } else {
      finish<S>(out, at + row * out.row_stride + column, column, count, x);
    }
  }
}

// A multiprocessor of sm_75 has shared memory for one block, which may have all registers; for sm_100 the
// compiler needs a few more of them than two large blocks leave.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
template <class Multiplier>
constexpr int kBlocksTogether = 1;
#elif defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000
template <class Multiplier>
constexpr int kBlocksTogether = Multiplier::kBlocks == 2 ? 1 : Multiplier::kBlocks;
#else
template <class Multiplier>
constexpr int kBlocksTogether = Multiplier::kBlocks;
#endif

template <class Multiplier, class OperandA, class OperandB>
__global__ void __launch_bounds__(Multiplier::kThreads, kBlocksTogether<Multiplier>)
    multiply_tiles(const __grid_constant__ Product<OperandA, OperandB> product) {
  using T = typename Multiplier::T;
  using Sum = typename Multiplier::Sum;
  T* ring = dynamic_shared<T>();
  const BlockWork work(product.division, blockIdx.x);
  const BatchOffsets offsets = product.batch.offsets(work.item);
  const int row = work.row_tile * Multiplier::kTileRows;
  const int column = work.column_tile * Multiplier::kTileColumns;
  const int depth = work.split * product.division.depth_per_split;
  const int rest = product.k - depth;
  const int depth_end =
      depth + (rest < product.division.depth_per_split ? rest : product.division.depth_per_split);

  OperandA a = product.a;
  a.data += offsets.a;
  OperandB b = product.b;
  b.data += offsets.b;
  Multiplier multiplier;
  TileLoader<typename Multiplier::TileA, OperandA, Multiplier::kThreads> rows(a, row, product.m,
                                                                              depth_end);
  TileLoader<typename Multiplier::TileB, OperandB, Multiplier::kThreads> columns(
      b, column, product.n, depth_end);
  run_ring(multiplier, rows, columns, depth, depth_end, ring);

  Sum* sums = reinterpret_cast<Sum*>(ring);
  multiplier.store(sums);
  __syncthreads();
  Output out = product.out;
  if (out.bias) out.bias = static_cast<const T*>(out.bias) + offsets.bias;
  Sum* partial = nullptr;
  if (product.division.splits > 1) {
    partial = static_cast<Sum*>(product.division.partial) +
              (work.split * product.batch.count + work.item) * product.m * product.n;
  }
  write_tile<T, Multiplier::kThreads, Multiplier::kTileRows, Multiplier::kTileColumns>(
      out, offsets.c, partial, product.m, product.n, row, column, sums);
}

// Adds the splits of a sum, always in the same order, and finishes the result. Limited by memory.
template <class S, class Sum>
__global__ void __launch_bounds__(256)
    add_splits(const __grid_constant__ Batch batch, const __grid_constant__ Output output,
               const Sum* partial, int splits, int m, int n) {
  const int64_t fours = (n + 3) / 4, total = batch.count * m * fours;
  const int64_t share = batch.count * m * n;
  for (int64_t i = blockIdx.x * int64_t{256} + threadIdx.x; i < total; i += gridDim.x * int64_t{256}) {
    const int column = static_cast<int>(i % fours) * 4, count = n - column < 4 ? n - column : 4;
    const int64_t row = i / fours % m, item = i / fours / m;
    Sum x[4] = {};
    const Sum* from = partial + (item * m + row) * n + column;
    for (int split = 0; split < splits; ++split) {
      Four<Sum>::add(from + split * share, count, n % 4 == 0, x);
    }
    const BatchOffsets offsets = batch.offsets(item);
    Output out = output;
    if (out.bias) out.bias = static_cast<const S*>(out.bias) + offsets.bias;
    finish<S>(out, offsets.c + row * out.row_stride + column, column, count, x);
  }
}

}  // namespace
}  // namespace pydl::cuda
