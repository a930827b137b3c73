// Large products of float16 and bfloat16 on sm_90a: one warpgroup brings tiles with the tensor memory
// accelerator, two multiply them; blocks stay and take one tile after another.
#pragma once

#include "cuda/device/ptx/tensor_copy.cuh"
#include "cuda/device/ptx/warpgroup.cuh"
#include "cuda/gemm/main_loop.cuh"

// Code for wgmma exists only in what is compiled for sm_90a; elsewhere the kernel is empty, and its bound
// of 32 threads tells the host so.
#if defined(PYDL_CUDA_EMULATED) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define PYDL_WARPGROUPS 1
#define PYDL_WARPGROUP_BOUNDS __launch_bounds__(384, 1)
#else
#define PYDL_WARPGROUP_BOUNDS __launch_bounds__(32)
#endif

namespace pydl::cuda {
namespace {

// Tile 128 x 256 x 64, each multiplying warpgroup 64 x 256. Limits: tensor cores; a stage of 48 KiB feeds
// 4 products of 128 cycles, 4 stages and 34 KiB for finished sums fill shared memory: one block to an
// SM; 128 sums a thread, 232 registers.
struct WarpgroupTile {
  static constexpr int kRows = 128, kColumns = 256, kDepth = 64, kStages = 4;
  static constexpr int kConsumers = 2, kThreads = 128 * (1 + kConsumers);
  static constexpr int kBlock = 64 * 64;  // elements of 64 columns and 64 rows: 8 KiB
  static constexpr int kStageA = kRows * kDepth, kStageB = kColumns * kDepth;
  static constexpr int kStageBytes = 2 * (kStageA + kStageB);
  // A warp's finished sums: 8 rows of 128, padded to start in different banks.
  static constexpr int kSumColumns = 128, kSumPitch = 136, kSumBytes = 4 * 8 * kSumPitch;
  static constexpr int kBarrierBytes = 2 * kStages * 8;
  static constexpr int kSharedBytes =
      kStages * kStageBytes + 4 * kConsumers * kSumBytes + kBarrierBytes;
};

struct WarpgroupProduct {
  ptx::TensorMap a, b;
  bool a_batched, b_batched;  // else one matrix serves the whole batch
  int m, n, k;
  Division division;
  Batch batch;
  Output out;
};

// The ring of stages, counted up from 0 by those who fill and those who read it.
struct WarpgroupRing {
  static constexpr int kStages = WarpgroupTile::kStages;
  uint16_t* stages;
  float* sums;
  ptx::Barrier *full, *empty;

