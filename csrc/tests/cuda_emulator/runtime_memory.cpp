// Device memory: each allocation ends where a page begins that may not be touched. Bytes that nobody wrote
// are NaN as floats; those past the end of what is used must stay as they are.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "cuda_emulator/runtime.h"
#include "cuda_emulator/sanitizers.h"

namespace pydl::emulator {
namespace {

constexpr size_t kPage = 4096, kHugePage = 2 << 20, kAlignment = 16, kChecked = 64;
constexpr char kUnwritten = static_cast<char>(0xff);

struct Allocation {
  size_t bytes;
  int device;
  char* mapping;
  size_t mapped;
  char* usable;  // whole pages between pages that may not be touched
  size_t usable_bytes;
  void allow(int protection) const { mprotect(usable, usable_bytes, protection); }
};

struct Memory {
  std::mutex mutex;
  std::map<const char*, Allocation> allocations;
  std::map<const char*, size_t> host_allocations;  // pinned
  std::map<const char*, size_t> tails;  // bytes that nobody may write, from there on
  size_t used[16] = {};                 // on each device
  int scopes = 0;                       // DeviceMemoryScope
  bool protects = false;
};

Memory& memory() {
  static Memory* const instance = [] {  // outlives every user
    auto* made = new Memory;
    const char* text = getenv("PYDL_EMULATED_PROTECT");
    made->protects = text && atoi(text);
    return made;
  }();
  return *instance;
}

size_t total_memory() {
  const char* text = getenv("PYDL_EMULATED_MEMORY");  // bytes
  return text ? strtoull(text, nullptr, 10) : size_t{4} << 30;
}

template <class Map>
auto containing(Map& map, const void* pointer) {
  auto next = map.upper_bound(static_cast<const char*>(pointer));
  return next == map.begin() ? map.end() : std::prev(next);
}

// With the mutex held.
void guard_tail(char* begin, size_t bytes) {
  memset(begin, kUnwritten, bytes);
  poison(begin, bytes);
  if (bytes) memory().tails[begin] = std::min(bytes, kChecked);
}

void forget_tails(const char* begin, const char* end) {
  auto& tails = memory().tails;
  tails.erase(tails.lower_bound(begin), tails.lower_bound(end));
}

struct HostRange {
  uint64_t begin, end;
};

HostRange mapping_named(const char* name) {
  HostRange range = {~uint64_t{0}, ~uint64_t{0}};
  FILE* maps = fopen("/proc/self/maps", "r");
  if (!maps) return range;
  char line[512];
  while (fgets(line, sizeof line, maps))
    if (strstr(line, name)) sscanf(line, "%lx-%lx", &range.begin, &range.end);
  fclose(maps);
  return range;
}

HostRange own_stack() {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes)) return {0, 0};
  void* begin = nullptr;
  size_t bytes = 0;
  pthread_attr_getstack(&attributes, &begin, &bytes);
  pthread_attr_destroy(&attributes);
  return {reinterpret_cast<uint64_t>(begin), reinterpret_cast<uint64_t>(begin) + bytes};
}

bool is_pinned_memory(const void* pointer) {
  Memory& state = memory();
  std::lock_guard<std::mutex> lock(state.mutex);
  auto found = containing(state.host_allocations, pointer);
  return found != state.host_allocations.end() &&
         static_cast<const char*>(pointer) < found->first + found->second;
}

cudaError_t check_kind(const void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (kind == cudaMemcpyDefault || bytes == 0) return cudaSuccess;
  const bool good = to_device == is_device_memory(to, bytes) &&
                    from_device == is_device_memory(from, bytes);
  return good ? cudaSuccess : note(cudaErrorInvalidValue);
}

}  // namespace

bool is_device_memory(const void* pointer, size_t bytes) {
  Memory& state = memory();
  std::lock_guard<std::mutex> lock(state.mutex);
  auto found = containing(state.allocations, pointer);
  return found != state.allocations.end() &&
         static_cast<const char*>(pointer) + bytes <= found->first + found->second.bytes;
}

