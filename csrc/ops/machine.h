// Loops that reach the limits of the CPU. Benchmarks time them to say how far an op is from these.
#pragma once

#include <string>

#include "core/tensor.h"

namespace pydl {

// Floating-point operations a second of multiply-adds in registers on every thread. A thread does
// `rounds` of a dozen of them.
double fma_rate(DType dtype, int64_t rounds);

// Bytes a second, read and written, of `rounds` walks through `bytes` of memory in all. Kinds: "read",
// "write", "copy", "add" (out = a + b). `past_cache` writes with streaming stores.
double stream_rate(const std::string& kind, int64_t bytes, int64_t rounds, bool past_cache);

}  // namespace pydl
