// Copies between host and devices.
#include <cuda_runtime.h>
#include <string.h>

#include <mutex>
#include <vector>

#include "cuda/runtime/errors.h"
#include "cuda/runtime/memory.h"

namespace pydl::cuda {
namespace {

constexpr int64_t kInline = 64 << 10;           // the driver itself takes as much along at once
constexpr int64_t kStaged = int64_t{32} << 20;  // larger ones would double the memory in use

// Pinned host memory, which a device reads by itself while the host goes on. A buffer is used again
// once the device has read it.
class StagingBuffers {
 public:
  // Copies `from` aside and starts the transfer to the device.
  PydlStatus copy(cudaStream_t stream, int device, void* to, const void* from, int64_t bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    Buffer* buffer = nullptr;
    if (PydlStatus failed = take(device, bytes, &buffer); failed != PYDL_OK) return failed;
    memcpy(buffer->memory, from, bytes);
    PYDL_CUDA_TRY(cudaMemcpyAsync(to, buffer->memory, bytes, cudaMemcpyHostToDevice, stream));
    PYDL_CUDA_TRY(cudaEventRecord(buffer->read, stream));
    return PYDL_OK;
  }

 private:
  struct Buffer {
    int device;  // that its event belongs to
    int64_t bytes;
    void* memory;
    cudaEvent_t read;
  };

  PydlStatus take(int device, int64_t bytes, Buffer** result) {
    for (Buffer& buffer : buffers_) {
      if (buffer.device != device || buffer.bytes < bytes || buffer.bytes > 4 * bytes) continue;
      if (cudaEventQuery(buffer.read) != cudaSuccess) continue;
      *result = &buffer;
      return PYDL_OK;
    }
    cudaGetLastError();  // "not ready" is none
    if (buffers_.size() >= kMostBuffers) {  // the oldest makes room
      PYDL_CUDA_TRY(cudaEventSynchronize(buffers_.front().read));
      cudaEventDestroy(buffers_.front().read);
      cudaFreeHost(buffers_.front().memory);
      buffers_.erase(buffers_.begin());
    }
    Buffer made = {device, bytes, nullptr, nullptr};
    PYDL_CUDA_TRY(cudaHostAlloc(&made.memory, bytes, cudaHostAllocPortable));
    PYDL_CUDA_TRY(cudaEventCreateWithFlags(&made.read, cudaEventDisableTiming));
    buffers_.push_back(made);
    *result = &buffers_.back();
    return PYDL_OK;
  }

  static constexpr size_t kMostBuffers = 8;
  std::mutex mutex_;
  std::vector<Buffer> buffers_;
};

StagingBuffers& staging_buffers() {
  static auto* instance = new StagingBuffers;
  return *instance;
}

bool is_capturing(cudaStream_t stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  return cudaStreamIsCapturing(stream, &status) == cudaSuccess &&
         status != cudaStreamCaptureStatusNone;
}

PydlStatus copy_to_device(cudaStream_t stream, int device, void* to, const void* from,
                          int64_t bytes) {
  if (is_capturing(stream))
    return fail(PYDL_ERROR_DEVICE,
                "[copy] expected no data from the host while a graph is captured, as each launch would "
                "bring the same. Hint: make the tensor before, and write to it between launches");
  if (bytes > kInline && bytes <= kStaged)
    return staging_buffers().copy(stream, device, to, from, bytes);
  // Returns once the driver has read memory that is not pinned; pinned memory it reads later.
  PYDL_CUDA_TRY(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream));
  cudaPointerAttributes attributes;
  bool pinned = cudaPointerGetAttributes(&attributes, from) == cudaSuccess &&
                attributes.type == cudaMemoryTypeHost;
  if (pinned) PYDL_CUDA_TRY(cudaStreamSynchronize(stream));
  cudaGetLastError();
  return PYDL_OK;
}

PydlStatus copy_to_host(cudaStream_t stream, int device, void* to, const void* from, int64_t bytes) {
  if (is_capturing(stream))
    return fail(PYDL_ERROR_DEVICE,
                "[copy] expected no values to be read while a graph is captured, as nothing has run "
                "yet. Hint: read them after a launch; item(), numpy(), print and `if` read values");
  PYDL_CUDA_TRY(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream));
  PYDL_CUDA_TRY(cudaStreamSynchronize(stream));
  return take_device_error(device);
}

}  // namespace

PydlStatus copy(void* stream_handle, int32_t to_device, void* to, int32_t from_device,
                const void* from, int64_t bytes) {
  auto stream = static_cast<cudaStream_t>(stream_handle);
  if (bytes == 0) return PYDL_OK;
  if (from_device == PYDL_HOST) return copy_to_device(stream, to_device, to, from, bytes);
  if (to_device == PYDL_HOST) return copy_to_host(stream, from_device, to, from, bytes);
  if (to_device == from_device) {
    PYDL_CUDA_TRY(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream));
    return PYDL_OK;
  }
  // Rare, so it simply waits for both.
  PYDL_CUDA_TRY(cudaSetDevice(from_device));
  PYDL_CUDA_TRY(cudaDeviceSynchronize());
  PYDL_CUDA_TRY(cudaSetDevice(to_device));
  PYDL_CUDA_TRY(cudaMemcpyPeerAsync(to, to_device, from, from_device, bytes, stream));
  PYDL_CUDA_TRY(cudaStreamSynchronize(stream));
  return take_device_error(from_device);
}

}  // namespace pydl::cuda
