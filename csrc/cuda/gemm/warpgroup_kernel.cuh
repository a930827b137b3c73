// Large products of float16 and bfloat16 on sm_90a: one warpgroup brings tiles, with the tensor memory
// accelerator or from places that it works out, two multiply them; blocks stay and take one tile after
// another.
#pragma once

#include "cuda/device/ptx/warpgroup.cuh"
#include "cuda/device/warpgroup_code.cuh"
#include "cuda/gemm/warpgroup_tile.cuh"

namespace pydl::cuda {
namespace {

// OperandA: a MappedOperand, or one of operand.cuh's kind with whole chunks.
template <class OperandA>
struct WarpgroupProduct {
  OperandA a;
  MappedOperand b;
  int m, n, k;
  Division division;
  Batch batch;
  Output out;
};

template <class OperandA>
constexpr bool kGathers = !std::is_same_v<OperandA, MappedOperand>;

// The depths of a block's tile.
struct DepthRange {
  int begin, end;

  template <class Product>
  __device__ DepthRange(const Product& p, const BlockWork& work) {
    begin = work.split * p.division.depth_per_split;
    const int rest = p.k - begin;
    end = begin + (rest < p.division.depth_per_split ? rest : p.division.depth_per_split);
  }
};

template <class Product>
__device__ inline int64_t count_tiles(const Product& p) {
  return p.division.row_tiles * int64_t{p.division.column_tiles} * p.division.splits * p.batch.count;
}

// Keeps the ring filled: one thread, where tensor copies bring everything.
template <class Tile, bool kADepth, bool kBDepth>
__device__ inline void produce(const WarpgroupProduct<MappedOperand>& p,
                               const WarpgroupRing<Tile>& ring) {
  if (threadIdx.x > 0) return;
  RingPlace<Tile> at;
  const int64_t tiles = count_tiles(p);
  for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    const BlockWork work(p.division, tile);
    const DepthRange depths(p, work);
    const int row = work.row_tile * Tile::kRows, column = work.column_tile * Tile::kColumns;
    const int item = static_cast<int>(work.item);
    for (int depth = depths.begin; depth < depths.end; depth += Tile::kDepth, at.advance()) {
      ptx::Barrier* full = ring.full + at.stage;
      ring.wait_empty(at);
      ptx::arrive_expecting(full, Tile::kStageBytes);
      p.a.template load<kADepth, Tile::kRows>(ring.a(at), full, row, depth, item);
      p.b.template load<kBDepth, Tile::kColumns>(ring.b(at), full, column, depth, item);
    }
  }
}

// The same where all threads of the warpgroup copy A.
template <class Tile, bool kADepth, bool kBDepth, class OperandA>
__device__ inline void produce(const WarpgroupProduct<OperandA>& p, const WarpgroupRing<Tile>& ring) {
  using T = typename OperandA::T;
  using TileA = SwizzledTile<T, Tile::kRows, kADepth>;
  RingPlace<Tile> at;
  const int64_t tiles = count_tiles(p);
  for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    const BlockWork work(p.division, tile);
    const DepthRange depths(p, work);
    const int column = work.column_tile * Tile::kColumns, item = static_cast<int>(work.item);
    OperandA a = p.a;
    a.data += p.batch.offsets(work.item).a;
    TileLoader<TileA, OperandA, 128, true> rows(a, work.row_tile * Tile::kRows, p.m, depths.end);
    for (int depth = depths.begin; depth < depths.end; depth += Tile::kDepth, at.advance()) {
      ptx::Barrier* full = ring.full + at.stage;
      ring.wait_empty(at);
      if (threadIdx.x == 0) {
        ptx::arrive_expecting(full, 2 * Tile::kStageB);
        p.b.template load<kBDepth, Tile::kColumns>(ring.b(at), full, column, depth, item);
      }
      rows.load(reinterpret_cast<T*>(ring.a(at)), depth);
      ptx::arrive_after_copies(full);
    }
  }
}

// The 4 products of a stage for one warpgroup.
template <class T, class Tile, bool kADepth, bool kBDepth>
__device__ inline void multiply_stage(float (&sums)[Tile::kColumns / 2], const uint16_t* a,
                                      const uint16_t* b) {
  constexpr uint32_t kBlockBytes = 2 * Tile::kBlock;
  const uint64_t rows = ptx::describe_operand(a, kBlockBytes);
  const uint64_t columns = ptx::describe_operand(b, kBlockBytes);
  // The next 16 depths are 32 bytes further in a row, or 16 rows of 128 bytes; descriptors count 16.
  constexpr int kStepA = kADepth ? 32 / 16 : 2048 / 16, kStepB = kBDepth ? 32 / 16 : 2048 / 16;
  ptx::fence_products();
#pragma unroll
  for (int i = 0; i < Tile::kDepth / 16; ++i) {
    ptx::multiply_64_rows<T, Tile::kColumns, kADepth, kBDepth>(sums, rows + i * kStepA,
                                                               columns + i * kStepB);
  }
  ptx::commit_products();
}

// Where the sums of a tile go: `out`, or a split's share of `partial`.
struct SumsTarget {
  Output out;
  int64_t at;
  float* partial;
  int m, n;

