// Kernels of warpgroups: where there is code for them.
#pragma once

#include <cuda_runtime.h>

// Code for wgmma exists only in what is compiled for sm_90a; elsewhere the kernel is empty, and its bound
// of 32 threads tells the host so.
#if defined(PYDL_CUDA_EMULATED) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define PYDL_WARPGROUPS 1
#define PYDL_WARPGROUP_BOUNDS __launch_bounds__(384, 1)
#else
#define PYDL_WARPGROUP_BOUNDS __launch_bounds__(32)
#endif

namespace pydl::cuda {
namespace {

// Whether this library holds a kernel's code for the device.
template <class Kernel>
bool has_warpgroup_code([[maybe_unused]] Kernel kernel) {
#ifdef PYDL_CUDA_EMULATED
  return true;
#else
  cudaFuncAttributes attributes = {};
  return cudaFuncGetAttributes(&attributes, kernel) == cudaSuccess &&
         attributes.maxThreadsPerBlock > 32;
#endif
}

}  // namespace
}  // namespace pydl::cuda
