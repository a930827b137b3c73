// How products of float32 are computed.
#pragma once

#include <stdlib.h>
#include <string.h>

#include "cuda/device_attribute.h"

namespace pydl::cuda {
namespace {

// PYDL_CUDA_FLOAT32=exact keeps them on the ordinary arithmetic units; without it, or with tf32x3, tensor
// cores do them in three parts at nearly the same accuracy, where they know tf32 (sm_80).
inline bool exact_float32() {
  const char* mode = getenv("PYDL_CUDA_FLOAT32");
  return (mode && strcmp(mode, "exact") == 0) ||
         device_attribute(cudaDevAttrComputeCapabilityMajor) < 8;
}

}  // namespace
}  // namespace pydl::cuda