  __device__ explicit WarpgroupRing(unsigned char* shared) {
    stages = reinterpret_cast<uint16_t*>(shared);
    sums = reinterpret_cast<float*>(shared + kStages * WarpgroupTile::kStageBytes);
    full = reinterpret_cast<ptx::Barrier*>(shared + WarpgroupTile::kSharedBytes -
                                           WarpgroupTile::kBarrierBytes);
    empty = full + kStages;
  }
  __device__ void init() const {
    for (int s = 0; s < kStages; ++s) {
      ptx::init_barrier(full + s, 1);
      ptx::init_barrier(empty + s, 4 * WarpgroupTile::kConsumers);  // a warp each
    }
    ptx::fence_barriers();
  }
  __device__ uint16_t* a(int step) const {
    return stages + step % kStages * (WarpgroupTile::kStageBytes / 2);
  }
  __device__ uint16_t* b(int step) const { return a(step) + WarpgroupTile::kStageA; }
  __device__ void wait_full(int step) const {
    ptx::wait(full + step % kStages, step / kStages & 1);
  }
  __device__ void wait_empty(int step) const {
    if (step >= kStages) ptx::wait(empty + step % kStages, (step / kStages - 1) & 1);
  }
  __device__ void release(int step) const { ptx::arrive(empty + step % kStages); }
};

// Brings one tile of an operand: blocks of 64 contiguous elements and kOuter rows, or of 64 depths.
template <bool kDepthContiguous, int kOuter>
__device__ inline void load_tile(uint16_t* to, const ptx::TensorMap* map, ptx::Barrier* full,
                                 int outer, int depth, int matrix) {
  if constexpr (kDepthContiguous) {
    ptx::load_box(to, map, full, depth, outer, matrix);
  } else {
    for (int i = 0; i < kOuter / 64; ++i) {
      ptx::load_box(to + i * WarpgroupTile::kBlock, map, full, outer + i * 64, depth, matrix);
    }
  }
}

// One thread keeps the ring filled.
template <bool kADepth, bool kBDepth>
__device__ inline void produce(const WarpgroupProduct& p, const WarpgroupRing& ring, int64_t tiles) {
  using Tile = WarpgroupTile;
  int step = 0;
  for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    const BlockWork work(p.division, tile);
    const int row = work.row_tile * Tile::kRows, column = work.column_tile * Tile::kColumns;
    const int item = static_cast<int>(work.item);
    for (int depth = 0; depth < p.k; depth += Tile::kDepth, ++step) {
      ptx::Barrier* full = ring.full + step % Tile::kStages;
      ring.wait_empty(step);
      ptx::arrive_expecting(full, Tile::kStageBytes);
      load_tile<kADepth, Tile::kRows>(ring.a(step), &p.a, full, row, depth, p.a_batched ? item : 0);
      load_tile<kBDepth, Tile::kColumns>(ring.b(step), &p.b, full, column, depth,
                                         p.b_batched ? item : 0);
    }
  }
}

// The 4 products of a stage for one warpgroup.
template <class T, bool kADepth, bool kBDepth>
__device__ inline void multiply_stage(float (&sums)[128], const uint16_t* a, const uint16_t* b) {
  constexpr uint32_t kBlockBytes = 2 * WarpgroupTile::kBlock;
  const uint64_t rows = ptx::describe_operand(a, kBlockBytes);
  const uint64_t columns = ptx::describe_operand(b, kBlockBytes);
  // The next 16 depths are 32 bytes further in a row, or 16 rows of 128 bytes; descriptors count 16.
  constexpr int kStepA = kADepth ? 32 / 16 : 2048 / 16, kStepB = kBDepth ? 32 / 16 : 2048 / 16;
  ptx::fence_products();
#pragma unroll
  for (int i = 0; i < WarpgroupTile::kDepth / 16; ++i) {
    ptx::multiply_64_rows<T, 256, kADepth, kBDepth>(sums, rows + i * kStepA, columns + i * kStepB);
  }
  ptx::commit_products();
}

// Brings a warp's 16 x 256 sums to their place through its own corner of shared memory: 8 rows and 128
// columns at a time, so that rows leave in whole lines.
template <class T>
__device__ inline void write_sums(const float (&sums)[128], float* corner, const Output& out,
                                  int64_t at, int m, int n, int row_begin, int column_begin) {
  using Tile = WarpgroupTile;
  const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
  for (int part = 0; part < 4; ++part) {
    const int lower = part / 2, first = part % 2 * Tile::kSumColumns;
    __syncwarp();
#pragma unroll
    for (int j = 0; j < Tile::kSumColumns / 8; ++j) {
      const int i = (first / 8 + j) * 4 + lower * 2;
      float* to = corner + lane / 4 * Tile::kSumPitch + j * 8 + lane % 4 * 2;
      *reinterpret_cast<float2*>(to) = make_float2(sums[i], sums[i + 1]);
    }
    __syncwarp();
#pragma unroll 1
    for (int r = 0; r < 8; ++r) {
      const int row = row_begin + lower * 8 + r, column = column_begin + first + lane * 4;
      if (row >= m || column >= n) continue;
      const float* from = corner + r * Tile::kSumPitch + lane * 4;
      float x[4] = {from[0], from[1], from[2], from[3]};
      finish<T>(out, at + row * out.row_stride + column, column, n - column < 4 ? n - column : 4, x);
    }
  }
}

template <class T, bool kADepth, bool kBDepth>
__device__ inline void consume(const WarpgroupProduct& p, const WarpgroupRing& ring, int64_t tiles) {
  using Tile = WarpgroupTile;
  const int warp = static_cast<int>(threadIdx.x) / 32 - 4, half = warp / 4;
  const bool leads = threadIdx.x % 32 == 0;
  // Where this warpgroup's 64 rows begin in a stage of A: a block or 64 rows of 64, the same.
  const int first = half * Tile::kBlock;
  int step = 0;
  for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    const BlockWork work(p.division, tile);
    float sums[128] = {};
    ptx::fence_sums(sums);
    for (int depth = 0; depth < p.k; depth += Tile::kDepth, ++step) {
      ring.wait_full(step);
      multiply_stage<T, kADepth, kBDepth>(sums, ring.a(step) + first, ring.b(step));
      ptx::wait_for_products<1>();  // the stage before is read: its products are done
      if (depth > 0 && leads) ring.release(step - 1);
    }
    ptx::wait_for_products<0>();
    ptx::fence_sums(sums);
    if (leads) ring.release(step - 1);
    write_sums<T>(sums, ring.sums + warp * (Tile::kSumBytes / 4), p.out,
                  p.batch.offsets(work.item).c, p.m, p.n,
                  work.row_tile * Tile::kRows + half * 64 + warp % 4 * 16,
                  work.column_tile * Tile::kColumns);
  }
}

template <class T, bool kADepth, bool kBDepth>
__global__ void PYDL_WARPGROUP_BOUNDS
    multiply_with_warpgroups(const __grid_constant__ WarpgroupProduct product) {
#ifdef PYDL_WARPGROUPS
  const WarpgroupRing ring(dynamic_shared<unsigned char, 1024>());
  if (threadIdx.x == 0) ring.init();
  __syncthreads();
  const int64_t tiles = product.division.row_tiles * int64_t{product.division.column_tiles} *
                        product.batch.count;
  if (threadIdx.x < 128) {
    ptx::give_up_registers<40>();
    if (threadIdx.x == 0) produce<kADepth, kBDepth>(product, ring, tiles);
  } else {
    ptx::claim_registers<232>();
    consume<T, kADepth, kBDepth>(product, ring, tiles);
  }
#endif
}

}  // namespace
}  // namespace pydl::cuda
