// Philox4x32-10, one block a lane.
// Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.
#pragma once

#include "cpu/kernel.h"
#include "cpu/simd/vec.h"
#include "pydl/kernels/random.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

using Words = Vec<uint64_t>;  // one 32-bit word a lane; its high half is arbitrary

class Philox {
 public:
  explicit Philox(PydlRandomState state) : offset_(state.offset) {
    uint32_t low = static_cast<uint32_t>(state.seed),
             high = static_cast<uint32_t>(state.seed >> 32);
    for (int round = 0; round < kRounds; ++round) {
      keys_[round][0] = low;
      keys_[round][1] = high;
      low += 0x9E3779B9;   // the golden ratio
      high += 0xBB67AE85;  // sqrt(3) - 1
    }
  }

  // The 64 words of a group.
  void group(int64_t index, uint32_t* words) const {
    constexpr int kLanes = Words::size, kBlocksAtOnce = 2 * kLanes;
    const uint64_t first = offset_ + static_cast<uint64_t>(index) * PYDL_RANDOM_BLOCKS;
    uint64_t lanes[kLanes];
    for (int i = 0; i < kLanes; ++i) lanes[i] = 2 * i;
    for (int b = 0; b < PYDL_RANDOM_BLOCKS; b += kBlocksAtOnce) {
      Words even[4], odd[4];
      const Words counter = Words::load(lanes) + Words(first + b);
      run(counter, even);
      run(counter + Words(1), odd);
      for (int w = 0; w < 4; ++w) {
        const Words both = (even[w] & Words(0xffffffff)) | (odd[w] << 32);
        bit_cast<uint32_t>(both).store(words + PYDL_RANDOM_BLOCKS * w + b);
      }
    }
  }

 private:
  static constexpr int kRounds = 10;

  void run(Words counter, Words* x) const {
    const Words m0(0xD2511F53), m1(0xCD9E8D57);
    x[0] = counter;
    x[1] = counter >> 32;
    x[2] = x[3] = Words(0);
    for (int round = 0; round < kRounds; ++round) {
      const Words p0 = isa::multiply_low(x[0].v, m0.v), p1 = isa::multiply_low(x[2].v, m1.v);
      x[0] = (p1 >> 32) ^ x[1] ^ Words(keys_[round][0]);
      x[2] = (p0 >> 32) ^ x[3] ^ Words(keys_[round][1]);
      x[1] = p1;
      x[3] = p0;
    }
  }

  uint64_t keys_[kRounds][2];
  uint64_t offset_;
};

// Calls body(philox, group) for every group that `count` elements need, in parallel.
template <class Body>
inline void for_each_group(const PydlContext* context, PydlRandomState state, int64_t count,
                           int64_t per_group, Body&& body) {
  constexpr int64_t kGrain = 128;  // groups: about 10 us
  const int64_t groups = (count + per_group - 1) / per_group;
  parallel_for(context, groups, kGrain, [&](int64_t begin, int64_t end) {
    const Philox philox(state);
    for (int64_t g = begin; g < end; ++g) body(philox, g);
    isa::stream_fence();  // bodies may stream
  });
}

// The 64-bit numbers of elements that take two words: 32 in a group.
inline void join_words(const uint32_t* words, uint64_t* bits) {
  for (int i = 0; i < PYDL_RANDOM_WORDS / 2; ++i)
    bits[i] = static_cast<uint64_t>(words[i]) << 32 | words[i + PYDL_RANDOM_WORDS / 2];
}

// Those of one group.
inline void draw(const Philox& philox, int64_t group, uint64_t* bits) {
  alignas(64) uint32_t words[PYDL_RANDOM_WORDS];
  philox.group(group, words);
  join_words(words, bits);
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
