// Emulated devices: what a small Hopper would say of itself, or another one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_emulator/runtime.h"

namespace pydl::emulator {
namespace {

thread_local int device = 0;

constexpr int kVersion = 13000, kMultiprocessors = 4, kThreadsPerMultiprocessor = 2048;

}  // namespace

bool fault_wanted(const char* name) {
  const char* wanted = getenv("PYDL_EMULATED_FAULT");
  return wanted && !strcmp(wanted, name);
}

int device_count() {
  const char* text = getenv("PYDL_EMULATED_DEVICES");
  return text ? atoi(text) : 2;
}

Capability capability() {
  Capability of = {9, 0, 0};
  if (const char* text = getenv("PYDL_EMULATED_CAPABILITY"))
    sscanf(text, "%d.%d", &of.major, &of.minor);
  const int kib = of.major < 8 ? 64 : of.major > 8 ? 227 : of.minor == 0 ? 163 : 99;
  of.shared_at_most = static_cast<size_t>(kib) << 10;
  return of;
}

int current_device() { return device; }

}  // namespace pydl::emulator

using namespace pydl::emulator;

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  if (fault_wanted("no_driver") || fault_wanted("old_driver"))
    return note(cudaErrorInsufficientDriver);
  if (fault_wanted("no_gpu") || device_count() == 0) return note(cudaErrorNoDevice);
  *count = device_count();
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* out) {
  *out = device;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int wanted) {
  if (wanted < 0 || wanted >= device_count()) return note(cudaErrorInvalidDevice);
  device = wanted;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* out, int wanted) {
  if (wanted < 0 || wanted >= device_count()) return note(cudaErrorInvalidDevice);
  size_t free = 0;
  memset(out, 0, sizeof *out);
  snprintf(out->name, sizeof out->name, "Emulated GPU %d", wanted);
  cudaMemGetInfo(&free, &out->totalGlobalMem);
  const Capability of = capability();
  out->sharedMemPerBlock = kSharedByDefault;
  out->sharedMemPerBlockOptin = of.shared_at_most;
  out->sharedMemPerMultiprocessor = of.shared_at_most + 1024;
  out->major = of.major;
  out->minor = of.minor;
  out->multiProcessorCount = kMultiprocessors;
  out->warpSize = 32;
  out->maxThreadsPerBlock = 1024;
  out->maxThreadsPerMultiProcessor = kThreadsPerMultiprocessor;
  out->regsPerBlock = 65536;
  out->l2CacheSize = 50 << 20;
  out->memoryBusWidth = 5120;
  out->maxGridSize[0] = 0x7fffffff;
  out->maxGridSize[1] = out->maxGridSize[2] = 65535;
  out->maxThreadsDim[0] = out->maxThreadsDim[1] = 1024;
  out->maxThreadsDim[2] = 64;
  out->pciBusID = wanted + 1;
  out->unifiedAddressing = 1;
  out->concurrentKernels = 1;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int wanted) {
  cudaDeviceProp properties;
  if (cudaError_t error = cudaGetDeviceProperties(&properties, wanted)) return error;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock: *value = properties.maxThreadsPerBlock; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: *value = kSharedByDefault; break;
    case cudaDevAttrClockRate: *value = 1000000; break;
    case cudaDevAttrMultiProcessorCount: *value = kMultiprocessors; break;
    case cudaDevAttrMemoryClockRate: *value = 1000000; break;
    case cudaDevAttrGlobalMemoryBusWidth: *value = properties.memoryBusWidth; break;
    case cudaDevAttrL2CacheSize: *value = properties.l2CacheSize; break;
    case cudaDevAttrMaxThreadsPerMultiProcessor: *value = kThreadsPerMultiprocessor; break;
    case cudaDevAttrComputeCapabilityMajor: *value = properties.major; break;
    case cudaDevAttrComputeCapabilityMinor: *value = properties.minor; break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = static_cast<int>(properties.sharedMemPerMultiprocessor);
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = static_cast<int>(properties.sharedMemPerBlockOptin);
      break;
    default: return note(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
  return capturing() ? note(cudaErrorStreamCaptureUnsupported) : cudaSuccess;
}

cudaError_t cudaDeviceCanAccessPeer(int* can, int, int) {
  *can = 1;
  return cudaSuccess;
}

cudaError_t cudaDeviceEnablePeerAccess(int, unsigned) { return cudaSuccess; }

cudaError_t cudaDriverGetVersion(int* version) {
  *version = fault_wanted("no_driver") ? 0 : fault_wanted("old_driver") ? 11040 : kVersion;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kVersion;
  return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* out, const void*) {
  if (fault_wanted("no_image")) return note(cudaErrorNoKernelImageForDevice);
  *out = {0, 0, 0, 1024, 32, 90, 90};
  return cudaSuccess;
}

cudaError_t cudaOccupancyOf(int* blocks, const void*, int threads, size_t shared_bytes) {
  if (threads < 1 || threads > 1024) return note(cudaErrorInvalidValue);
  const int by_threads = kThreadsPerMultiprocessor / threads;
  const size_t most = capability().shared_at_most + 1024;
  const int by_shared = static_cast<int>(most / (shared_bytes + 1024));
  *blocks = by_threads < by_shared ? by_threads : by_shared;
  return cudaSuccess;
}
