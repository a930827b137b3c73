// The C ABI of a whole backend: the devices that pydl calls gpu:0, gpu:1, ...
//
// A backend is a shared library that exports
//   const PydlBackend* pydl_backend(void);
// and that PYDL_CUDA_LIBRARY names or that lies beside libpydl as libpydl_cuda.so. pydl's own CUDA
// backend uses this header and the kernels' argument structs, nothing else of pydl.
//
// What it must provide: every function below except those marked optional, and a kernel table in
// which kernels that it lacks are NULL; an op that needs one of those raises a DeviceError which
// names op, kernel and device.
// - A device's work is ordered by streams. NULL is the stream that every device has from the start.
// - Kernels only start work on context->stream: they wait for nothing unless they return a value
//   to the host. Data pointers in their arguments are device memory; arrays of descriptors (marked so
//   in the argument structs) are host memory that is gone when the kernel function returns.
// - Errors that show late, such as an index out of range found by a running kernel, are kept until
//   the next call that waits, which returns them with the op's name in the message.
// - Any thread may call any function. pydl calls use_device(device) before each on the same thread.
//
// Functions that return PydlStatus leave the text of a failure in error_message() of the calling
// thread. Structs are append-only: whoever fills one in says its size, and readers take members beyond
// it as zero.
#pragma once

#include "pydl/abi.h"

// Of kernel_table.h, which C++ backends include to fill one in.
struct PydlKernelTable;

#ifdef __cplusplus
extern "C" {
#endif

#define PYDL_HOST (-1)  // among device indices: memory of the process

// What changes from one launch of a graph to the next. Kernels that are being captured read it from
// device memory, which the host writes before every launch.
typedef struct PydlReplay {
  uint64_t random_shift;  // on top of the offset of every random state
  int64_t step;           // of the optimizer, from 1
  double learning_rate;
} PydlReplay;

// What kernels of a backend get. Their `context` argument points to the first member.
typedef struct PydlDeviceContext {
  PydlContext base;  // base.struct_size counts the members below too
  const char* op;    // lives as long as the process
  int32_t device;
  const PydlReplay* replay;  // NULL unless the stream is being captured
} PydlDeviceContext;

typedef struct PydlDeviceFacts {
  uint32_t struct_size;
  char name[128];
  int32_t major, minor;  // of the architecture: 9, 0
  int32_t multiprocessors;
  int32_t clock_khz, memory_clock_khz;
  int32_t emulated;  // no such device exists: tests run its kernels on the CPU
  int64_t total_bytes, free_bytes;
  int64_t l2_bytes;
} PydlDeviceFacts;

typedef struct PydlMemoryStats {
  uint32_t struct_size;
  int64_t allocated_bytes;  // in use now
  int64_t peak_bytes;       // the most that was ever in use
  int64_t cached_bytes;     // freed, kept for reuse
  int64_t limit_bytes;      // on allocated + cached; 0 means none
  int64_t allocation_count;
  int64_t system_allocation_count;  // those that the cache could not serve
} PydlMemoryStats;

typedef struct PydlBackend {
  uint32_t abi_version;  // PYDL_ABI_VERSION of the headers it was built with
  uint32_t struct_size;
  const char* name;  // "cuda"
  const struct PydlKernelTable* kernels;
  const char* (*error_message)(void);

  // The devices that it can use; where there are none, why, and the command that helps.
  int32_t (*device_count)(void);
  const char* (*why_unavailable)(void);  // NULL when there are some
  PydlStatus (*device_facts)(int32_t device, PydlDeviceFacts* facts);
  PydlStatus (*use_device)(int32_t device);

  // Memory in the order of a stream: what is released may be given out again for later work on its
  // stream while earlier work still uses it. `stream` of release is where it was used last. Blocks
  // are aligned to 256 bytes. `bytes` is at least 1.
  PydlStatus (*allocate)(int32_t device, void* stream, int64_t bytes, void** memory);
  void (*release)(int32_t device, void* stream, void* memory);
  PydlStatus (*memory_stats)(int32_t device, PydlMemoryStats* stats);
  PydlStatus (*reset_peak_memory)(int32_t device);
  PydlStatus (*empty_cache)(int32_t device);
  PydlStatus (*set_memory_limit)(int32_t device, int64_t bytes);

  // After the work on `stream`, which belongs to the device that is not PYDL_HOST (to `to_device` when
  // neither is). To a device: returns once `from` may change. To the host: returns once the bytes are
  // there, with pending errors.
  PydlStatus (*copy)(void* stream, int32_t to_device, void* to, int32_t from_device,
                     const void* from, int64_t bytes);

  // Waits for all work of a device, or of one of its streams, and returns pending errors.
  PydlStatus (*synchronize)(int32_t device);
  PydlStatus (*synchronize_stream)(int32_t device, void* stream);

  PydlStatus (*create_stream)(int32_t device, void** stream);
  void (*destroy_stream)(int32_t device, void* stream);
  PydlStatus (*create_event)(int32_t device, void** event);
  void (*destroy_event)(int32_t device, void* event);
  PydlStatus (*record_event)(void* event, void* stream);
  PydlStatus (*wait_event)(void* stream, void* event);  // work put on the stream later waits
  PydlStatus (*event_done)(void* event, int32_t* done);
  PydlStatus (*synchronize_event)(void* event);
  PydlStatus (*elapsed_ms)(void* start, void* end, float* milliseconds);

  // Optional, all or none: what a stream is given between begin and end is kept as a graph instead
  // of run, and runs at each launch. Memory released meanwhile stays with the graph's stream.
  PydlStatus (*begin_capture)(int32_t device, void* stream);
  PydlStatus (*end_capture)(int32_t device, void* stream, void** graph);
  PydlStatus (*launch_graph)(int32_t device, void* graph, void* stream);
  void (*destroy_graph)(int32_t device, void* graph);

  // The device that memory of another library is on; PYDL_HOST for what is on none.
  PydlStatus (*device_of)(const void* memory, int32_t* device);
} PydlBackend;

#ifdef __cplusplus
}
#endif
