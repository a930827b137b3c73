#include "dispatch/launch.h"

#include <cstddef>
#include <mutex>

#include "core/allocator.h"
#include "core/config.h"
#include "core/error.h"
#include "core/float_mode.h"
#include "core/thread_pool.h"

namespace pydl {
namespace {

// One launch's context: the public part that the kernel sees, and where its error message goes.
struct HostContext {
  PydlContext base;
  std::mutex mutex;
  std::string message;
};

void host_parallel_for(const PydlContext*, int64_t count, int64_t grain,
                       void (*body)(void*, int64_t, int64_t), void* arg) {
  parallel_for(count, grain, body, arg);
}

void* host_allocate(const PydlContext* context, size_t bytes) {
  try {
    return allocate(bytes);
  } catch (const std::exception& error) {  // none may pass through a kernel
    context->fail(context, PYDL_ERROR_MEMORY, error.what());
    return nullptr;
  }
}

void host_release(const PydlContext*, void* memory) { deallocate(memory); }

PydlStatus host_fail(const PydlContext* context, PydlStatus status, const char* message) {
  auto* host = reinterpret_cast<HostContext*>(const_cast<PydlContext*>(context));
  std::lock_guard<std::mutex> lock(host->mutex);
  if (host->message.empty()) host->message = message;
  return status;
}

[[noreturn]] void raise(const char* op, PydlStatus status, const std::string& message) {
  // The allocator's message names itself already; a kernel's gets the op's name.
  std::string full = !message.empty() && message[0] == '[' ? message : text("[", op, "] ", message);
  switch (status) {
    case PYDL_ERROR_INDEX: throw IndexError(full);
    case PYDL_ERROR_DTYPE: throw DTypeError(full);
    case PYDL_ERROR_SHAPE: throw ShapeError(full);
    case PYDL_ERROR_MEMORY: throw OutOfMemoryError(full);
    case PYDL_ERROR_DEVICE: throw DeviceError(full);
    default: throw ValueError(full);
  }
}

}  // namespace

LaunchRecord& last_launch() {
  thread_local LaunchRecord record{nullptr, nullptr};
  return record;
}

const char* kernel_name(size_t offset) {
#define PYDL_NAME(kernel, Args) \
  if (offset == offsetof(PydlKernelTable, kernel)) return #kernel;
  PYDL_KERNELS(PYDL_NAME)
#undef PYDL_NAME
  return "unknown kernel";
}

void run_kernel(const char* op, Device device, const PydlKernelTable& table, size_t offset,
                PydlStatus (*call)(const void*, const PydlContext*, const void*), const void* entry,
                const void* args) {
  if (!call)
    fail<DeviceError>("[", op, "] expected a device with the kernel ", kernel_name(offset), ", but ",
                      device, " (", table.name, ") has none");
  HostContext host{{sizeof(PydlContext), num_threads(), host_parallel_for, host_allocate,
                    host_release, host_fail, nullptr},
                   {},
                   {}};
  if (config().verbose) last_launch() = {kernel_name(offset), table.name};
  const FloatMode mode = FloatMode::current();
  const bool exact = offset == offsetof(PydlKernelTable, copy);  // casts keep denormal numbers
  PydlStatus status;
  {
    FloatModeScope scope(exact ? mode : mode.flushing());
    status = call(entry, &host.base, args);
  }
  if (status != PYDL_OK) raise(op, status, host.message);
}

}  // namespace pydl
