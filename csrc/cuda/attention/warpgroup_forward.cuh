// Attention forward on sm_90a, after Shah et al. (2024), "FlashAttention-3": one warpgroup brings tiles with
// the tensor memory accelerator, two take 64 queries each. A warpgroup's product of weights and values
// runs while it takes softmax of the next scores, and beside the other warpgroup's.
#pragma once

#include "cuda/attention/tensor_forward.cuh"
#include "cuda/device/ptx/tensor_copy.cuh"
#include "cuda/device/ptx/warpgroup.cuh"
#include "cuda/device/warpgroup_code.cuh"

namespace pydl::cuda {
namespace {

// Limits: exponentials and tensor cores, about equally for heads of 128. A thread has kHead / 2 sums,
// kKeys / 2 scores and half as many registers of weights: 160 of 232; shared memory holds the queries
// and two stages of keys and values, 80 to 192 KiB: one block to an SM.
template <class T_, int kHead_>
struct WarpgroupShape {
  using T = T_;
  static constexpr int kHead = kHead_;
  static constexpr int kConsumers = 2, kThreads = 128 * (1 + kConsumers), kStages = 2;
  static constexpr int kQueries = 64 * kConsumers, kKeys = kHead == 256 ? 64 : 128;
  // As the softmax of the rows of a warp sees it.
  static constexpr int kM = 1, kKeyBlocks = kKeys / 8, kHeadBlocks = kHead / 8;
  // Tiles lie in blocks of 64 columns; those of each warpgroup's queries are apart.
  static constexpr int kWarpgroupQueries = 64 * kHead, kTile = kKeys * kHead;
  static constexpr int kTileBytes = 2 * kTile, kQueryBytes = 2 * kQueries * kHead;
  static constexpr int kBarriers = 1 + 4 * kStages;
  static constexpr int kSharedBytes = kQueryBytes + 2 * kStages * kTileBytes + 8 * kBarriers;
};

struct WarpgroupAttention {
  ptx::TensorMap queries, keys, values;
  PydlAttentionGeometry geometry;
  void* out;
  float* log_sums;
};

// Shared memory: tiles come and go in turn, counted from 0, keys and values each in a ring of their own.
template <class Shape>
struct AttentionRing {
  using T = typename Shape::T;
  T *queries, *keys, *values;
  ptx::Barrier *queries_full, *keys_full, *keys_empty, *values_full, *values_empty;

  __device__ explicit AttentionRing(unsigned char* shared) {
    queries = reinterpret_cast<T*>(shared);
    keys = queries + Shape::kQueries * Shape::kHead;
    values = keys + Shape::kStages * Shape::kTile;
    queries_full = reinterpret_cast<ptx::Barrier*>(values + Shape::kStages * Shape::kTile);
    keys_full = queries_full + 1;
    keys_empty = keys_full + Shape::kStages;
    values_full = keys_empty + Shape::kStages;
    values_empty = values_full + Shape::kStages;
  }
  __device__ void init() const {
    ptx::init_barrier(queries_full, 1);
    for (int s = 0; s < Shape::kStages; ++s) {
      ptx::init_barrier(keys_full + s, 1);
      ptx::init_barrier(values_full + s, 1);
      ptx::init_barrier(keys_empty + s, 4 * Shape::kConsumers);  // a warp each
      ptx::init_barrier(values_empty + s, 4 * Shape::kConsumers);
    }
    ptx::fence_barriers();
  }
  __device__ static int tile(int step) { return step % Shape::kStages * Shape::kTile; }
  __device__ static void wait_full(ptx::Barrier* full, int step) {
    ptx::wait(full + step % Shape::kStages, step / Shape::kStages & 1);
  }
  __device__ static void wait_empty(ptx::Barrier* empty, int step) {
    if (step >= Shape::kStages)
      ptx::wait(empty + step % Shape::kStages, (step / Shape::kStages - 1) & 1);
  }
  __device__ static void release(ptx::Barrier* empty, int step) {
    if (threadIdx.x % 32 == 0) ptx::arrive(empty + step % Shape::kStages);
  }
};

// The work of one block.
template <class Shape>
struct AttentionWork {
  int batch, head, key_head, steps;
  int64_t first;

