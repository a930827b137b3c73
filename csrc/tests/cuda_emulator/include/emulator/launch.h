// What pydl/cuda/launch.h calls in place of cudaLaunchKernel.
#pragma once

#include <string.h>

#include <functional>
#include <type_traits>
#include <vector>

#include "emulator/runtime_api.h"
#include "emulator/thread.h"

namespace pydl::emulator {

// The bytes of a kernel's parameter: on a GPU it could not follow a pointer to host memory.
struct Parameter {
  bool is_pointer;
  std::vector<uint64_t> words;

  template <class T>
  explicit Parameter(T value) : is_pointer(std::is_pointer_v<T>), words((sizeof value) / 8) {
    // Padding may hold an address of old. GCC 12 clears other bytes than it should where padding
    // follows an array of structs.
    __builtin_clear_padding(&value);
    if (!words.empty()) memcpy(words.data(), &value, words.size() * 8);
  }
};

struct Kernel {
  const void* function;
  Site site;  // for messages: where it is launched
  dim3 grid, block;
  size_t shared_bytes;
  std::function<void()> thread_body;  // called once for each thread of each block
  std::vector<Parameter> parameters;
};

// Runs it now or, on a stream that is being captured, whenever the graph is launched.
cudaError_t launch(Kernel kernel, cudaStream_t stream);

inline void* dynamic_shared() { return this_block->shared; }

}  // namespace pydl::emulator
