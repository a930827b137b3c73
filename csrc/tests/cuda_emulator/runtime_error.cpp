#include "cuda_emulator/runtime.h"

namespace pydl::emulator {
namespace {

thread_local cudaError_t last_error = cudaSuccess;

std::string& fault() {
  thread_local std::string message;
  return message;
}

}  // namespace

cudaError_t note(cudaError_t error) {
  if (error != cudaSuccess) {
    last_error = error;
    fault().clear();
  }
  return error;
}

cudaError_t note_fault(cudaError_t error, const std::string& message) {
  note(error);
  fault() = message;
  return error;
}

}  // namespace pydl::emulator

using namespace pydl::emulator;

cudaError_t cudaPeekAtLastError() { return last_error; }

cudaError_t cudaGetLastError() {
  const cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}

#define PYDL_ERRORS(X)                                                               \
  X(cudaSuccess, "no error")                                                         \
  X(cudaErrorInvalidValue, "invalid argument")                                       \
  X(cudaErrorMemoryAllocation, "out of memory")                                      \
  X(cudaErrorInvalidConfiguration, "invalid configuration argument")                 \
  X(cudaErrorInvalidMemcpyDirection, "invalid copy direction")                       \
  X(cudaErrorInsufficientDriver, "the driver is older than the runtime")             \
  X(cudaErrorNoDevice, "no CUDA-capable device is detected")                         \
  X(cudaErrorInvalidDevice, "invalid device ordinal")                                \
  X(cudaErrorNoKernelImageForDevice, "no kernel image is available for this device") \
  X(cudaErrorInvalidResourceHandle, "invalid resource handle")                       \
  X(cudaErrorNotReady, "device not ready")                                           \
  X(cudaErrorIllegalAddress, "an illegal memory access was encountered")             \
  X(cudaErrorLaunchOutOfResources, "too many resources requested for launch")        \
  X(cudaErrorPeerAccessAlreadyEnabled, "peer access is already enabled")             \
  X(cudaErrorLaunchFailure, "unspecified launch failure")                            \
  X(cudaErrorNotSupported, "operation not supported")                                \
  X(cudaErrorStreamCaptureUnsupported, "operation not permitted while capturing")    \
  X(cudaErrorStreamCaptureInvalidated, "the capture was invalidated")                \
  X(cudaErrorStreamCaptureImplicit, "the default stream cannot be captured")

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
#define PYDL_NAME(name, text) \
  case name: return #name;
    PYDL_ERRORS(PYDL_NAME)
#undef PYDL_NAME
  }
  return "unrecognized error code";
}

const char* cudaGetErrorString(cudaError_t error) {
  const bool in_kernel = error == cudaErrorLaunchFailure || error == cudaErrorIllegalAddress;
  if (in_kernel && !fault().empty()) return fault().c_str();
  switch (error) {
#define PYDL_TEXT(name, text) \
  case name: return text;
    PYDL_ERRORS(PYDL_TEXT)
#undef PYDL_TEXT
  }
  return "unrecognized error code";
}