  __device__ explicit AttentionWork(const PydlAttentionGeometry& g) {
    const int64_t tiles = divide_up(g.queries, Shape::kQueries), all = blockIdx.x / tiles;
    batch = static_cast<int>(all / g.heads);
    head = static_cast<int>(all % g.heads);
    key_head = head / static_cast<int>(g.heads / g.key_heads);
    // The last queries first: with causality they take longest.
    first = (tiles - 1 - blockIdx.x % tiles) * Shape::kQueries;
    const int64_t last = first + Shape::kQueries;
    steps = static_cast<int>(divide_up(g.causal && last < g.keys ? last : g.keys, Shape::kKeys));
  }
};

// One thread keeps the rings filled.
template <class Shape>
__device__ void bring_tiles(const WarpgroupAttention& args, const AttentionRing<Shape>& ring,
                            const AttentionWork<Shape>& work) {
  const auto bring = [&](typename Shape::T* to, const ptx::TensorMap* map, ptx::Barrier* full,
                         int rows, int64_t row, int head) {
#pragma unroll
    for (int block = 0; block < Shape::kHead / 64; ++block)
      ptx::load_box(to + block * rows * 64, map, full, block * 64, static_cast<int>(row), head,
                    work.batch);
  };
  ptx::arrive_expecting(ring.queries_full, Shape::kQueryBytes);
  for (int i = 0; i < Shape::kConsumers; ++i)
    bring(ring.queries + i * Shape::kWarpgroupQueries, &args.queries, ring.queries_full, 64,
          work.first + 64 * i, work.head);
  for (int step = 0; step < work.steps; ++step) {
    const auto next = [&](typename Shape::T* tiles, const ptx::TensorMap* map, ptx::Barrier* full,
                          ptx::Barrier* empty) {
      ring.wait_empty(empty, step);
      full += step % Shape::kStages;
      ptx::arrive_expecting(full, Shape::kTileBytes);
      bring(tiles + ring.tile(step), map, full, Shape::kKeys, int64_t{step} * Shape::kKeys,
            work.key_head);
    };
    next(ring.keys, &args.keys, ring.keys_full, ring.keys_empty);
    next(ring.values, &args.values, ring.values_full, ring.values_empty);
  }
}

// Starts scores = the warpgroup's queries times a tile of keys.
template <class Shape>
__device__ void start_scores(float (&scores)[Shape::kKeys / 2], const typename Shape::T* queries,
                             const typename Shape::T* keys) {
  const uint64_t rows = ptx::describe_operand(queries, 0), columns = ptx::describe_operand(keys, 0);
#pragma unroll
  for (int i = 0; i < Shape::kKeys / 2; ++i) scores[i] = 0;
  ptx::fence_sums(scores);
  ptx::fence_products();
#pragma unroll
  for (int i = 0; i < Shape::kHead / 16; ++i) {
    // 16 columns further are 32 bytes, and after 64 columns the next block; descriptors count 16 bytes.
    const int row_step = i / 4 * (64 * 128 / 16) + i % 4 * 2;
    const int column_step = i / 4 * (Shape::kKeys * 128 / 16) + i % 4 * 2;
    ptx::multiply_64_rows<typename Shape::T, Shape::kKeys, true, true>(scores, rows + row_step,
                                                                       columns + column_step);
  }
  ptx::commit_products();
}

// Starts sums += weights times a tile of values.
template <class Shape>
__device__ void start_sums(float (&sums)[Shape::kHead / 2], uint32_t (&weights)[Shape::kKeys / 16][4],
                           const typename Shape::T* values) {
  const uint64_t columns = ptx::describe_operand(values, Shape::kKeys * 128);
  ptx::fence_sums(sums);
  ptx::fence_operand(weights);
  ptx::fence_products();
#pragma unroll
  for (int i = 0; i < Shape::kKeys / 16; ++i)  // 16 rows further are 2048 bytes
    ptx::multiply_64_rows<typename Shape::T, Shape::kHead, false>(sums, weights[i],
                                                                  columns + i * (2048 / 16));
  ptx::commit_products();
}

// A warpgroup's 64 queries.
template <class Shape>
__device__ void attend_rows(const WarpgroupAttention& args, const AttentionRing<Shape>& ring,
                            const AttentionWork<Shape>& work) {
  using T = typename Shape::T;
  using F = Fragments<T, Shape::kHead>;
  const PydlAttentionGeometry& g = args.geometry;
  const int warp = static_cast<int>(threadIdx.x) / 32 - 4, group = warp / 4;
  const int64_t first = work.first + 64 * group, query = first + warp % 4 * 16;
  const float unit = static_cast<float>(g.scale) * kLog2E;
  T* queries = ring.queries + group * Shape::kWarpgroupQueries;
  RowSums<Shape> rows;
  auto& sums = reinterpret_cast<float(&)[Shape::kHead / 2]>(rows.sums);
  float scores[1][Shape::kKeyBlocks][4], shrinks[1][2];
  auto& flat_scores = reinterpret_cast<float(&)[Shape::kKeys / 2]>(scores);
  uint32_t weights[Shape::kKeys / 16][4];
  const auto weigh = [&](int step) {
    const int64_t key = int64_t{step} * Shape::kKeys;
    if (key + Shape::kKeys > (g.causal && query < g.keys ? query + 1 : g.keys))
      hide_keys(g, query, key, scores);
    rows.weigh(scores, unit, shrinks);
  };
  const auto pack = [&] {
#pragma unroll
    for (int i = 0; i < Shape::kKeys / 16; ++i) {
      const typename F::Left left = F::of_sums(scores[0] + 2 * i);
#pragma unroll
      for (int e = 0; e < 4; ++e) weights[i][e] = left.x[e];
    }
  };
  ptx::wait(ring.queries_full, 0);
  ring.wait_full(ring.keys_full, 0);
  start_scores<Shape>(flat_scores, queries, ring.keys);
  ptx::wait_for_products<0>();
  ptx::fence_sums(flat_scores);
  ring.release(ring.keys_empty, 0);
  weigh(0);
  pack();
#pragma unroll 1
  for (int step = 1; step < work.steps; ++step) {
    ring.wait_full(ring.keys_full, step);
    start_scores<Shape>(flat_scores, queries, ring.keys + ring.tile(step));
    ring.wait_full(ring.values_full, step - 1);
    start_sums<Shape>(sums, weights, ring.values + ring.tile(step - 1));
    ptx::wait_for_products<1>();
    ptx::fence_sums(flat_scores);
    ring.release(ring.keys_empty, step);
    weigh(step);
    ptx::wait_for_products<0>();
    ptx::fence_sums(sums);
    ptx::fence_operand(weights);
    ring.release(ring.values_empty, step - 1);
    rows.shrink(shrinks);
    pack();
  }
  ring.wait_full(ring.values_full, work.steps - 1);
  start_sums<Shape>(sums, weights, ring.values + ring.tile(work.steps - 1));
  ptx::wait_for_products<0>();
  ptx::fence_sums(sums);
  ptx::fence_operand(weights);

  rows.finish({g, work.batch, work.head}, query, unit, 1, args.log_sums);
  T* out = static_cast<T*>(args.out) +
           (int64_t{work.batch} * g.queries * g.heads + work.head) * g.value_size;
  const HeadResult<T> to = {out, g.heads * g.value_size, g.queries, static_cast<int>(g.value_size)};
  ptx::sync_threads(1 + group, 128);  // the warpgroup's products have read its queries
  store_sums<Shape::kHead>(rows.sums, rows.tops, queries, warp % 4 * 16, to, first, 0);
}

template <class Shape>
__global__ void PYDL_WARPGROUP_BOUNDS
    attend_with_warpgroups(const __grid_constant__ WarpgroupAttention args) {
#ifdef PYDL_WARPGROUPS
  const AttentionRing<Shape> ring(dynamic_shared<unsigned char, 1024>());
  if (threadIdx.x == 0) ring.init();
  __syncthreads();
  const AttentionWork<Shape> work(args.geometry);
  if (threadIdx.x < 128) {
    ptx::give_up_registers<40>();
    if (threadIdx.x == 0) bring_tiles<Shape>(args, ring, work);
  } else {
    ptx::claim_registers<232>();
    attend_rows<Shape>(args, ring, work);
  }
#endif
}

}  // namespace
}  // namespace pydl::cuda
