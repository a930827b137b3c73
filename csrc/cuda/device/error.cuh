// Errors that only a running kernel can find, such as an index out of range.
//
//   ErrorSink errors = error_sink(context);            // on the host, passed by value to the kernel
//   ErrorSink errors = error_sink(context, "labels", PYDL_ERROR_VALUE);  // of other things
//   if (index < 0 || index >= extent) {
//     report_index_error(errors, index, extent);       // on the device
//     return;                                          // and the element is left out
//   }
#pragma once

#include <cuda_runtime.h>
#include <stdint.h>

#include "pydl/backend.h"

namespace pydl::cuda {

// In host memory that kernels can write to; the next synchronisation raises what is in it.
// Of several errors it holds whichever was found first.
struct DeviceError {
  unsigned int claimed;
  PydlStatus status;
  int64_t index, low, high;
  int32_t axis;  // of the array that the index is for; -1 where that goes without saying
  const char* op;
  const char* what;
};

struct ErrorSink {
  DeviceError* record;
  const char* op;
  const char* what;
  PydlStatus status;
};

DeviceError* device_error(int device);  // runtime/errors.cu

namespace {

// `what` names the indices in the message, and must live as long as the process.
inline ErrorSink error_sink(const PydlContext* context, const char* what = "indices",
                            PydlStatus status = PYDL_ERROR_INDEX) {
  const auto* host = reinterpret_cast<const PydlDeviceContext*>(context);
  return {device_error(host->device), host->op, what, status};
}

__device__ inline void report_range_error(ErrorSink sink, int64_t index, int64_t low, int64_t high,
                                          int32_t axis) {
  if (atomicCAS(&sink.record->claimed, 0u, 1u) != 0u) return;
  sink.record->index = index;
  sink.record->low = low;
  sink.record->high = high;
  sink.record->axis = axis;
  sink.record->op = sink.op;
  sink.record->what = sink.what;
  sink.record->status = sink.status;
}

// Indices in [0, extent).
__device__ inline void report_index_error(ErrorSink sink, int64_t index, int64_t extent,
                                          int32_t axis = -1) {
  report_range_error(sink, index, 0, extent, axis);
}

// Indices in [-extent, extent), the negative ones counted from the end.
__device__ inline void report_signed_index_error(ErrorSink sink, int64_t index, int64_t extent,
                                                 int32_t axis = -1) {
  report_range_error(sink, index, -extent, extent, axis);
}

}  // namespace
}  // namespace pydl::cuda