  template <class T, class Product>
  static __device__ SumsTarget of(const Product& p, const BlockWork& work) {
    const BatchOffsets offsets = p.batch.offsets(work.item);
    SumsTarget to = {p.out, offsets.c, nullptr, p.m, p.n};
    if (to.out.bias) to.out.bias = static_cast<const T*>(to.out.bias) + offsets.bias;
    if (p.division.splits > 1) {
      to.partial = static_cast<float*>(p.division.partial) +
                   (work.split * p.batch.count + work.item) * p.m * p.n;
    }
    return to;
  }
};

// Brings a warp's 16 rows of sums to their place through its own corner of shared memory: 8 rows and at
// most 128 columns at a time, so that rows leave in whole lines.
template <class T, class Tile>
__device__ inline void write_sums(const float (&sums)[Tile::kColumns / 2], float* corner,
                                  const SumsTarget& to, int row_begin, int column_begin) {
  constexpr int kParts = Tile::kColumns / Tile::kSumColumns, kLanes = Tile::kSumColumns / 4;
  const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
  for (int part = 0; part < 2 * kParts; ++part) {
    const int lower = part / kParts, first = part % kParts * Tile::kSumColumns;
    __syncwarp();
#pragma unroll
    for (int j = 0; j < Tile::kSumColumns / 8; ++j) {
      const int i = (first / 8 + j) * 4 + lower * 2;
      float* place = corner + lane / 4 * Tile::kSumPitch + j * 8 + lane % 4 * 2;
      *reinterpret_cast<float2*>(place) = make_float2(sums[i], sums[i + 1]);
    }
    __syncwarp();
#pragma unroll 1
    for (int r = lane / kLanes; r < 8; r += 32 / kLanes) {
      const int row = row_begin + lower * 8 + r, column = column_begin + first + lane % kLanes * 4;
      if (row >= to.m || column >= to.n) continue;
      const int count = to.n - column < 4 ? to.n - column : 4;
      const float* from = corner + r * Tile::kSumPitch + lane % kLanes * 4;
      float x[4] = {from[0], from[1], from[2], from[3]};
      if (to.partial) {
        Four<float>::store(x, count, to.n % 4 == 0, to.partial + int64_t{row} * to.n + column);
      } else {
        finish<T>(to.out, to.at + row * to.out.row_stride + column, column, count, x);
      }
    }
  }
}

template <class T, class Tile, bool kADepth, bool kBDepth, class OperandA>
__device__ inline void consume(const WarpgroupProduct<OperandA>& p, const WarpgroupRing<Tile>& ring) {
  const int warp = static_cast<int>(threadIdx.x) / 32 - 4, half = warp / 4;
  const bool leads = threadIdx.x % 32 == 0;
  // Where this warpgroup's 64 rows begin in a stage of A: a block or 64 rows of 64, the same.
  const int first = half * Tile::kBlock;
  RingPlace<Tile> at, before;
  const int64_t tiles = count_tiles(p);
  for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    const BlockWork work(p.division, tile);
    const DepthRange depths(p, work);
    float sums[Tile::kColumns / 2] = {};
    ptx::fence_sums(sums);
    for (int depth = depths.begin; depth < depths.end; depth += Tile::kDepth) {
      ring.wait_full(at);
      if constexpr (kGathers<OperandA>) ptx::fence_shared_memory();
      multiply_stage<T, Tile, kADepth, kBDepth>(sums, ring.a(at) + first, ring.b(at));
      ptx::wait_for_products<1>();  // the stage before is read: its products are done
      if (depth > depths.begin && leads) ring.release(before);
      before = at;
      at.advance();
    }
    ptx::wait_for_products<0>();
    ptx::fence_sums(sums);
    if (leads) ring.release(before);
    write_sums<T, Tile>(sums, ring.sums + warp * (Tile::kSumBytes / 4), SumsTarget::of<T>(p, work),
                        work.row_tile * Tile::kRows + half * 64 + warp % 4 * 16,
                        work.column_tile * Tile::kColumns);
  }
}

template <class T, class Tile, bool kADepth, bool kBDepth, class OperandA>
__global__ void PYDL_WARPGROUP_BOUNDS
    multiply_with_warpgroups(const __grid_constant__ WarpgroupProduct<OperandA> product) {
#ifdef PYDL_WARPGROUPS
  // All threads of the first warpgroup arrive for their copies, one for those of the accelerator.
  constexpr bool kAll = kGathers<OperandA>;
  const WarpgroupRing<Tile> ring(dynamic_shared<unsigned char, 1024>());
  if (threadIdx.x == 0) ring.init(kAll ? 129 : 1);
  __syncthreads();
  if (threadIdx.x < 128) {
    ptx::give_up_registers<kAll ? 96 : 40>();
    produce<Tile, kADepth, kBDepth>(product, ring);
  } else {
    ptx::claim_registers<kAll ? 208 : 232>();
    consume<T, Tile, kADepth, kBDepth>(product, ring);
  }
#endif
}

}  // namespace
}  // namespace pydl::cuda
