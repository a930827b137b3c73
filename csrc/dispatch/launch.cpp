#include "dispatch/launch.h"

#include <cstddef>
#include <mutex>

#include "core/allocator.h"
#include "core/config.h"
#include "core/error.h"
#include "core/float_mode.h"
#include "core/random.h"
#include "core/thread_pool.h"
#include "dispatch/capture.h"
#include "dispatch/gpu.h"
#include "dispatch/recording.h"

namespace pydl {
namespace {

// One launch's context: the public part that the kernel sees, and where its error message goes.
struct HostContext {
  PydlDeviceContext base;
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

void host_random(const PydlContext*, int64_t words, uint64_t* seed, uint64_t* offset) {
  PydlRandomState state = default_generator().take(words);
  *seed = state.seed;
  *offset = state.offset;
}

void* gpu_allocate(const PydlContext* context, size_t bytes) {
  const auto* host = reinterpret_cast<const PydlDeviceContext*>(context);
  void* memory = nullptr;
  const PydlBackend* backend = nullptr;
  try {
    backend = &gpu_backend({DeviceType::gpu, host->device});
  } catch (const std::exception& error) {
    context->fail(context, PYDL_ERROR_DEVICE, error.what());
    return nullptr;
  }
  int64_t count = bytes ? static_cast<int64_t>(bytes) : 1;
  PydlStatus status = backend->allocate(host->device, context->stream, count, &memory);
  if (status != PYDL_OK) context->fail(context, status, backend->error_message());
  return memory;
}

void gpu_release(const PydlContext* context, void* memory) {
  const auto* host = reinterpret_cast<const PydlDeviceContext*>(context);
  gpu_backend({DeviceType::gpu, host->device}).release(host->device, context->stream, memory);
}

void enter_gpu(PydlDeviceContext& context, const char* op, Device device) {
  gpu_backend(device);
  context.base.allocate = gpu_allocate;
  context.base.release = gpu_release;
  context.base.stream = current_stream(device);
  context.replay = current_replay();
  note_gpu_op(op);
}

// Kernels that return values to the host would wait for a graph that is only being recorded.
void check_captured(const char* op, size_t offset) {
  if (offset == offsetof(PydlKernelTable, nonzero) ||
      offset == offsetof(PydlKernelTable, squared_norms))
    fail<DeviceError>("[", op, "] expected no values to be read while a graph is captured, as nothing "
                      "has run yet. Hint: masks as indices and gradients clipped by their norm need "
                      "values");
}

void leave_gpu(const PydlDeviceContext& context, const char* op, Device device) {
  if (!launch_blocking() || context.replay) return;  // a graph under way cannot be waited for
  check_gpu(op, gpu_backend(device).synchronize_stream(device.index, context.base.stream));
}

}  // namespace

void raise_status(const char* op, PydlStatus status, const std::string& message) {
  // The allocator's message names itself already; a kernel's gets the op's name.
  std::string full = !message.empty() && message[0] == '[' ? message : text("[", op, "] ", message);
  switch (status) {
    case PYDL_ERROR_INDEX:
      throw IndexError(full);
    case PYDL_ERROR_DTYPE:
      throw DTypeError(full);
    case PYDL_ERROR_SHAPE:
      throw ShapeError(full);
    case PYDL_ERROR_MEMORY:
      throw OutOfMemoryError(full);
    case PYDL_ERROR_DEVICE:
      throw DeviceError(full);
    case PYDL_ERROR_RUNTIME:
      throw Error(full);
    default:
      throw ValueError(full);
  }
}

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

void run_function(const char* op, Device device, bool keep_denormals, Launchable function,
                  const void* state, const void* args) {
  HostContext host{{{sizeof(PydlDeviceContext), num_threads(), host_parallel_for, host_allocate,
                     host_release, host_fail, nullptr, host_random},
                    op,
                    device.index,
                    nullptr},
                   {},
                   {}};
  if (__builtin_expect(device.type != DeviceType::cpu, 0)) enter_gpu(host.base, op, device);
  PydlStatus status;
  {
    const FloatMode mode = FloatMode::current();
    FloatModeScope scope(keep_denormals ? mode : mode.flushing());
    status = function(state, &host.base.base, args);
  }
  if (status != PYDL_OK) raise_status(op, status, host.message);
  if (__builtin_expect(device.type != DeviceType::cpu, 0)) leave_gpu(host.base, op, device);
}

void run_kernel(const char* op, Device device, const PydlKernelTable& table, size_t offset,
                PydlDType dtype, Launchable built_in, const void* entry, const void* args,
                size_t args_size) {
  const bool keep_denormals = offset == offsetof(PydlKernelTable, copy);  // for casts
  if (__builtin_expect(has_overrides.load(std::memory_order_relaxed), 0)) {
    if (const PydlKernelOverride* found = find_override(offset, device, dtype, table, args)) {
      auto call = [](const void* override, const PydlContext* context, const void* arguments) {
        return static_cast<const PydlKernelOverride*>(override)->run(context, arguments);
      };
      refuse_recording("it calls a kernel of an extension");
      if (config().verbose) last_launch() = {kernel_name(offset), found->name};
      return run_function(op, device, keep_denormals, call, found, args);
    }
  }
  if (!built_in)
    fail<DeviceError>("[", op, "] expected a device with the kernel ", kernel_name(offset),
                      ", but ", device, " (", table.name, ") has none");
  if (__builtin_expect(current_replay() != nullptr, 0)) check_captured(op, offset);
  if (config().verbose) last_launch() = {kernel_name(offset), table.name};
  run_function(op, device, keep_denormals, built_in, entry, args);
  if (Recording* recording = current_recording())
    recording->add(op, keep_denormals, built_in, entry, args, args_size);
}

}  // namespace pydl
