// What the warpgroups of a block share: the ring of tiles, and how operands come into it.
#pragma once

#include "cuda/device/ptx/tensor_copy.cuh"
#include "cuda/gemm/main_loop.cuh"

namespace pydl::cuda {
namespace {

// Tile 128 x kColumns x 64, each multiplying warpgroup 64 x kColumns. Limits with 256 columns: tensor
// cores; a stage of 48 KiB feeds 4 products of 128 cycles, 4 stages and 34 KiB for finished sums fill
// shared memory: one block to an SM; 128 sums a thread. Narrower tiles have more stages of less.
template <int kColumns_>
struct WarpgroupTile {
  static constexpr int kRows = 128, kColumns = kColumns_, kDepth = 64;
  static constexpr int kConsumers = 2, kThreads = 128 * (1 + kConsumers);
  static constexpr int kBlock = 64 * 64;  // elements of 64 columns and 64 rows: 8 KiB
  static constexpr int kStageA = kRows * kDepth, kStageB = kColumns * kDepth;
  static constexpr int kStageBytes = 2 * (kStageA + kStageB);
  static constexpr int kStages = (192 << 10) / kStageBytes;
  // A warp's finished sums: 8 rows of at most 128, padded to start in different banks.
  static constexpr int kSumColumns = kColumns < 128 ? kColumns : 128, kSumPitch = kSumColumns + 8;
  static constexpr int kSumBytes = 4 * 8 * kSumPitch;
  static constexpr int kBarrierBytes = 2 * kStages * 8;
  static constexpr int kSharedBytes =
      kStages * kStageBytes + 4 * kConsumers * kSumBytes + kBarrierBytes;
};

// A place in the ring; who has gone around once expects the other parity.
template <class Tile>
struct RingPlace {
  int stage = 0;
  uint32_t parity = 0;

  __device__ void advance() {
    if (++stage < Tile::kStages) return;
    stage = 0;
    parity ^= 1;
  }
};

template <class Tile>
struct WarpgroupRing {
  using Place = RingPlace<Tile>;
  uint16_t* stages;
  float* sums;
  ptx::Barrier *full, *empty;

  __device__ explicit WarpgroupRing(unsigned char* shared) {
    stages = reinterpret_cast<uint16_t*>(shared);
    sums = reinterpret_cast<float*>(shared + Tile::kStages * Tile::kStageBytes);
    full = reinterpret_cast<ptx::Barrier*>(shared + Tile::kSharedBytes - Tile::kBarrierBytes);
    empty = full + Tile::kStages;
  }
  // `arrivals` of those who fill a stage.
  __device__ void init(uint32_t arrivals) const {
    for (int s = 0; s < Tile::kStages; ++s) {
      ptx::init_barrier(full + s, arrivals);
      ptx::init_barrier(empty + s, 4 * Tile::kConsumers);  // a warp each
    }
    ptx::fence_barriers();
  }
  __device__ uint16_t* a(Place at) const { return stages + at.stage * (Tile::kStageBytes / 2); }
  __device__ uint16_t* b(Place at) const { return a(at) + Tile::kStageA; }
  __device__ void wait_full(Place at) const { ptx::wait(full + at.stage, at.parity); }
  __device__ void wait_empty(Place at) const { ptx::wait(empty + at.stage, at.parity ^ 1); }
  __device__ void release(Place at) const { ptx::arrive(empty + at.stage); }
};

// An operand that tensor copies bring: matrices of `depths` each, where a sum goes on from one to the next.
struct MappedOperand {
  ptx::TensorMap map;
  int depths;
  int item_matrices, item_depths;  // from one item of the batch to the next

  // A tile of blocks of 64 contiguous elements and kOuter rows, or of 64 depths; by one thread.
  template <bool kDepthContiguous, int kOuter>
  __device__ void load(uint16_t* to, ptx::Barrier* full, int outer, int depth, int item) const {
    const int before = depth / depths, matrix = before + item * item_matrices;
    const int at = depth - before * depths + item * item_depths;
    if constexpr (kDepthContiguous) {
      ptx::load_box(to, &map, full, at, outer, matrix);
    } else {
      for (int i = 0; i < kOuter / 64; ++i) {
        ptx::load_box(to + i * 64 * 64, &map, full, outer + i * 64, at, matrix);
      }
    }
  }
};

// The same tile for threads that copy it chunk by chunk.
template <class Element, int kOuter, bool kDepthContiguous_>
struct SwizzledTile {
  using T = Element;
  static constexpr bool kDepthContiguous = kDepthContiguous_;
  static constexpr int kRows = kDepthContiguous ? kOuter : 64;
  static constexpr int kChunk = 8, kChunks = kDepthContiguous ? 8 : kOuter / 8;

  static __device__ int offset(int row, int chunk) {
    return chunk / 8 * (64 * 64) + row * 64 + (chunk % 8 ^ (row & 7)) * kChunk;
  }
};

}  // namespace
}  // namespace pydl::cuda
