// How kernels are launched: launch(context, grid, block, shared_bytes, kernel, args...) returns
// PYDL_OK, or what it told the context of the failure.
#pragma once

#include <cuda_runtime.h>
#include <stdint.h>
#include <stdio.h>

#include "pydl/abi.h"

namespace pydl::cuda {

// A context, and where it was passed on: messages name the line that launched.
struct LaunchSite {
  const PydlContext* context;
  const char* file;
  int line;
  LaunchSite(const PydlContext* context, const char* file = __builtin_FILE(),
             int line = __builtin_LINE())
      : context(context), file(file), line(line) {}
};

inline PydlStatus check(const LaunchSite& site, cudaError_t error, const char* what) {
  if (error == cudaSuccess) return PYDL_OK;
  cudaGetLastError();  // reported once
  const char* name = site.file;
  for (const char* p = site.file; *p; ++p)
    if (*p == '/') name = p + 1;
  char message[640];
  snprintf(message, sizeof message, "expected %s at %s:%d to succeed, got %s: %s", what, name,
           site.line, cudaGetErrorName(error), cudaGetErrorString(error));
  const PydlStatus status =
      error == cudaErrorMemoryAllocation ? PYDL_ERROR_MEMORY : PYDL_ERROR_RUNTIME;
  return site.context->fail(site.context, status, message);
}

// The parameters as the kernel declares them; arguments convert on the way in.
template <class... Parameters>
struct KernelCall {
  static cudaError_t run(const LaunchSite& site, dim3 grid, dim3 block, size_t shared_bytes,
                         void (*kernel)(Parameters...), Parameters... parameters) {
    auto stream = static_cast<cudaStream_t>(site.context->stream);
#ifdef PYDL_CUDA_EMULATED
    return emulator::launch({reinterpret_cast<const void*>(kernel), {site.file, site.line}, grid,
                             block, shared_bytes, [=] { kernel(parameters...); },
                             {emulator::Parameter(parameters)...}},
                            stream);
#else
    void* pointers[] = {&parameters..., nullptr};
    return cudaLaunchKernel(reinterpret_cast<const void*>(kernel), grid, block, pointers,
                            shared_bytes, stream);
#endif
  }
};

constexpr size_t kSharedWithoutAsking = 48 << 10;  // bytes; more must be asked for

// Launches on the context's stream. A grid without blocks is no work.
template <class... Parameters, class... Arguments>
PydlStatus launch(LaunchSite site, dim3 grid, dim3 block, size_t shared_bytes,
                  void (*kernel)(Parameters...), Arguments... arguments) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return PYDL_OK;
  if (shared_bytes > kSharedWithoutAsking) {
    const cudaError_t error = cudaFuncSetAttribute(
        kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes));
    if (error != cudaSuccess) return check(site, error, "asking for shared memory");
  }
  const cudaError_t error =
      KernelCall<Parameters...>::run(site, grid, block, shared_bytes, kernel, arguments...);
  return check(site, error, "the kernel launched");
}

constexpr int64_t kMostBlocks = 1 << 14;  // of a kernel with a grid-stride loop: fills any GPU

// Blocks of `threads` threads for a grid-stride loop over the items.
inline unsigned blocks_for(int64_t items, int threads) {
  const int64_t blocks = (items + threads - 1) / threads;
  return static_cast<unsigned>(blocks < kMostBlocks ? blocks : kMostBlocks);
}

// The block's dynamic shared memory. What TMA writes with a swizzle must lie at multiples of 1024.
template <class T, int Alignment = 16>
__device__ __forceinline__ T* dynamic_shared() {
#ifdef PYDL_CUDA_EMULATED
  return static_cast<T*>(emulator::dynamic_shared());
#else
  if constexpr (Alignment <= 16) {
    extern __shared__ __align__(16) unsigned char pydl_dynamic_shared[];
    return reinterpret_cast<T*>(pydl_dynamic_shared);
  } else {
    extern __shared__ __align__(1024) unsigned char pydl_dynamic_shared_1024[];
    return reinterpret_cast<T*>(pydl_dynamic_shared_1024);
  }
#endif
}

}  // namespace pydl::cuda
