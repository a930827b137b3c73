// Kernels of extensions that run instead of built-in ones.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "core/device.h"
#include "pydl/extension_abi.h"
#include "pydl/kernel_table.h"

namespace pydl {

// Returns a handle to remove it by. Refuses names that are no kernel's, and instruction sets that
// are no build's.
uint64_t add_override(const PydlKernelOverride& kernel, const std::string& extension);
void remove_override(uint64_t handle);

extern std::atomic<bool> has_overrides;  // so that launches without any pay one load

// The override of the kernel `offset` bytes into the table that should run on these arguments, of
// `dtype` (PYDL_ANY when they have none); NULL for the built-in one. With PYDL_VERBOSE=2 it says on
// stderr which were passed over, and why.
const PydlKernelOverride* find_override(size_t offset, Device device, PydlDType dtype,
                                        const PydlKernelTable& table, const void* args);

}  // namespace pydl
