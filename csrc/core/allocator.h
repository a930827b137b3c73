// The caching allocator of host memory.
//
// Freed blocks are kept by size class and handed out again, because fresh pages cost more than most
// kernels: the kernel must zero them on first touch. Big blocks are mapped on 2 MiB boundaries and ask
// for huge pages; medium ones lie next to each other and share them. What is cached never exceeds a
// quarter of the machine's memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/device.h"

namespace pydl {

struct MemoryStats {
  int64_t allocated_bytes;  // in use now
  int64_t peak_bytes;       // the most that was ever in use
  int64_t cached_bytes;     // freed, kept for reuse
  int64_t limit_bytes;      // on allocated + cached; 0 means none
  int64_t allocation_count;
  int64_t system_allocation_count;  // those that the cache could not serve
};

// 64-byte aligned. Throws OutOfMemoryError, after emptying the cache and trying once more.
void* allocate(size_t bytes);
void deallocate(void* memory);

// Memory of devices other than the CPU; whoever knows how fills this in when the library loads.
struct DeviceAllocator {
  void* (*allocate)(size_t bytes, Device device);
  void (*deallocate)(void* memory, Device device);
};
extern DeviceAllocator device_allocator;

MemoryStats memory_stats();
void reset_peak_memory();
void empty_cache();
void set_memory_limit(int64_t bytes);

}  // namespace pydl