DeviceMemoryScope::DeviceMemoryScope() {
  Memory& state = memory();
  std::lock_guard<std::mutex> lock(state.mutex);
  if (state.scopes++ || !state.protects) return;
  for (auto& [begin, allocation] : state.allocations) allocation.allow(PROT_READ | PROT_WRITE);
}

DeviceMemoryScope::~DeviceMemoryScope() {
  Memory& state = memory();
  std::lock_guard<std::mutex> lock(state.mutex);
  if (--state.scopes || !state.protects) return;
  for (auto& [begin, allocation] : state.allocations) allocation.allow(PROT_NONE);
}

bool is_host_address(uint64_t word, bool is_pointer) {
  const auto* pointer = reinterpret_cast<const void*>(word);
  if (is_pointer) return word && !is_device_memory(pointer, 0) && !is_pinned_memory(pointer);
  if (word <= UINT32_MAX) return false;  // a number beside a zero, though some heaps begin there
  static const HostRange heap = {mapping_named("[heap]").begin, 0};
  thread_local const HostRange stack = own_stack();
  const bool in_heap = word >= heap.begin && word < reinterpret_cast<uint64_t>(sbrk(0));
  return (in_heap || (word >= stack.begin && word < stack.end)) && !is_pinned_memory(pointer);
}

std::string describe_address(const void* pointer) {
  Memory& state = memory();
  std::lock_guard<std::mutex> lock(state.mutex);
  const auto address = reinterpret_cast<intptr_t>(pointer);
  char text[160];
  snprintf(text, sizeof text, "%p", pointer);
  for (auto& [begin, allocation] : state.allocations) {
    const auto first = reinterpret_cast<intptr_t>(begin);
    const intptr_t end = first + static_cast<intptr_t>(allocation.bytes);
    if (address >= first - static_cast<intptr_t>(kPage) && address < end + static_cast<intptr_t>(kPage))
      snprintf(text, sizeof text, "%p, %zd bytes from the %s of %zu bytes of device memory", pointer,
               address < first ? address - first : address - end, address < first ? "begin" : "end",
               allocation.bytes);
  }
  return text;
}

bool find_overrun(std::string* message) {
  if (kSanitized) return false;  // reported where it happens
  Memory& state = memory();
  std::lock_guard<std::mutex> lock(state.mutex);
  for (auto& [begin, bytes] : state.tails)
    for (size_t i = 0; i < bytes; ++i)
      if (begin[i] != kUnwritten) {
        char text[120];
        snprintf(text, sizeof text, "wrote %zu bytes past the end of device memory at %p", i + 1,
                 static_cast<const void*>(begin));
        *message = text;
        memset(const_cast<char*>(begin), kUnwritten, bytes);
        return true;
      }
  return false;
}

}  // namespace pydl::emulator

using namespace pydl::emulator;

cudaError_t cudaMalloc(void** out, size_t bytes) {
  *out = nullptr;
  if (capturing()) return note(cudaErrorStreamCaptureUnsupported);
  if (bytes == 0) return cudaSuccess;
  Memory& state = memory();
  std::lock_guard<std::mutex> lock(state.mutex);
  const int device = current_device();
  if (bytes > total_memory() - std::min(total_memory(), state.used[device]))
    return note(cudaErrorMemoryAllocation);
  const size_t room = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  const size_t page = room < kHugePage / 2 ? kPage : kHugePage;  // either is protected as quickly
  const size_t usable_bytes = (room + page - 1) / page * page, mapped = usable_bytes + page + 2 * kPage;
  void* mapping = mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return note(cudaErrorMemoryAllocation);
  char* const usable = static_cast<char*>(mapping) + kPage +
                       -(reinterpret_cast<uintptr_t>(mapping) + kPage) % page;
  const Allocation allocation = {bytes,  device, static_cast<char*>(mapping), mapped,
                                 usable, usable_bytes};
  madvise(usable, usable_bytes, MADV_HUGEPAGE);
  allocation.allow(PROT_READ | PROT_WRITE);
  char* begin = usable + usable_bytes - room;
  memset(begin, kUnwritten, bytes);
  guard_tail(begin + bytes, room - bytes);
  if (begin - usable >= static_cast<ptrdiff_t>(kChecked)) guard_tail(begin - kChecked, kChecked);
  if (state.protects && !state.scopes) allocation.allow(PROT_NONE);
  state.allocations[begin] = allocation;
  state.used[device] += bytes;
  *out = begin;
  return cudaSuccess;
}

