// What this library exports.
#include "cuda/runtime/devices.h"
#include "cuda/runtime/errors.h"
#include "cuda/runtime/memory.h"
#include "cuda/runtime/streams.h"
#include "pydl/backend.h"
#include "pydl/kernel_table.h"

namespace pydl::cuda {

extern const PydlKernelTable table;

}  // namespace pydl::cuda

extern "C" __attribute__((visibility("default"))) const PydlBackend* pydl_backend(void) {
  using namespace pydl::cuda;
  static const PydlBackend backend = {
      PYDL_ABI_VERSION,
      sizeof(PydlBackend),
#ifdef PYDL_CUDA_EMULATED
      "cuda-emulated",
#else
      "cuda",
#endif
      &table,
      error_message,
      device_count,
      why_unavailable,
      device_facts,
      use_device,
      allocate,
      release,
      memory_stats,
      reset_peak_memory,
      empty_cache,
      set_memory_limit,
      copy,
      synchronize,
      synchronize_stream,
      create_stream,
      destroy_stream,
      create_event,
      destroy_event,
      record_event,
      wait_event,
      event_done,
      synchronize_event,
      elapsed_ms,
      begin_capture,
      end_capture,
      launch_graph,
      destroy_graph,
      device_of,
  };
  return &backend;
}
