// What AddressSanitizer and ThreadSanitizer must be told about fibers and device memory; nothing at all
// in a build without them.
#pragma once

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(PYDL_THREAD_SANITIZER)
#include <sanitizer/tsan_interface.h>
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

namespace pydl::emulator {

#if defined(__SANITIZE_ADDRESS__) || defined(PYDL_THREAD_SANITIZER)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

inline void poison([[maybe_unused]] const void* memory, [[maybe_unused]] size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_poison_memory_region(memory, bytes);
#endif
}
inline void unpoison([[maybe_unused]] const void* memory, [[maybe_unused]] size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(memory, bytes);
#endif
}

inline void destroy_sanitizer_fiber([[maybe_unused]] void*& state) {
#if defined(PYDL_THREAD_SANITIZER)
  if (state) __tsan_destroy_fiber(state);
#endif
  state = nullptr;
}
inline void renew_sanitizer_fiber([[maybe_unused]] void*& state) {
  destroy_sanitizer_fiber(state);
#if defined(PYDL_THREAD_SANITIZER)
  state = __tsan_create_fiber(0);
#endif
}

// What one thread did before its release is seen by those that acquire the same address later.
inline void release([[maybe_unused]] void* address) {
#if defined(PYDL_THREAD_SANITIZER)
  __tsan_release(address);
#endif
}
inline void acquire([[maybe_unused]] void* address) {
#if defined(PYDL_THREAD_SANITIZER)
  __tsan_acquire(address);
#endif
}

// The emulator's own bookkeeping is no race between CUDA threads.
struct Uninstrumented {
#if defined(PYDL_THREAD_SANITIZER)
  Uninstrumented() {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~Uninstrumented() {
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
  }
#else
  Uninstrumented() {}
#endif
};

}  // namespace pydl::emulator
