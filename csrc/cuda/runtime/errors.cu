#include "cuda/runtime/errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <mutex>

#include "cuda/device/error.cuh"
#include "cuda/runtime/devices.h"

namespace pydl::cuda {
namespace {

thread_local char message[1024];

DeviceError* records[kMaxDevices];
std::mutex records_mutex;

}  // namespace

PydlStatus fail(PydlStatus status, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof(message), format, arguments);
  va_end(arguments);
  return status;
}

const char* error_message() { return message; }

PydlStatus check(cudaError_t error, const char* call) {
  if (error == cudaSuccess) return PYDL_OK;
  cudaGetLastError();  // or the next call that is fine would return it too
  const char* end = strchr(call, '(');
  int length = static_cast<int>(end ? end - call : strlen(call));
  PydlStatus status = error == cudaErrorMemoryAllocation ? PYDL_ERROR_MEMORY : PYDL_ERROR_DEVICE;
  return fail(status,
              "expected the CUDA runtime to succeed, but %.*s returned %s: %s. Hint: it may come from "
              "an earlier kernel; CUDA_LAUNCH_BLOCKING=1 shows which",
              length, call, cudaGetErrorName(error), cudaGetErrorString(error));
}

DeviceError* device_error(int device) {
  std::lock_guard<std::mutex> lock(records_mutex);
  DeviceError*& record = records[device];
  if (!record) {
    // Mapped memory costs nothing at a synchronisation without errors: no copy from the device.
    void* memory = nullptr;
    static DeviceError lost;  // without memory for a record, the report has nowhere better to go
    bool mapped = cudaHostAlloc(&memory, sizeof(DeviceError),
                                cudaHostAllocMapped | cudaHostAllocPortable) == cudaSuccess;
    record = mapped ? static_cast<DeviceError*>(memory) : &lost;
    memset(record, 0, sizeof(DeviceError));
  }
  return record;
}

PydlStatus take_device_error(int device) {
  DeviceError* record = device_error(device);
  if (__builtin_expect(!record->claimed, 1)) return PYDL_OK;
  DeviceError found = *record;
  memset(record, 0, sizeof(DeviceError));
  char place[64] = "";
  if (found.axis >= 0)
    snprintf(place, sizeof(place), " for axis %d of extent %lld", static_cast<int>(found.axis),
             static_cast<long long>(found.high));
  return fail(found.status, "[%s] expected %s in [%lld, %lld)%s, got %lld", found.op, found.what,
              static_cast<long long>(found.low), static_cast<long long>(found.high), place,
              static_cast<long long>(found.index));
}

}  // namespace pydl::cuda
