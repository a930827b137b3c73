// A stack of its own for each CUDA thread, and the switch between two of them.
#pragma once

#include <stddef.h>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace pydl::emulator {

struct Fiber {
  void* stack = nullptr;
  size_t stack_bytes = 0;
#if defined(__x86_64__)
  void* stack_pointer = nullptr;
#else
  ucontext_t context;
#endif
  void* sanitizer_state = nullptr;  // AddressSanitizer's fake stack, ThreadSanitizer's fiber
};

// The next switch to the fiber calls entry, which must never return.
void prepare_fiber(Fiber& fiber, void (*entry)());
void release_fiber(Fiber& fiber);

void switch_fiber(Fiber& from, Fiber& to);

// Every fiber's first act.
void enter_fiber();

// To be called in the scheduler's context before it switches for the first time.
void adopt_os_thread(Fiber& scheduler);

size_t fiber_stack_bytes();

}  // namespace pydl::emulator
