#include "cuda/runtime/devices.h"

#include <cuda_runtime.h>
#include <stdio.h>
#include <string.h>

#include <algorithm>

#include "cuda/runtime/errors.h"

namespace pydl::cuda {
namespace {

// Of no use but to ask whether this library has code for a device.
__global__ void probe() {}

struct Discovery {
  int count = 0;
  char why[512] = "";
};

void dotted(int version, char* text, size_t size) {
  snprintf(text, size, "%d.%d", version / 1000, version % 1000 / 10);
}

void explain(cudaError_t error, char* why, size_t size) {
  int driver = 0, runtime = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  char has[16], needs[16];
  dotted(driver, has, sizeof(has));
  dotted(runtime, needs, sizeof(needs));
  if (error == cudaErrorNoDevice)
    snprintf(why, size,
             "the NVIDIA driver finds no GPU. Hint: `nvidia-smi -L` lists what it sees; check "
             "CUDA_VISIBLE_DEVICES, or start the container with `docker run --gpus all`");
  else if (driver == 0)
    snprintf(why, size,
             "no NVIDIA driver is installed. Hint: on a machine with an NVIDIA GPU run `sudo apt "
             "install nvidia-driver-580` (or `sudo ubuntu-drivers install`) and restart it");
  else if (error == cudaErrorInsufficientDriver)
    snprintf(why, size,
             "the NVIDIA driver supports CUDA %s, and this build of pydl needs %s. Hint: `sudo apt "
             "install nvidia-driver-580` updates it",
             has, needs);
  else
    snprintf(why, size, "the CUDA runtime fails with %s: %s. Hint: does `nvidia-smi` work?",
             cudaGetErrorName(error), cudaGetErrorString(error));
}

// A device that the library has no code for would fail at the first kernel.
void check_architectures(Discovery& found) {
  for (int device = 0; device < found.count; ++device) {
    cudaFuncAttributes attributes;
    if (cudaSetDevice(device) == cudaSuccess &&
        cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(&probe)) == cudaSuccess)
      continue;
    cudaGetLastError();
    cudaDeviceProp properties;
    if (cudaGetDeviceProperties(&properties, device) != cudaSuccess)
      memset(&properties, 0, sizeof(properties));
    int architecture = properties.major * 10 + properties.minor;
    snprintf(found.why, sizeof(found.why),
             "gpu:%d (%.64s, architecture %d) is one that this build of pydl has no kernels for. "
             "Hint: build it with `pip install . -C cmake.define.PYDL_CUDA=ON "
             "-C cmake.define.PYDL_CUDA_ARCHITECTURES=%d`, or hide it with CUDA_VISIBLE_DEVICES",
             device, properties.name, architecture, architecture);
    found.count = 0;
  }
}

Discovery discover() {
  Discovery found;
  cudaError_t error = cudaGetDeviceCount(&found.count);
  if (error == cudaSuccess && found.count == 0) error = cudaErrorNoDevice;
  if (error != cudaSuccess) {
    cudaGetLastError();
    found.count = 0;
    explain(error, found.why, sizeof(found.why));
    return found;
  }
  found.count = std::min(found.count, kMaxDevices);
  int before = 0;
  cudaGetDevice(&before);
  check_architectures(found);
  cudaSetDevice(before);
  return found;
}

const Discovery& discovery() {
  static const Discovery found = discover();
  return found;
}

}  // namespace

int32_t device_count() { return discovery().count; }

const char* why_unavailable() { return discovery().why[0] ? discovery().why : nullptr; }

PydlStatus use_device(int32_t device) {
  if (device < 0 || device >= device_count())
    return fail(PYDL_ERROR_DEVICE, "[device] expected a device below gpu:%d, got gpu:%d",
                device_count(), device);
  PYDL_CUDA_TRY(cudaSetDevice(device));
  return PYDL_OK;
}

PydlStatus device_of(const void* memory, int32_t* device) {
  cudaPointerAttributes attributes;
  PYDL_CUDA_TRY(cudaPointerGetAttributes(&attributes, memory));
  bool on_device =
      attributes.type == cudaMemoryTypeDevice || attributes.type == cudaMemoryTypeManaged;
  *device = on_device ? attributes.device : PYDL_HOST;
  return PYDL_OK;
}

PydlStatus device_facts(int32_t device, PydlDeviceFacts* facts) {
  cudaDeviceProp properties;
  PYDL_CUDA_TRY(cudaGetDeviceProperties(&properties, device));
  size_t free = 0, total = 0;
  PYDL_CUDA_TRY(cudaMemGetInfo(&free, &total));
  PydlDeviceFacts found = {};
  found.struct_size = facts->struct_size;
  snprintf(found.name, sizeof(found.name), "%.127s", properties.name);
  found.major = properties.major;
  found.minor = properties.minor;
  found.multiprocessors = properties.multiProcessorCount;
  PYDL_CUDA_TRY(cudaDeviceGetAttribute(&found.clock_khz, cudaDevAttrClockRate, device));
  PYDL_CUDA_TRY(cudaDeviceGetAttribute(&found.memory_clock_khz, cudaDevAttrMemoryClockRate, device));
#ifdef PYDL_CUDA_EMULATED
  found.emulated = 1;
#endif
  found.total_bytes = static_cast<int64_t>(total);
  found.free_bytes = static_cast<int64_t>(free);
  found.l2_bytes = properties.l2CacheSize;
  memcpy(facts, &found, std::min<size_t>(facts->struct_size, sizeof(found)));
  return PYDL_OK;
}

}  // namespace pydl::cuda
