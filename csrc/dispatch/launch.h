// Runs a kernel of the table for a device: context, error status, tracing.
#pragma once

#include "core/device.h"
#include "dispatch/backends.h"
#include "dispatch/overrides.h"

namespace pydl {

// Ops trace themselves when PYDL_VERBOSE is set; launches add what ran to the op's line.
struct LaunchRecord {
  const char* kernel;
  const char* table;
};
LaunchRecord& last_launch();

// The name of the table entry that lies `offset` bytes into PydlKernelTable.
const char* kernel_name(size_t offset);

// Runs function(state, context, args) with a context of this host; raises what it reports. Denormal
// numbers count as zero meanwhile unless they are to be kept.
using Launchable = PydlStatus (*)(const void* state, const PydlContext* context, const void* args);
void run_function(const char* op, Device device, bool keep_denormals, Launchable function,
                  const void* state, const void* args);
// Throws the error that a status stands for, in the name of the op.
[[noreturn]] void raise_status(const char* op, PydlStatus status, const std::string& message);

void run_kernel(const char* op, Device device, const PydlKernelTable& table, size_t offset,
                PydlDType dtype, Launchable built_in, const void* entry, const void* args,
                size_t args_size);

template <class Args>
using Kernel = PydlStatus (*)(const PydlContext*, const Args*);

template <class Args>
auto dtype_of(const Args& args, int) -> decltype(args.dtype) {
  return args.dtype;
}
template <class Args>
PydlDType dtype_of(const Args&, long) {
  return PYDL_ANY;
}

template <class Args>
void launch(const char* op, Device device, Kernel<Args> PydlKernelTable::* member,
            const Args& args) {
  const PydlKernelTable& table = kernels(device);
  const Kernel<Args>* entry = &(table.*member);
  size_t offset = reinterpret_cast<const char*>(entry) - reinterpret_cast<const char*>(&table);
  auto call = [](const void* at, const PydlContext* context, const void* arguments) {
    return (*static_cast<const Kernel<Args>*>(at))(context, static_cast<const Args*>(arguments));
  };
  run_kernel(op, device, table, offset, dtype_of(args, 0), *entry ? +call : nullptr, entry, &args,
             sizeof(Args));
}

}  // namespace pydl
