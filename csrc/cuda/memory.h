// What kernel entries do with memory beside launching kernels.
#pragma once

#include "pydl/cuda/launch.h"

namespace pydl::cuda {
namespace {

inline PydlStatus fill_with_zeros(const PydlContext* context, void* memory, size_t bytes) {
  const auto stream = static_cast<cudaStream_t>(context->stream);
  return check(context, cudaMemsetAsync(memory, 0, bytes, stream), "filling memory with zeros");
}

// Waits for the stream and copies what it made into memory of the host. Fails while a graph is
// being captured.
inline PydlStatus read_back(const PydlContext* context, const void* from, size_t bytes, void* to) {
  const auto stream = static_cast<cudaStream_t>(context->stream);
  cudaError_t error = cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream);
  if (error == cudaSuccess) error = cudaStreamSynchronize(stream);
  return check(context, error, "reading a result from the device");
}

}  // namespace
}  // namespace pydl::cuda
