// Asynchronous copies from global to shared memory: cp.async and its groups (sm_80). Older GPUs copy at
// once.
#pragma once

#include <cuda_runtime.h>
#include <stdint.h>

#include <type_traits>

#if !defined(PYDL_CUDA_EMULATED) && defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#define PYDL_COPIES_AT_ONCE
#endif

namespace pydl::cuda::ptx {
namespace {

#ifdef PYDL_COPIES_AT_ONCE
template <int kBytes>
__device__ inline void copy_at_once(void* shared, const void* global, int valid) {
  using Words = std::conditional_t<kBytes == 16, uint4, std::conditional_t<kBytes == 8, uint2, uint32_t>>;
  if (valid == kBytes) {
    *static_cast<Words*>(shared) = *static_cast<const Words*>(global);
    return;
  }
  *static_cast<Words*>(shared) = Words{};
  for (int i = 0; i < valid; ++i) {
    static_cast<char*>(shared)[i] = static_cast<const char*>(global)[i];
  }
}
#endif

// Starts to copy kBytes (4, 8 or 16, both sides aligned to them), of which only the first `valid` are
// read from global memory; the others become zero.
template <int kBytes>
__device__ inline void copy_async(void* shared, const void* global, int valid) {
#ifdef PYDL_CUDA_EMULATED
  emulator::copy_async(shared, global, kBytes, static_cast<uint32_t>(valid));
#elif defined(PYDL_COPIES_AT_ONCE)
  copy_at_once<kBytes>(shared, global, valid);
#else
  const uint32_t to = static_cast<uint32_t>(__cvta_generic_to_shared(shared));
  if constexpr (kBytes == 16) {  // past the first-level cache: a tile is read once by a block
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(global), "r"(valid)
                 : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(to), "l"(global),
                 "n"(kBytes), "r"(valid)
                 : "memory");
  }
#endif
}

// Closes a group of this thread's copies.
__device__ inline void commit_copies() {
#ifdef PYDL_CUDA_EMULATED
  emulator::copy_commit();
#elif !defined(PYDL_COPIES_AT_ONCE)
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits until at most kPending of this thread's groups are under way.
template <int kPending>
__device__ inline void wait_for_copies() {
#ifdef PYDL_CUDA_EMULATED
  emulator::copy_wait(kPending);
#elif !defined(PYDL_COPIES_AT_ONCE)
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
#endif
}

}  // namespace
}  // namespace pydl::cuda::ptx
