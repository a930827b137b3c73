#include "cuda_emulator/fiber.h"

#include <stdint.h>
#include <string.h>

#include "cuda_emulator/sanitizers.h"

namespace pydl::emulator {

#if defined(__x86_64__)
// Saves what a function must keep for its caller, changes stacks, restores the same of the other side.
extern "C" void pydl_emulator_switch(void** save, void* load);
asm(R"(
.text
.type pydl_emulator_switch, @function
pydl_emulator_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size pydl_emulator_switch, . - pydl_emulator_switch
)");
#endif

size_t fiber_stack_bytes() { return kSanitized ? 512 << 10 : 64 << 10; }

void prepare_fiber(Fiber& fiber, void (*entry)()) {
  unpoison(fiber.stack, fiber.stack_bytes);
  renew_sanitizer_fiber(fiber.sanitizer_state);
#if defined(__x86_64__)
  void** top = reinterpret_cast<void**>(static_cast<char*>(fiber.stack) + fiber.stack_bytes);
  *--top = nullptr;  // where entry would return to; keeps the stack as a call leaves it
  *--top = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; ++i) *--top = nullptr;
  fiber.stack_pointer = top;
#else
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack;
  fiber.context.uc_stack.ss_size = fiber.stack_bytes;
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, entry, 0);
#endif
}

void release_fiber(Fiber& fiber) {
  unpoison(fiber.stack, fiber.stack_bytes);
  destroy_sanitizer_fiber(fiber.sanitizer_state);
}

#if defined(__SANITIZE_ADDRESS__)
// Which fiber this OS thread left last: AddressSanitizer learns the bounds of its stack on arrival.
static thread_local Fiber* left;

__attribute__((noinline)) static void arrive(Fiber* here) {
  const void* bottom = nullptr;
  size_t bytes = 0;
  __sanitizer_finish_switch_fiber(here ? here->sanitizer_state : nullptr, &bottom, &bytes);
  if (left && !left->stack) {
    left->stack = const_cast<void*>(bottom);
    left->stack_bytes = bytes;
  }
}
#else
static void arrive(Fiber*) {}
#endif

void enter_fiber() { arrive(nullptr); }

void adopt_os_thread(Fiber& scheduler) {
#if defined(PYDL_THREAD_SANITIZER)
  scheduler.sanitizer_state = __tsan_get_current_fiber();
#else
  (void)scheduler;
#endif
}

__attribute__((noinline)) void switch_fiber(Fiber& from, Fiber& to) {
#if defined(__SANITIZE_ADDRESS__)
  left = &from;
  __sanitizer_start_switch_fiber(&from.sanitizer_state, to.stack, to.stack_bytes);
#elif defined(PYDL_THREAD_SANITIZER)
  __tsan_switch_to_fiber(to.sanitizer_state, 1);
#endif
#if defined(__x86_64__)
  pydl_emulator_switch(&from.stack_pointer, to.stack_pointer);
#else
  swapcontext(&from.context, &to.context);
#endif
  arrive(&from);
}

}  // namespace pydl::emulator
