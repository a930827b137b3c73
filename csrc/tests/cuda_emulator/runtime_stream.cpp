// Streams do their work at once, so that events and waits have nothing to do, unless they are captured:
// then they record it for a graph.
#include <chrono>
#include <vector>

#include "cuda_emulator/runtime.h"

using Work = std::function<cudaError_t()>;

struct CUgraph_st {
  std::vector<Work> work;
  std::vector<cudaStream_t> streams;  // that take part in its capture
};
struct CUgraphExec_st {
  std::vector<Work> work;
};
struct CUstream_st {
  CUgraph_st* capture = nullptr;
  bool invalidated = false;
};
struct CUevent_st {
  std::chrono::steady_clock::time_point time;
  cudaStream_t captured_on = nullptr;
};

namespace pydl::emulator {
namespace {

thread_local int captures = 0;  // begun by this thread
thread_local cudaStreamCaptureMode capture_mode = cudaStreamCaptureModeGlobal;

bool is_default(cudaStream_t stream) {
  return !stream || stream == cudaStreamLegacy || stream == cudaStreamPerThread;
}

CUgraph_st* capture_of(cudaStream_t stream) { return is_default(stream) ? nullptr : stream->capture; }

}  // namespace

cudaError_t enqueue(cudaStream_t stream, Work work) {
  if (CUgraph_st* graph = capture_of(stream)) {
    graph->work.push_back(std::move(work));
    return cudaSuccess;
  }
  if (is_default(stream) && capturing()) return note(cudaErrorStreamCaptureImplicit);
  return work();
}

bool capturing() { return captures > 0 && capture_mode != cudaStreamCaptureModeRelaxed; }

}  // namespace pydl::emulator

using namespace pydl::emulator;

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  *stream = new CUstream_st;
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  return cudaStreamCreate(stream);
}
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned, int) {
  return cudaStreamCreate(stream);
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (is_default(stream)) return note(cudaErrorInvalidResourceHandle);
  delete stream;
  return cudaSuccess;
}

// Whatever waits for a stream that is being captured spoils the capture.
static cudaError_t wait_for(cudaStream_t stream) {
  if (!capture_of(stream)) return cudaSuccess;
  stream->invalidated = true;
  return note(cudaErrorStreamCaptureUnsupported);
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) { return wait_for(stream); }
cudaError_t cudaStreamQuery(cudaStream_t stream) { return wait_for(stream); }

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  CUgraph_st* theirs = capture_of(event->captured_on);
  if (theirs && !is_default(stream) && stream->capture != theirs) {  // joins the capture
    stream->capture = theirs;
    theirs->streams.push_back(stream);
  }
  return cudaSuccess;
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, void (*function)(void*), void* argument) {
  return enqueue(stream, [=] {
    function(argument);
    return cudaSuccess;
  });
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  *event = new CUevent_st;
  return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) { return cudaEventCreate(event); }
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  event->captured_on = capture_of(stream) ? stream : nullptr;
  event->time = std::chrono::steady_clock::now();
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return event->captured_on ? note(cudaErrorStreamCaptureUnsupported) : cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) { return cudaEventSynchronize(event); }
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  *milliseconds = std::chrono::duration<float, std::milli>(end->time - start->time).count();
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  if (is_default(stream)) return note(cudaErrorStreamCaptureUnsupported);
  if (stream->capture) return note(cudaErrorInvalidValue);
  stream->capture = new CUgraph_st;
  stream->capture->streams.push_back(stream);
  stream->invalidated = false;
  capture_mode = mode;
  ++captures;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (!capture_of(stream)) return note(cudaErrorInvalidValue);
  *graph = stream->capture;
  for (cudaStream_t member : (*graph)->streams) member->capture = nullptr;
  --captures;
  if (!stream->invalidated) return cudaSuccess;
  delete *graph;
  *graph = nullptr;
  return note(cudaErrorStreamCaptureInvalidated);
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  *status = !capture_of(stream)    ? cudaStreamCaptureStatusNone
            : stream->invalidated ? cudaStreamCaptureStatusInvalidated
                                  : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  std::swap(*mode, capture_mode);
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  *exec = new CUgraphExec_st{graph->work};
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  return enqueue(stream, [exec] {
    for (const Work& work : exec->work)
      if (cudaError_t error = work()) return error;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, void*, size_t* count) {
  *count = graph->work.size();
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return cudaSuccess;
}
