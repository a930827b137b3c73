// Atomics on shared and global memory; blocks of one grid run on several OS threads.
#pragma once

#include <atomic>

namespace pydl::emulator {

template <class T, class Update>
T atomic_update(T* address, Update update) {
  std::atomic_ref<T> cell(*address);
  T old = cell.load();
  while (!cell.compare_exchange_weak(old, update(old))) {
  }
  return old;
}

}  // namespace pydl::emulator

#define PYDL_ATOMIC(name, T, expression)                                                         \
  inline T name(T* address, T value) {                                                           \
    return pydl::emulator::atomic_update(address, [=]([[maybe_unused]] T old) -> T { return expression; });       \
  }
#define PYDL_INTEGER_ATOMICS(T)                        \
  PYDL_ATOMIC(atomicAdd, T, old + value)               \
  PYDL_ATOMIC(atomicMin, T, value < old ? value : old) \
  PYDL_ATOMIC(atomicMax, T, value > old ? value : old) \
  PYDL_ATOMIC(atomicAnd, T, old & value)               \
  PYDL_ATOMIC(atomicOr, T, old | value)                \
  PYDL_ATOMIC(atomicXor, T, old ^ value)               \
  PYDL_ATOMIC(atomicExch, T, value)                    \
  inline T atomicCAS(T* address, T expected, T value) { \
    std::atomic_ref<T>(*address).compare_exchange_strong(expected, value); \
    return expected;                                   \
  }
PYDL_INTEGER_ATOMICS(int)
PYDL_INTEGER_ATOMICS(unsigned)
PYDL_INTEGER_ATOMICS(long long)
PYDL_INTEGER_ATOMICS(unsigned long long)
PYDL_ATOMIC(atomicSub, int, old - value)
PYDL_ATOMIC(atomicSub, unsigned, old - value)
PYDL_ATOMIC(atomicAdd, float, old + value)
PYDL_ATOMIC(atomicAdd, double, old + value)
PYDL_ATOMIC(atomicExch, float, value)
PYDL_ATOMIC(atomicInc, unsigned, old >= value ? 0 : old + 1)
PYDL_ATOMIC(atomicDec, unsigned, old == 0 || old > value ? value : old - 1)
#undef PYDL_INTEGER_ATOMICS
#undef PYDL_ATOMIC

inline void __threadfence() { std::atomic_thread_fence(std::memory_order_seq_cst); }
inline void __threadfence_block() {}
inline void __threadfence_system() { __threadfence(); }
