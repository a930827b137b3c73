#include "dispatch/gpu.h"

#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>

#include "core/allocator.h"
#include "dispatch/launch.h"

namespace pydl {
namespace {

// Backends built with older headers have fewer functions; those of version 1 end here.
constexpr uint32_t kFirstSize = sizeof(PydlBackend);

struct Gpu {
  PydlBackend backend = {};
  std::string name, why;
  int count = 0;
};

std::atomic<bool> forked{false};  // a child cannot use its parent's GPU

std::string library_path() {
  if (const char* path = std::getenv("PYDL_CUDA_LIBRARY")) return path;
  Dl_info own;
  if (!dladdr(reinterpret_cast<void*>(&library_path), &own)) return "libpydl_cuda.so";
  std::string path = own.dli_fname;
  return path.substr(0, path.rfind('/') + 1) + "libpydl_cuda.so";
}

// Why `given` cannot be used; empty when it can.
std::string obstacle(const PydlBackend* given) {
  if (!given) return "its pydl_backend() returned NULL";
  if (given->abi_version != PYDL_ABI_VERSION)
    return text("it has ABI version ", given->abi_version, " and this pydl has ", PYDL_ABI_VERSION);
  if (given->struct_size < kFirstSize)
    return text("its PydlBackend has ", given->struct_size, " bytes and this pydl needs ", kFirstSize);
  const PydlKernelTable* table = given->kernels;
  if (!table) return "it has no kernel table";
  if (table->abi_version != PYDL_ABI_VERSION || table->struct_size != sizeof(PydlKernelTable))
    return text("its kernel table has version ", table->abi_version, " and ", table->struct_size,
                " bytes, and this pydl has version ", PYDL_ABI_VERSION, " and ",
                sizeof(PydlKernelTable));
  return "";
}

Gpu refused(const std::string& why) {
  Gpu gpu;
  gpu.why = why;
  return gpu;
}

Gpu open_backend() {
  std::string path = library_path();
  if (access(path.c_str(), R_OK) != 0 && !std::getenv("PYDL_CUDA_LIBRARY"))
    return refused(
        "this build of pydl has no GPU backend. Hint: where nvcc is, build it with `pip install . -C "
        "cmake.define.PYDL_CUDA=ON`");
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return refused(text("the GPU backend does not load: ", dlerror()));
  auto entry = reinterpret_cast<const PydlBackend* (*)()>(dlsym(library, "pydl_backend"));
  if (!entry) return refused(text(path, " is no backend: it exports no pydl_backend"));
  const PydlBackend* given = entry();
  std::string why = obstacle(given);
  if (!why.empty())
    return refused(text("the backend ", path, " does not fit: ", why,
                        ". Hint: build it with the headers of this pydl"));
  Gpu gpu;
  std::memcpy(&gpu.backend, given, std::min<size_t>(given->struct_size, sizeof(PydlBackend)));
  pthread_atfork(nullptr, nullptr, [] { forked.store(true); });
  gpu.name = given->name;
  gpu.count = given->device_count();
  if (gpu.count == 0) {
    const char* reason = given->why_unavailable();
    gpu.why = reason ? reason : "the backend finds no device";
  }
  return gpu;
}

const Gpu& gpu() {
  static const Gpu* instance = new Gpu(open_backend());  // tensors may outlive every static object
  return *instance;
}

std::atomic<const char*> last_op{nullptr};

std::map<int32_t, void*>& streams() {
  thread_local std::map<int32_t, void*> current;
  return current;
}

void* allocate_on(size_t bytes, Device device) {
  const PydlBackend& backend = gpu_backend(device);
  void* memory = nullptr;
  int64_t count = std::max<int64_t>(bytes, 1);
  check_gpu("allocate", backend.allocate(device.index, current_stream(device), count, &memory));
  return memory;
}

void deallocate_on(void* memory, Device device) {
  const Gpu& g = gpu();
  if (forked.load(std::memory_order_relaxed)) return;
  g.backend.use_device(device.index);
  g.backend.release(device.index, current_stream(device), memory);
}

const bool installed = (device_allocator = {allocate_on, deallocate_on}, true);

}  // namespace

const PydlBackend& gpu_backend(Device device) {
  const Gpu& g = gpu();
  if (__builtin_expect(device.index >= g.count, 0)) {
    if (g.count == 0) fail<DeviceError>("[device] expected a usable ", device, ", but ", g.why);
    fail<DeviceError>("[device] expected a device below gpu:", g.count, ", got ", device);
  }
  if (__builtin_expect(forked.load(std::memory_order_relaxed), 0))
    fail<DeviceError>("[device] expected the process that opened ", device,
                      ", got one forked from it. Hint: start processes with the method 'spawn'");
  check_gpu("device", g.backend.use_device(device.index));
  return g.backend;
}

const PydlKernelTable& gpu_kernels() {
  if (gpu().count == 0) gpu_backend({DeviceType::gpu, 0});
  return *gpu().backend.kernels;
}

int gpu_count() { return gpu().count; }
const std::string& why_no_gpu() { return gpu().why; }
const std::string& gpu_backend_name() { return gpu().name; }

void check_gpu(const char* op, PydlStatus status) {
  if (__builtin_expect(status == PYDL_OK, 1)) return;
  std::string message = gpu().backend.error_message();
  const char* last = last_op.load(std::memory_order_relaxed);
  if (status == PYDL_ERROR_DEVICE && last && message[0] != '[')
    message += text(" (the op launched last is ", last, ")");
  raise_status(op, status, message);
}

void* current_stream(Device device) {
  auto& current = streams();
  if (current.empty()) return nullptr;
  auto found = current.find(device.index);
  return found == current.end() ? nullptr : found->second;
}

void set_current_stream(Device device, void* stream) {
  if (stream)
    streams()[device.index] = stream;
  else
    streams().erase(device.index);
}

void order_streams(Device device, void* before, void* after) {
  if (before == after) return;
  const PydlBackend& backend = gpu_backend(device);
  void* event = nullptr;
  check_gpu("stream", backend.create_event(device.index, &event));
  PydlStatus status = backend.record_event(event, before);
  if (status == PYDL_OK) status = backend.wait_event(after, event);
  backend.destroy_event(device.index, event);
  check_gpu("stream", status);
}

void synchronize(Device device) {
  if (device.type != DeviceType::cpu)
    check_gpu("synchronize", gpu_backend(device).synchronize(device.index));
}

namespace {

std::atomic<bool>& blocking_switch() {
  static std::atomic<bool> blocking{[] {
    const char* text = std::getenv("CUDA_LAUNCH_BLOCKING");
    return text && std::string(text) == "1";
  }()};
  return blocking;
}

}  // namespace

bool launch_blocking() { return blocking_switch().load(std::memory_order_relaxed); }
void set_launch_blocking(bool blocking) { blocking_switch().store(blocking); }

void note_gpu_op(const char* op) { last_op.store(op, std::memory_order_relaxed); }

}  // namespace pydl
