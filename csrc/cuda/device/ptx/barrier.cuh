// Barriers in shared memory that count arrivals and bytes of tensor copies: mbarrier (sm_90).
#pragma once

#include <cuda_runtime.h>
#include <stdint.h>

namespace pydl::cuda::ptx {
namespace {

using Barrier = uint64_t;

#ifndef PYDL_CUDA_EMULATED
__device__ inline uint32_t shared_address(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}
#endif

// A phase ends after `arrivals` arrivals and all bytes that they announced. One thread does this; then
// comes fence_barriers(), then a barrier of the block.
__device__ inline void init_barrier(Barrier* barrier, uint32_t arrivals) {
#ifdef PYDL_CUDA_EMULATED
  emulator::mbarrier_init(barrier, arrivals);
#else
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)),
               "r"(arrivals)
               : "memory");
#endif
}

// Lets tensor copies see barriers that were initialised.
__device__ inline void fence_barriers() {
#ifndef PYDL_CUDA_EMULATED
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#endif
}

__device__ inline void arrive(Barrier* barrier) {
#ifdef PYDL_CUDA_EMULATED
  emulator::mbarrier_arrive(barrier);
#else
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier))
               : "memory");
#endif
}

// Arrives and announces bytes that copies will bring.
__device__ inline void arrive_expecting(Barrier* barrier, uint32_t bytes) {
#ifdef PYDL_CUDA_EMULATED
  emulator::mbarrier_expect(barrier, bytes);
#else
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(
                   shared_address(barrier)),
               "r"(bytes)
               : "memory");
#endif
}

// Arrives when all copies that this thread has started with copy_async have come. One of the arrivals that
// the barrier was initialised with.
__device__ inline void arrive_after_copies(Barrier* barrier) {
#ifdef PYDL_CUDA_EMULATED
  emulator::copy_arrive(barrier);
#else
  asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" ::"r"(shared_address(barrier))
               : "memory");
#endif
}

// Lets products of a warpgroup and tensor copies see what threads wrote to shared memory.
__device__ inline void fence_shared_memory() {
#ifndef PYDL_CUDA_EMULATED
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

// Waits for the end of the phase of this parity; phases are counted from 0.
__device__ inline void wait(Barrier* barrier, uint32_t parity) {
#ifdef PYDL_CUDA_EMULATED
  emulator::mbarrier_wait(barrier, parity);
#else
  asm volatile(
      "{\n"
      ".reg .pred done;\n"
      "again_%=:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
      "@!done bra again_%=;\n"
      "}" ::"r"(shared_address(barrier)),
      "r"(parity)
      : "memory");
#endif
}

// As __syncthreads() among `threads` threads, whole warps that name the same barrier, 1 to 15.
__device__ inline void sync_threads(int barrier, int threads) {
#ifdef PYDL_CUDA_EMULATED
  emulator::barrier_sync(barrier, static_cast<uint32_t>(threads));
#else
  asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
#endif
}

}  // namespace
}  // namespace pydl::cuda::ptx
