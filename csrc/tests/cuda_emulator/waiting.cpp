// Threads that wait for each other: warp collectives and barriers.
#include "cuda_emulator/sanitizers.h"
#include "cuda_emulator/worker.h"

namespace pydl::emulator {

void wait(Thread& self, State state, const char* operation, Site site) {
  self.state = state;
  self.operation = operation;
  self.site = site;
  self.group->ready &= ~(1u << self.lane);
  self.group->worker->leave(*self.fiber);
}

void wake(Thread& thread) {
  thread.state = State::ready;
  thread.group->ready |= 1u << thread.lane;
}

static void check_mask(const Thread& self, uint32_t mask, const char* operation, Site site) {
  if (!(mask >> self.lane & 1))
    fail_thread("%s at %s:%d: lane %u is not in its own mask %08x", operation, site.file, site.line,
                self.lane, mask);
  if (const uint32_t gone = mask & self.group->done)
    fail_thread("%s at %s:%d: the mask %08x names lanes that have left the kernel (%08x)", operation,
                site.file, site.line, mask, gone);
}

void meet_in_warp(const char* operation, uint32_t mask, void* operand,
                  void (*combine)(void* function, void** operands), void* function, Site site) {
  Uninstrumented scope;
  Thread& self = *this_thread;
  Warp& warp = *self.group;
  mask &= warp.lanes;
  check_mask(self, mask, operation, site);
  release(&warp);
  self.mask = mask;
  self.operand = operand;
  const uint32_t others = mask & ~(1u << self.lane);
  if (const uint32_t here = warp.in_collective & others) {  // those have compared with each other
    const Thread& other = warp.threads[__builtin_ctz(here)];
    if (other.mask != mask || !(other.site == site))
      fail_thread("%s at %s:%d with mask %08x, while lane %u is in %s at %s:%d with mask %08x",
                  operation, site.file, site.line, mask, other.lane, other.operation,
                  other.site.file, other.site.line, other.mask);
  }
  if ((warp.in_collective & others) == others) {  // the last to come does the work for all
    void* operands[32] = {};
    for (uint32_t rest = mask; rest; rest &= rest - 1) {
      const int lane = __builtin_ctz(rest);
      operands[lane] = warp.threads[lane].operand;
    }
    combine(function, operands);
    for (uint32_t rest = others; rest; rest &= rest - 1) wake(warp.threads[__builtin_ctz(rest)]);
    warp.in_collective &= ~mask;
  } else {
    warp.in_collective |= 1u << self.lane;
    wait(self, State::in_warp, operation, site);
  }
  acquire(&warp);
}

static bool complete(const Barrier& barrier) {
  return barrier.arrived &&
         barrier.arrived == (barrier.expected == kWholeBlock ? this_block->alive : barrier.expected);
}

static void let_through(int id) {
  Barrier& barrier = this_block->barriers[id];
  for (Thread& thread : this_block->threads)
    if (thread.state == State::at_barrier && thread.barrier == id) {
      thread.votes = barrier.votes;
      wake(thread);
    }
  this_thread->votes = barrier.votes;
  barrier = Barrier();
}

// Counts this thread; true if it was the last.
static bool arrive(const char* operation, int id, unsigned count, bool vote, Site site) {
  Barrier& barrier = this_block->barriers[id];
  if (barrier.arrived && barrier.expected != count)
    fail_thread("%s at %s:%d: barrier %d is for %u threads here and for %u at %s:%d", operation,
                site.file, site.line, id, count, barrier.expected, barrier.site.file,
                barrier.site.line);
  if (barrier.arrived && count == kWholeBlock && !(barrier.site == site))
    fail_thread("%s at %s:%d, while other threads are in %s at %s:%d", operation, site.file,
                site.line, barrier.operation, barrier.site.file, barrier.site.line);
  if (count != kWholeBlock && (count % 32 || count > this_block->threads.size()))
    fail_thread("%s at %s:%d: expected a multiple of 32 up to the block's %zu threads, got %u",
                operation, site.file, site.line, this_block->threads.size(), count);
  barrier = {barrier.arrived + 1, count, barrier.votes + vote, operation, site};
  release(&barrier);
  return complete(barrier);
}

int barrier_wait(const char* operation, int id, unsigned count, bool vote, Site site) {
  Uninstrumented scope;
  if (arrive(operation, id, count, vote, site)) {
    let_through(id);
  } else {
    Thread& self = *this_thread;
    self.barrier = id;
    wait(self, State::at_barrier, operation, site);
  }
  acquire(&this_block->barriers[id]);
  return this_thread->votes;
}

void barrier_arrive(const char* operation, int id, unsigned count, Site site) {
  Uninstrumented scope;
  if (arrive(operation, id, count, false, site)) let_through(id);
}

void Worker::finish_thread(Thread& thread) {
  Uninstrumented scope;
  check_all_waited_for(thread);
  Warp& warp = *thread.group;
  for (uint32_t rest = warp.in_collective; rest; rest &= rest - 1) {
    const Thread& other = warp.threads[__builtin_ctz(rest)];
    if (other.mask >> thread.lane & 1)
      fail_thread("left the kernel while lane %u waits for it in %s at %s:%d", other.lane,
                  other.operation, other.site.file, other.site.line);
  }
  thread.state = State::done;
  warp.done |= 1u << thread.lane;
  warp.ready &= ~(1u << thread.lane);
  --block_.alive;
  // Threads that have left count for no __syncthreads.
  if (block_.barriers[0].expected == kWholeBlock && complete(block_.barriers[0])) let_through(0);
}

}  // namespace pydl::emulator
