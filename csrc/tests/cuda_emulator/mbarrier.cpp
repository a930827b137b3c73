// mbarrier: counts arrivals and bytes; a phase ends when both are complete.
#include <string.h>

#include "cuda_emulator/sanitizers.h"
#include "cuda_emulator/worker.h"
#include "emulator/async.h"

namespace pydl::emulator {
namespace {

constexpr uint64_t kTag = 0x4d42;  // tells an mbarrier from memory that was never initialised

struct Fields {
  uint64_t tag : 16, phase : 1, expected : 11, missing : 11;
  int64_t bytes : 25;  // under way; below zero when they complete before they are expected
};
static_assert(sizeof(Fields) == sizeof(uint64_t));

Fields read(const uint64_t* barrier) {
  Fields fields;
  memcpy(&fields, barrier, sizeof fields);
  if (fields.tag != kTag)
    fail_thread("the mbarrier at %u is used before it is initialised", shared_address(barrier));
  return fields;
}

// Stores the fields; ends the phase if nothing is missing and wakes who waits for that.
void update(uint64_t* barrier, Fields fields) {
  const bool complete = fields.missing == 0 && fields.bytes == 0;
  if (complete) {
    fields.phase ^= 1;
    fields.missing = fields.expected;
  }
  memcpy(barrier, &fields, sizeof fields);
  if (!complete) return;
  for (Thread& thread : this_block->threads)
    if (thread.state == State::at_mbarrier && thread.operand == barrier &&
        thread.mask != fields.phase)
      wake(thread);
}

void arrive(uint64_t* barrier, int64_t bytes) {
  Uninstrumented scope;
  Fields fields = read(barrier);
  if (fields.missing == 0) fail_thread("more arrivals at an mbarrier than it expects");
  release(barrier);
  fields.missing -= 1;
  fields.bytes += bytes;
  update(barrier, fields);
}

}  // namespace

void mbarrier_init(uint64_t* barrier, uint32_t arrivals) {
  Uninstrumented scope;
  if (reinterpret_cast<uintptr_t>(barrier) % 8 || arrivals < 1 || arrivals > 1024)
    fail_thread("mbarrier: expected 1 to 1024 arrivals at a multiple of 8 bytes, got %u at %p",
                arrivals, static_cast<void*>(barrier));
  const Fields fields = {kTag, 0, arrivals, arrivals, 0};
  memcpy(barrier, &fields, sizeof fields);
}

void mbarrier_arrive(uint64_t* barrier) { arrive(barrier, 0); }
void mbarrier_expect(uint64_t* barrier, uint32_t bytes) { arrive(barrier, bytes); }

void mbarrier_complete(uint64_t* barrier, uint32_t bytes) {
  Uninstrumented scope;
  Fields fields = read(barrier);
  release(barrier);
  fields.bytes -= bytes;
  update(barrier, fields);
}

void mbarrier_wait(uint64_t* barrier, uint32_t parity, Site site) {
  Uninstrumented scope;
  if (read(barrier).phase == parity) {  // the phase of this parity is still going on
    Thread& self = *this_thread;
    self.operand = barrier;
    self.mask = parity;
    wait(self, State::at_mbarrier, "mbarrier_wait", site);
  }
  acquire(barrier);
}

}  // namespace pydl::emulator
