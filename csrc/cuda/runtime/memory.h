// The caching allocator of device memory, and the pinned host memory that copies go through.
//
// cudaMalloc and cudaFree wait for the device, so freed blocks are kept by size class and handed out
// again at once: work on a stream runs in order, so a block may be given to later work of the stream
// that still uses it. Small blocks are cut from chunks of 2 MiB.
#pragma once

#include "pydl/backend.h"

namespace pydl::cuda {

PydlStatus allocate(int32_t device, void* stream, int64_t bytes, void** memory);
void release(int32_t device, void* stream, void* memory);
PydlStatus memory_stats(int32_t device, PydlMemoryStats* stats);
PydlStatus reset_peak_memory(int32_t device);
PydlStatus empty_cache(int32_t device);
PydlStatus set_memory_limit(int32_t device, int64_t bytes);

// From now on what is freed on `stream` stays with it: a graph uses it at every launch.
void keep_memory_of(int32_t device, void* stream);
// Gives what a stream that is about to go has cached, and will free, to the default stream.
void forget_stream(int32_t device, void* stream);

PydlStatus copy(void* stream, int32_t to_device, void* to, int32_t from_device, const void* from,
                int64_t bytes);

}  // namespace pydl::cuda
