// A launch: checks what CUDA would check, then runs the blocks on a few OS threads.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <map>
#include <memory>
#include <thread>

#include "cuda_emulator/fault.h"
#include "cuda_emulator/runtime.h"
#include "cuda_emulator/worker.h"

namespace pydl::emulator {
namespace {

constexpr uint64_t kBlocksWorthAThread = 8;

std::mutex mutex;  // guards what follows
std::map<const void*, size_t> shared_allowed;
std::vector<std::unique_ptr<Worker>> idle_workers;  // kept for their stacks

Order order() {
  const char* text = getenv("PYDL_EMULATED_ORDER");
  if (!text || !*text || !strcmp(text, "forward")) return Order::forward;
  if (!strcmp(text, "reverse")) return Order::reverse;
  if (!strcmp(text, "shuffled")) return Order::shuffled;
  fprintf(stderr, "PYDL_EMULATED_ORDER: expected forward, reverse or shuffled, got '%s'\n", text);
  return Order::forward;
}

unsigned os_threads(uint64_t blocks) {
  const char* text = getenv("PYDL_EMULATED_THREADS");
  const uint64_t most = text ? strtoull(text, nullptr, 10) : 2;
  return static_cast<unsigned>(std::max<uint64_t>(1, std::min(most, blocks / kBlocksWorthAThread)));
}

void work(Launch& launch) {
  std::unique_ptr<Worker> worker;
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (!idle_workers.empty()) {
      worker = std::move(idle_workers.back());
      idle_workers.pop_back();
    }
  }
  if (!worker) worker = std::make_unique<Worker>();
  worker->run(launch);
  std::lock_guard<std::mutex> lock(mutex);
  idle_workers.push_back(std::move(worker));
}

cudaError_t run(const Kernel& kernel) {
  const DeviceMemoryScope memory;
  const FaultScope faults;
  Launch launch{&kernel, order(), uint64_t{kernel.grid.x} * kernel.grid.y * kernel.grid.z};
  std::vector<std::thread> helpers;
  for (unsigned i = 1; i < os_threads(launch.blocks); ++i)
    helpers.emplace_back([&launch] { work(launch); });
  work(launch);
  for (std::thread& helper : helpers) helper.join();

  std::string overrun;
  if (find_overrun(&overrun)) launch.fail(cudaErrorIllegalAddress, overrun);
  return launch.failed ? note_fault(launch.error, launch.message) : cudaSuccess;
}

cudaError_t check(const Kernel& kernel) {
  const dim3 grid = kernel.grid, block = kernel.block;
  const uint64_t threads = uint64_t{block.x} * block.y * block.z;
  if (threads == 0 || threads > 1024 || block.z > 64) return note(cudaErrorInvalidConfiguration);
  if (!grid.x || !grid.y || !grid.z || grid.x > 0x7fffffff || grid.y > 65535 || grid.z > 65535)
    return note(cudaErrorInvalidConfiguration);
  for (size_t i = 0; i < kernel.parameters.size(); ++i)
    for (uint64_t word : kernel.parameters[i].words)
      if (is_host_address(word, kernel.parameters[i].is_pointer)) {
        char text[120];
        snprintf(text, sizeof text, "parameter %zu holds %#lx, which is not device memory", i, word);
        return note_fault(cudaErrorIllegalAddress, text);
      }
  std::lock_guard<std::mutex> lock(mutex);
  auto found = shared_allowed.find(kernel.function);
  const size_t allowed = found == shared_allowed.end() ? kSharedByDefault : found->second;
  return kernel.shared_bytes > allowed ? note(cudaErrorInvalidValue) : cudaSuccess;
}

}  // namespace

cudaError_t launch(Kernel kernel, cudaStream_t stream) {
  if (fault_wanted("launch")) return note(cudaErrorLaunchOutOfResources);
  if (cudaError_t error = check(kernel)) return error;
  return enqueue(stream, [kernel = std::move(kernel)] { return run(kernel); });
}

}  // namespace pydl::emulator

cudaError_t cudaFuncSetAttributeOf(const void* kernel, cudaFuncAttribute attribute, int value) {
  using namespace pydl::emulator;
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
  if (value < 0 || static_cast<size_t>(value) > capability().shared_at_most)
    return note(cudaErrorInvalidValue);
  std::lock_guard<std::mutex> lock(mutex);
  shared_allowed[kernel] = std::max<size_t>(value, kSharedByDefault);
  return cudaSuccess;
}
