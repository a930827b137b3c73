// Philox4x32-10. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.
#pragma once

#include "pydl/cuda/replay.cuh"
#include "pydl/kernels/random.h"

namespace pydl::cuda {

// A stream of random words, as kernels get it.
struct RandomStream {
  PydlRandomState state;
  const PydlReplay* replay;
};

inline RandomStream random_stream(const PydlContext* context, PydlRandomState state) {
  return {state, replay_of(context)};
}

class Philox {
 public:
  __device__ explicit Philox(const RandomStream& stream)
      : seed_(stream.state.seed),
        offset_(stream.state.offset + (stream.replay ? stream.replay->random_shift : 0)) {}

  // Block b of group g has the index 16 g + b; its words 0 .. 3 are b, b + 16, b + 32 and b + 48 of
  // the group.
  __device__ void block(int64_t index, uint32_t (&x)[4]) const {
    const uint64_t counter = offset_ + static_cast<uint64_t>(index);
    uint32_t low = static_cast<uint32_t>(seed_), high = static_cast<uint32_t>(seed_ >> 32);
    x[0] = static_cast<uint32_t>(counter);
    x[1] = static_cast<uint32_t>(counter >> 32);
    x[2] = x[3] = 0;
#pragma unroll
    for (int round = 0; round < 10; ++round) {
      const uint64_t p0 = uint64_t{x[0]} * 0xD2511F53u, p1 = uint64_t{x[2]} * 0xCD9E8D57u;
      x[0] = static_cast<uint32_t>(p1 >> 32) ^ x[1] ^ low;
      x[2] = static_cast<uint32_t>(p0 >> 32) ^ x[3] ^ high;
      x[1] = static_cast<uint32_t>(p1);
      x[3] = static_cast<uint32_t>(p0);
      low += 0x9E3779B9u;   // the golden ratio
      high += 0xBB67AE85u;  // sqrt(3) - 1
    }
  }

  // The number of one element of those that take two words.
  __device__ uint64_t bits64(int64_t element) const {
    const int place = static_cast<int>(element % 32);
    uint32_t x[4];
    block(element / 32 * PYDL_RANDOM_BLOCKS + place % 16, x);
    return place < 16 ? uint64_t{x[0]} << 32 | x[2] : uint64_t{x[1]} << 32 | x[3];
  }

 private:
  uint64_t seed_, offset_;
};

// The upper 64 bits of bits * range: uniform in [0, range) but for a share of range / 2^64.
__device__ inline uint64_t scale_bits(uint64_t bits, uint64_t range) {
  return __umul64hi(bits, range);
}

}  // namespace pydl::cuda
