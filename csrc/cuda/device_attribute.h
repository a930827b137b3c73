// A fact about the current device.
#pragma once

#include <cuda_runtime.h>

namespace pydl::cuda {
namespace {

inline int device_attribute(cudaDeviceAttr attribute) {
  int device = 0, value = 0;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&value, attribute, device);
  return value;
}

}  // namespace
}  // namespace pydl::cuda
