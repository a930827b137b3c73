// Loops that run into one limit of the machine each; benchmarks time them.
#pragma once

#include "pydl/abi.h"

// Multiply-adds in registers. Every thread runs `rounds` rounds.
typedef struct PydlFmaLoopArgs {
  PydlDType dtype;  // float32 or float64
  int64_t rounds;
  double* operations;  // out: floating-point operations of all threads together
} PydlFmaLoopArgs;

typedef int32_t PydlStreamKind;
enum { PYDL_STREAM_READ = 0, PYDL_STREAM_WRITE = 1, PYDL_STREAM_COPY = 2, PYDL_STREAM_ADD = 3 };

// Walks memory `rounds` times: sum(a), out = 1, out = a, out = a + b. Threads share the arrays out.
typedef struct PydlStreamLoopArgs {
  PydlStreamKind kind;
  int32_t past_cache;  // write with streaming stores
  int64_t count, rounds;
  const float* a;
  const float* b;
  float* out;  // aligned to 64 bytes
} PydlStreamLoopArgs;

#define PYDL_MACHINE_KERNELS(X)    \
  X(fma_loop, PydlFmaLoopArgs)     \
  X(stream_loop, PydlStreamLoopArgs)
