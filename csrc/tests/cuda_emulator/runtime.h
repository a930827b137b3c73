// What the files of the fake runtime share.
#pragma once

#include <stdint.h>

#include <functional>
#include <string>

#include "emulator/runtime_api.h"

namespace pydl::emulator {

// Remembers an error for cudaGetLastError; returns it.
cudaError_t note(cudaError_t error);

// The same for a fault in a kernel, whose story cudaGetErrorString tells.
cudaError_t note_fault(cudaError_t error, const std::string& message);

// Whether PYDL_EMULATED_FAULT asks for this failure: no_driver, old_driver, no_gpu, no_image, launch.
bool fault_wanted(const char* name);

int device_count();

// PYDL_EMULATED_CAPABILITY=major.minor, by default 9.0: blocks have as much shared memory as those.
struct Capability {
  int major, minor;
  size_t shared_at_most;  // bytes of a block
};
Capability capability();

constexpr size_t kSharedByDefault = 48 << 10;
int current_device();

// Does the work now, or records it if the stream is being captured.
cudaError_t enqueue(cudaStream_t stream, std::function<cudaError_t()> work);

// An error if a capture forbids calls that wait or allocate.
bool capturing();

bool is_device_memory(const void* pointer, size_t bytes);

// Whether a kernel's parameter leads to host memory: a pointer to anything but device or pinned memory, or
// a word of a struct that points into the host's stack or heap.
bool is_host_address(uint64_t word, bool is_pointer);

std::string describe_address(const void* pointer);

// With PYDL_EMULATED_PROTECT=1, device memory can be touched during these only.
struct DeviceMemoryScope {
  DeviceMemoryScope();
  ~DeviceMemoryScope();
};

// Whether something was written past the end of an allocation; says to which.
bool find_overrun(std::string* message);

}  // namespace pydl::emulator
