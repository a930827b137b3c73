#include "dispatch/backends.h"

#include <atomic>
#include <cstdio>

#include "core/config.h"
#include "core/error.h"
#include "dispatch/cpu_features.h"
#include "dispatch/dot_units.h"
#include "dispatch/gpu.h"

#define PYDL_DECLARE_TABLE(isa) \
  namespace pydl::cpu::isa {    \
  extern const PydlKernelTable table; \
  }
PYDL_DECLARE_TABLE(generic)
#ifdef PYDL_HAVE_avx2
PYDL_DECLARE_TABLE(avx2)
#endif
#ifdef PYDL_HAVE_avx512
PYDL_DECLARE_TABLE(avx512)
#endif
#ifdef PYDL_HAVE_neon
PYDL_DECLARE_TABLE(neon)
#endif

namespace pydl {
namespace {

struct Isa {
  const char* name;
  const PydlKernelTable* table;
  bool supported;
};

// Ascending: the last supported one is the default.
const std::vector<Isa>& isas() {
  static const std::vector<Isa> list = {
      {"generic", &cpu::generic::table, true},
#ifdef PYDL_HAVE_avx2
      {"avx2", &cpu::avx2::table, cpu_has_avx2()},
#endif
#ifdef PYDL_HAVE_avx512
      {"avx512", &cpu::avx512::table, cpu_has_avx512()},
#endif
#ifdef PYDL_HAVE_neon
      {"neon", &cpu::neon::table, true},
#endif
  };
  return list;
}

const Isa* find_isa(const std::string& name) {
  for (const Isa& isa : isas())
    if (isa.supported && name == isa.name) return &isa;
  return nullptr;
}

std::string supported_names() {
  std::string names;
  for (const std::string& name : supported_cpu_isas()) names += (names.empty() ? "" : ", ") + name;
  return names;
}

const Isa* initial_isa() {
  choose_cpu_dot_unit();
  const std::string& wanted = config().cpu_isa;
  const Isa* best = find_isa(supported_cpu_isas().back());
  if (wanted.empty()) return best;
  if (const Isa* isa = find_isa(wanted)) return isa;
  std::fprintf(stderr, "pydl: expected PYDL_CPU_ISA to be one of %s, got '%s'; using %s\n",
               supported_names().c_str(), wanted.c_str(), best->name);
  return best;
}

std::atomic<const Isa*>& current_isa() {
  static std::atomic<const Isa*> current{initial_isa()};
  return current;
}

}  // namespace

const PydlKernelTable& kernels(Device device) {
  if (__builtin_expect(device.type != DeviceType::cpu, 0)) return gpu_kernels();
  return *current_isa().load(std::memory_order_relaxed)->table;
}

std::vector<std::string> supported_cpu_isas() {
  std::vector<std::string> names;
  for (const Isa& isa : isas())
    if (isa.supported) names.push_back(isa.name);
  return names;
}

std::string cpu_isa() { return current_isa().load()->name; }

void set_cpu_isa(const std::string& name) {
  const Isa* isa = find_isa(name);
  if (!isa)
    fail<ValueError>("[set_cpu_isa] expected one of ", supported_names(), ", got '", name, "'");
  current_isa().store(isa);
}

}  // namespace pydl
