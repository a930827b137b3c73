// Errors of the CUDA runtime as PydlStatus and text.
#pragma once

#include <cuda_runtime.h>

#include "pydl/abi.h"

namespace pydl::cuda {

// Keeps the text, made as printf does, for error_message() of this thread; returns `status`.
PydlStatus fail(PydlStatus status, const char* format, ...) __attribute__((format(printf, 2, 3)));
const char* error_message();

// PYDL_OK, or the error that `call` returned.
PydlStatus check(cudaError_t error, const char* call);
#define PYDL_CUDA_TRY(call)                                                               \
  if (PydlStatus failed = ::pydl::cuda::check(call, #call); failed != PYDL_OK) return failed

// What kernels reported on a device since the last call; the device must have finished them.
PydlStatus take_device_error(int device);

}  // namespace pydl::cuda
