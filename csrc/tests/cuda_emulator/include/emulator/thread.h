// The threads of one block, and how a thread waits for others. All threads of a block share an OS
// thread; whoever must wait switches to the block's scheduler.
#pragma once

#include <stdint.h>

#include <vector>

#include "emulator/vector_types.h"

namespace pydl::emulator {

struct Fiber;
struct Warp;
class Worker;

// Where a kernel calls something that other threads must call too.
struct Site {
  const char* file;
  int line;
  static constexpr Site here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
  bool operator==(const Site& other) const { return line == other.line; }
};

enum class State : uint8_t { ready, in_warp, at_barrier, at_mbarrier, done };

struct Thread {
  uint3 index;
  unsigned linear, lane, warp;
  Warp* group;
  State state;
  Fiber* fiber;  // from its first step to its last
  // What it waits for, unless it is ready or done.
  const char* operation;
  Site site;
  uint32_t mask;  // or an mbarrier's parity
  void* operand;  // or an mbarrier
  int barrier;
  int votes;  // what the barrier counted
};

struct Warp {
  Worker* worker;
  Thread* threads;
  uint32_t lanes;  // that exist
  uint32_t ready, in_collective, done;
};

struct Barrier {
  unsigned arrived, expected;
  int votes;
  const char* operation;
  Site site;
};

constexpr int kNamedBarriers = 16, kBarriers = kNamedBarriers + 8;  // and one for each warpgroup

struct Block {
  dim3 grid, dim;
  uint3 index;
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  unsigned alive;
  char* shared;  // dynamic shared memory
  size_t shared_bytes;
  Barrier barriers[kBarriers];
};

extern constinit thread_local Block* this_block;
extern constinit thread_local Thread* this_thread;

// Ends the launch with an error that names this thread.
[[noreturn]] void fail_thread(const char* format, ...) __attribute__((format(printf, 1, 2)));

// The lanes of the mask meet in the same operation; the last one calls combine(function, operands).
void meet_in_warp(const char* operation, uint32_t mask, void* operand,
                  void (*combine)(void* function, void** operands), void* function, Site site);

// Runs combine(operands) once all lanes of the mask are in the same operation; operands[i] is null for
// lanes that are not in the mask.
template <class Combine>
void warp_collective(const char* operation, uint32_t mask, void* operand, Combine combine,
                     Site site = Site::here()) {
  meet_in_warp(
      operation, mask, operand,
      [](void* function, void** operands) { (*static_cast<Combine*>(function))(operands); }, &combine,
      site);
}

// Waits until `count` threads have arrived; the number of those that voted.
int barrier_wait(const char* operation, int id, unsigned count, bool vote, Site site);
void barrier_arrive(const char* operation, int id, unsigned count, Site site);

constexpr unsigned kWholeBlock = ~0u;  // a count: all threads that have not left the kernel

}  // namespace pydl::emulator

#define threadIdx (::pydl::emulator::this_thread->index)
#define blockIdx (::pydl::emulator::this_block->index)
#define blockDim (::pydl::emulator::this_block->dim)
#define gridDim (::pydl::emulator::this_block->grid)
constexpr int warpSize = 32;

inline void __syncthreads(pydl::emulator::Site site = pydl::emulator::Site::here()) {
  pydl::emulator::barrier_wait("__syncthreads", 0, pydl::emulator::kWholeBlock, false, site);
}
inline int __syncthreads_count(int predicate,
                               pydl::emulator::Site site = pydl::emulator::Site::here()) {
  return pydl::emulator::barrier_wait("__syncthreads_count", 0, pydl::emulator::kWholeBlock,
                                      predicate != 0, site);
}
inline int __syncthreads_or(int predicate,
                            pydl::emulator::Site site = pydl::emulator::Site::here()) {
  return pydl::emulator::barrier_wait("__syncthreads_or", 0, pydl::emulator::kWholeBlock,
                                      predicate != 0, site) != 0;
}
inline int __syncthreads_and(int predicate,
                             pydl::emulator::Site site = pydl::emulator::Site::here()) {
  return pydl::emulator::barrier_wait("__syncthreads_and", 0, pydl::emulator::kWholeBlock,
                                      predicate == 0, site) == 0;
}
