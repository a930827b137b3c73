// Runs a kernel of the table for a device: context, error status, tracing.
#pragma once

#include "core/device.h"
#include "dispatch/backends.h"

namespace pydl {

// Ops trace themselves when PYDL_VERBOSE is set; launches add what ran to the op's line.
struct LaunchRecord {
  const char* kernel;
  const char* table;
};
LaunchRecord& last_launch();

// The name of the table entry that lies `offset` bytes into PydlKernelTable.
const char* kernel_name(size_t offset);

void run_kernel(const char* op, Device device, const PydlKernelTable& table, size_t offset,
                PydlStatus (*call)(const void* entry, const PydlContext*, const void* args),
                const void* entry, const void* args);

template <class Args>
using Kernel = PydlStatus (*)(const PydlContext*, const Args*);

template <class Args>
void launch(const char* op, Device device, Kernel<Args> PydlKernelTable::*member,
            const Args& args) {
  const PydlKernelTable& table = kernels(device);
  const Kernel<Args>* entry = &(table.*member);
  size_t offset = reinterpret_cast<const char*>(entry) - reinterpret_cast<const char*>(&table);
  auto call = [](const void* at, const PydlContext* context, const void* arguments) {
    return (*static_cast<const Kernel<Args>*>(at))(context, static_cast<const Args*>(arguments));
  };
  run_kernel(op, device, table, offset, *entry ? +call : nullptr, entry, &args);
}

}  // namespace pydl