cudaError_t cudaFree(void* pointer) {
  if (!pointer) return cudaSuccess;
  Memory& state = memory();
  std::lock_guard<std::mutex> lock(state.mutex);
  auto found = state.allocations.find(static_cast<const char*>(pointer));
  if (found == state.allocations.end()) return note(cudaErrorInvalidValue);
  const Allocation allocation = found->second;
  forget_tails(allocation.mapping, allocation.mapping + allocation.mapped);
  unpoison(allocation.mapping, allocation.mapped);
  munmap(allocation.mapping, allocation.mapped);
  state.used[allocation.device] -= allocation.bytes;
  state.allocations.erase(found);
  return cudaSuccess;
}

void pydlEmulatorSetUsed(void* pointer, size_t used, size_t capacity) {
  const DeviceMemoryScope scope;
  Memory& state = memory();
  std::lock_guard<std::mutex> lock(state.mutex);
  char* begin = static_cast<char*>(pointer);
  forget_tails(begin, begin + capacity);
  unpoison(begin, capacity);
  memset(begin, kUnwritten, used);
  guard_tail(begin + used, capacity - used);
}

cudaError_t cudaHostAlloc(void** out, size_t bytes, unsigned) {
  *out = malloc(bytes ? bytes : 1);
  if (!*out) return note(cudaErrorMemoryAllocation);
  std::lock_guard<std::mutex> lock(memory().mutex);
  memory().host_allocations[static_cast<char*>(*out)] = bytes;
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void** out, size_t bytes) { return cudaHostAlloc(out, bytes, 0); }

cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned) {
  *device = host;
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* pointer) {
  std::lock_guard<std::mutex> lock(memory().mutex);
  memory().host_allocations.erase(static_cast<char*>(pointer));
  free(pointer);
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  std::lock_guard<std::mutex> lock(memory().mutex);
  *total = total_memory();
  *free = *total - std::min(*total, memory().used[current_device()]);
  return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* out, const void* pointer) {
  Memory& state = memory();
  std::lock_guard<std::mutex> lock(state.mutex);
  *out = {cudaMemoryTypeUnregistered, -1, nullptr, const_cast<void*>(pointer)};
  auto device = containing(state.allocations, pointer);
  if (device != state.allocations.end() &&
      static_cast<const char*>(pointer) < device->first + device->second.bytes)
    *out = {cudaMemoryTypeDevice, device->second.device, const_cast<void*>(pointer), nullptr};
  auto host = containing(state.host_allocations, pointer);
  if (host != state.host_allocations.end() &&
      static_cast<const char*>(pointer) < host->first + host->second)
    out->type = cudaMemoryTypeHost;
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (cudaError_t error = check_kind(to, from, bytes, kind)) return error;
  return enqueue(stream, [=] {
    const DeviceMemoryScope scope;
    memmove(to, from, bytes);
    return cudaSuccess;
  });
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  return cudaMemcpyAsync(to, from, bytes, kind, nullptr);
}

cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, size_t bytes,
                                cudaStream_t stream) {
  return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream);
}

cudaError_t cudaMemsetAsync(void* pointer, int value, size_t bytes, cudaStream_t stream) {
  if (bytes && !is_device_memory(pointer, bytes)) return note(cudaErrorInvalidValue);
  return enqueue(stream, [=] {
    const DeviceMemoryScope scope;
    memset(pointer, value, bytes);
    return cudaSuccess;
  });
}

cudaError_t cudaMemset(void* pointer, int value, size_t bytes) {
  return cudaMemsetAsync(pointer, value, bytes, nullptr);
}
