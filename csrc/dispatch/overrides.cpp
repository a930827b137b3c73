#include "dispatch/overrides.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "core/config.h"
#include "core/dtype.h"
#include "core/error.h"

namespace pydl {

std::atomic<bool> has_overrides{false};

namespace {

struct Override {
  uint64_t handle;
  size_t offset;  // of the kernel in the table
  std::string label, isa;
  PydlKernelOverride kernel;
};
using Overrides = std::vector<std::shared_ptr<const Override>>;  // highest priority first

struct State {
  std::mutex mutex;
  uint64_t next_handle = 1;
  std::shared_ptr<const Overrides> list = std::make_shared<Overrides>();
};
State& state() {
  static State* instance = new State;  // launches may come as late as the end of the process
  return *instance;
}

// Every kernel that was ever registered stays allocated, as a launch may be using it.
std::vector<std::shared_ptr<const Override>>& kept() {
  static auto* list = new Overrides;
  return *list;
}

size_t offset_of(const char* name) {
#define PYDL_FIND(kernel, Args) \
  if (name && !std::strcmp(name, #kernel)) return offsetof(PydlKernelTable, kernel);
  PYDL_KERNELS(PYDL_FIND)
#undef PYDL_FIND
  fail<ValueError>(
      "[extension] expected the name of a kernel of pydl/kernel_table.h to override, got '",
      name ? name : "", "'");
}

size_t args_size_of(const char* name) {
#define PYDL_FIND(kernel, Args) \
  if (!std::strcmp(name, #kernel)) return sizeof(Args);
  PYDL_KERNELS(PYDL_FIND)
#undef PYDL_FIND
  return 0;
}

void publish(Overrides list) {
  std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
    return a->kernel.priority > b->kernel.priority;
  });
  has_overrides.store(!list.empty(), std::memory_order_relaxed);
  std::atomic_store(&state().list, std::make_shared<const Overrides>(std::move(list)));
}

// Why an override cannot run; NULL when it can.
const char* obstacle(const Override& each, Device device, PydlDType dtype, const char* table,
                     const void* args) {
  if (each.kernel.device_type != static_cast<int32_t>(device.type))
    return "it is for another device";
  if (each.kernel.dtype != PYDL_ANY && each.kernel.dtype != dtype) return "it is for another dtype";
  const char* slash = std::strchr(table, '/');
  if (!each.isa.empty() && (!slash || each.isa != slash + 1))
    return "it is for another instruction set";
  if (each.kernel.is_supported && !each.kernel.is_supported(args))
    return "it does not support these arguments";
  return nullptr;
}

}  // namespace

uint64_t add_override(const PydlKernelOverride& given, const std::string& extension) {
  auto added = std::make_shared<Override>();
  added->offset = offset_of(given.kernel);
  if (given.args_size > args_size_of(given.kernel))
    fail<ValueError>("[extension] expected a kernel ", given.kernel,
                     " built for arguments of at most ", args_size_of(given.kernel), " bytes, got ",
                     given.args_size, ". Hint: it was built with the headers of a newer pydl");
  if (!given.run)
    fail<ValueError>("[extension] expected a function for the kernel ", given.kernel, ", got NULL");
  added->label = text(extension, ".", given.name ? given.name : given.kernel);
  added->isa = given.isa ? given.isa : "";
  static const char* const isas[] = {"", "generic", "avx2", "avx512", "neon"};
  if (std::find(std::begin(isas), std::end(isas), added->isa) == std::end(isas))
    fail<ValueError>("[extension] expected the instruction set of ", added->label,
                     " to be generic, avx2, avx512 or neon, got '", added->isa, "'");
  added->kernel = given;
  added->kernel.name = added->label.c_str();
  std::lock_guard<std::mutex> lock(state().mutex);
  added->handle = state().next_handle++;
  Overrides list = *state().list;
  list.push_back(added);
  kept().push_back(added);
  publish(std::move(list));
  return added->handle;
}

void remove_override(uint64_t handle) {
  std::lock_guard<std::mutex> lock(state().mutex);
  Overrides list;
  for (const auto& each : *state().list)
    if (each->handle != handle) list.push_back(each);
  publish(std::move(list));
}

const PydlKernelOverride* find_override(size_t offset, Device device, PydlDType dtype,
                                        const PydlKernelTable& table, const void* args) {
  std::shared_ptr<const Overrides> list = std::atomic_load(&state().list);
  for (const auto& each : *list) {
    if (each->offset != offset) continue;
    const char* why = obstacle(*each, device, dtype, table.name, args);
    if (!why) return &each->kernel;
    if (config().verbose >= 2)
      std::fprintf(stderr, "pydl:   not %s: %s\n", each->label.c_str(), why);
  }
  return nullptr;
}

}  // namespace pydl
