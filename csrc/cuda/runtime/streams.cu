#include "cuda/runtime/streams.h"

#include <cuda_runtime.h>

#include "cuda/runtime/errors.h"
#include "cuda/runtime/memory.h"

namespace pydl::cuda {
namespace {

cudaStream_t stream_of(void* handle) { return static_cast<cudaStream_t>(handle); }
cudaEvent_t event_of(void* handle) { return static_cast<cudaEvent_t>(handle); }

}  // namespace

PydlStatus synchronize(int32_t device) {
  PYDL_CUDA_TRY(cudaDeviceSynchronize());
  return take_device_error(device);
}

PydlStatus synchronize_stream(int32_t device, void* stream) {
  PYDL_CUDA_TRY(cudaStreamSynchronize(stream_of(stream)));
  return take_device_error(device);
}

PydlStatus create_stream(int32_t, void** stream) {
  cudaStream_t made;
  PYDL_CUDA_TRY(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking));
  *stream = made;
  return PYDL_OK;
}

void destroy_stream(int32_t device, void* stream) {
  cudaStreamSynchronize(stream_of(stream));
  forget_stream(device, stream);
  cudaStreamDestroy(stream_of(stream));
}

PydlStatus create_event(int32_t, void** event) {
  cudaEvent_t made;
  PYDL_CUDA_TRY(cudaEventCreateWithFlags(&made, cudaEventDefault));
  *event = made;
  return PYDL_OK;
}

void destroy_event(int32_t, void* event) { cudaEventDestroy(event_of(event)); }

PydlStatus record_event(void* event, void* stream) {
  PYDL_CUDA_TRY(cudaEventRecord(event_of(event), stream_of(stream)));
  return PYDL_OK;
}

PydlStatus wait_event(void* stream, void* event) {
  PYDL_CUDA_TRY(cudaStreamWaitEvent(stream_of(stream), event_of(event), 0));
  return PYDL_OK;
}

PydlStatus event_done(void* event, int32_t* done) {
  cudaError_t error = cudaEventQuery(event_of(event));
  *done = error == cudaSuccess;
  return error == cudaErrorNotReady ? PYDL_OK : check(error, "cudaEventQuery");
}

PydlStatus synchronize_event(void* event) {
  PYDL_CUDA_TRY(cudaEventSynchronize(event_of(event)));
  return PYDL_OK;
}

PydlStatus elapsed_ms(void* start, void* end, float* milliseconds) {
  PYDL_CUDA_TRY(cudaEventElapsedTime(milliseconds, event_of(start), event_of(end)));
  return PYDL_OK;
}

PydlStatus begin_capture(int32_t device, void* stream) {
  keep_memory_of(device, stream);
  // Relaxed: a step may need a block that the cache lacks, and other threads go on working.
  PYDL_CUDA_TRY(cudaStreamBeginCapture(stream_of(stream), cudaStreamCaptureModeRelaxed));
  return PYDL_OK;
}

PydlStatus end_capture(int32_t, void* stream, void** graph) {
  cudaGraph_t captured = nullptr;
  PYDL_CUDA_TRY(cudaStreamEndCapture(stream_of(stream), &captured));
  cudaGraphExec_t ready = nullptr;
  cudaError_t error = cudaGraphInstantiate(&ready, captured, 0);
  cudaGraphDestroy(captured);
  *graph = ready;
  return check(error, "cudaGraphInstantiate");
}

PydlStatus launch_graph(int32_t, void* graph, void* stream) {
  PYDL_CUDA_TRY(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), stream_of(stream)));
  return PYDL_OK;
}

void destroy_graph(int32_t, void* graph) {
  cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph));
}

}  // namespace pydl::cuda
