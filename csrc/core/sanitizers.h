// Tells AddressSanitizer, where it is built in, which bytes of cached memory nobody may touch.
#pragma once

#include <cstddef>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

namespace pydl {

inline void forbid_access([[maybe_unused]] void* memory, [[maybe_unused]] size_t bytes) {
#ifdef __SANITIZE_ADDRESS__
  ASAN_POISON_MEMORY_REGION(memory, bytes);
#endif
}

inline void allow_access([[maybe_unused]] void* memory, [[maybe_unused]] size_t bytes) {
#ifdef __SANITIZE_ADDRESS__
  ASAN_UNPOISON_MEMORY_REGION(memory, bytes);
#endif
}

}  // namespace pydl
