// What the emulated bodies of the PTX wrappers call. Asynchronous work is done as late as the program
// allows in forward order, at once in reverse order, and now or then in shuffled order: the first shows
// that a wait is missing, the second that a buffer is filled while others still read it.
#pragma once

#include <array>
#include <functional>

#include "emulator/thread.h"
#include "emulator/warp.h"

namespace pydl::emulator {

inline int warp() { return static_cast<int>(this_thread->warp); }

// Addresses of dynamic shared memory; its start is 0 and lies at a multiple of 1024.
uint32_t shared_address(const void* pointer);
char* shared_pointer(uint32_t address);

// --- bar.sync, bar.arrive --------------------------------------------------------------------------
inline void barrier_sync(int id, uint32_t threads, Site site = Site::here()) {
  barrier_wait("barrier_sync", id, threads, false, site);
}
inline void barrier_arrive(int id, uint32_t threads, Site site = Site::here()) {
  barrier_arrive("barrier_arrive", id, threads, site);
}
// The 128 threads of this thread's warpgroup meet.
void warpgroup_sync(Site site = Site::here());

// --- cp.async: groups of copies, a queue a thread --------------------------------------------------
void copy_async(void* shared, const void* global, uint32_t bytes, uint32_t valid);
void copy_commit();
void copy_wait(uint32_t pending);

// --- mbarrier: 8 bytes of shared memory, as on a GPU -----------------------------------------------
void mbarrier_init(uint64_t* barrier, uint32_t arrivals);
void mbarrier_arrive(uint64_t* barrier);
void mbarrier_expect(uint64_t* barrier, uint32_t bytes);  // and arrives
void mbarrier_complete(uint64_t* barrier, uint32_t bytes);
void copy_arrive(uint64_t* barrier);  // when all of this thread's copies have landed
void mbarrier_wait(uint64_t* barrier, uint32_t parity, Site site = Site::here());

// --- TMA -------------------------------------------------------------------------------------------
// Sizes and boxes count elements, the first dimension is contiguous; strides and swizzle are in bytes.
struct alignas(64) TensorMap {
  void* base;
  uint32_t rank, element_bytes, swizzle;
  uint64_t size[5], stride[5];
  uint32_t box[5];
};
static_assert(sizeof(TensorMap) == 128);

void tensor_load(void* shared, const TensorMap* map, uint64_t* barrier, const int32_t* at);
void tensor_store(const TensorMap* map, const void* shared, const int32_t* at);
void tensor_store_commit();
void tensor_store_wait(uint32_t pending);

// --- wgmma: work of a whole warp, a queue a warp ---------------------------------------------------
void warp_enqueue(std::function<void()> work);  // for the last lane to arrive
void warp_commit(Site site = Site::here());
void warp_wait(uint32_t pending, Site site = Site::here());  // the warpgroup meets, then its work is done

// Every lane leaves a copy of its operand; work(operands), an array of 32, runs when it lands.
template <class Operand, class Work>
void warp_start(const char* operation, Operand operand, Work work, Site site = Site::here()) {
  warp_collective(
      operation, ~0u, &operand,
      [&](void** lanes) {
        std::array<Operand, 32> operands;
        for (int lane = 0; lane < 32; ++lane) operands[lane] = *static_cast<Operand*>(lanes[lane]);
        warp_enqueue([operands, work]() mutable { work(operands.data()); });
      },
      site);
}

}  // namespace pydl::emulator
