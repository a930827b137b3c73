// The C ABI between the host (libpydl) and its kernels, in and outside the tree.
// Structs are append-only: new members go at the end, and readers check struct_size.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PYDL_ABI_VERSION 1
#define PYDL_MAX_RANK 8

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t PydlDType;
enum {
  PYDL_FLOAT32 = 0,
  PYDL_FLOAT64 = 1,
  PYDL_FLOAT16 = 2,
  PYDL_BFLOAT16 = 3,
  PYDL_INT8 = 4,
  PYDL_UINT8 = 5,
  PYDL_INT32 = 6,
  PYDL_INT64 = 7,
  PYDL_BOOL = 8,
  PYDL_DTYPE_COUNT = 9
};

// What a kernel returns: PYDL_OK, or the kind of error that it reported with context->fail.
typedef int32_t PydlStatus;
enum {
  PYDL_OK = 0,
  PYDL_ERROR_VALUE = 1,
  PYDL_ERROR_INDEX = 2,
  PYDL_ERROR_DTYPE = 3,
  PYDL_ERROR_SHAPE = 4,
  PYDL_ERROR_MEMORY = 5,
  PYDL_ERROR_DEVICE = 6,
  PYDL_ERROR_RUNTIME = 7,
};

// Everything that a kernel may ask of its host.
typedef struct PydlContext {
  uint32_t struct_size;
  int32_t num_threads;

  // Splits [0, count) into at most num_threads contiguous ranges of at least `grain` items and calls
  // body(arg, begin, end) once for each. The split depends on count, grain and num_threads only, and
  // a nested call runs inline. A kernel's result must not depend on where the ranges are cut.
  void (*parallel_for)(const struct PydlContext* context, int64_t count, int64_t grain,
                       void (*body)(void* arg, int64_t begin, int64_t end), void* arg);

  // Scratch memory from the caching allocator, 64-byte aligned; NULL when memory ran out.
  void* (*allocate)(const struct PydlContext* context, size_t bytes);
  void (*release)(const struct PydlContext* context, void* memory);

  // Records the message (copied) for the exception that the host will raise; returns `status`.
  PydlStatus (*fail)(const struct PydlContext* context, PydlStatus status, const char* message);

  void* stream;  // the CUDA stream to launch on; NULL on the CPU

  // The state of pydl's random stream for `words` random words that no later call will get again.
  void (*random)(const struct PydlContext* context, int64_t words, uint64_t* seed, uint64_t* offset);
} PydlContext;

#ifdef __cplusplus
}
#endif
