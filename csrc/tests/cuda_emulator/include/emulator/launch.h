// What csrc/cuda/launch.h calls in place of cudaLaunchKernel.
#pragma once

#include <functional>

#include "emulator/runtime_api.h"
#include "emulator/thread.h"

namespace pydl::emulator {

// Calls thread_body once for each thread of each block, now or, on a stream that is being captured,
// whenever the graph is launched. `kernel` identifies the kernel, `site` is for messages.
cudaError_t launch(const void* kernel, Site site, dim3 grid, dim3 block, size_t shared_bytes,
                   cudaStream_t stream, std::function<void()> thread_body);

inline void* dynamic_shared() { return this_block->shared; }

}  // namespace pydl::emulator
