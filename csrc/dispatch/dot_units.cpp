#include "dispatch/dot_units.h"

#include <cstdio>

#include "core/config.h"
#include "core/error.h"
#include "dispatch/cpu_features.h"

#ifdef PYDL_HAVE_avx512
namespace pydl::cpu::avx512 {
extern int dot_units;
}
#endif

namespace pydl {
namespace {

struct Unit {
  const char* name;
  int bits;  // as in cpu/gemm/dot_unit.h
};

const std::vector<Unit>& units() {
  static const std::vector<Unit> list = [] {
    std::vector<Unit> found = {{"none", 0}};
#ifdef PYDL_HAVE_avx512
    if (cpu_has_vnni()) found.push_back({"vnni", 1});
    if (cpu_has_vnni() && cpu_has_bf16()) found.push_back({"bf16", 3});
    if (cpu_has_amx()) found.push_back({"amx", 7});
#endif
    return found;
  }();
  return list;
}

std::string names() {
  std::string all;
  for (const Unit& unit : units()) all += (all.empty() ? "" : ", ") + std::string(unit.name);
  return all;
}

const Unit* find_unit(const std::string& name) {
  for (const Unit& unit : units())
    if (name == unit.name) return &unit;
  return nullptr;
}

// On Intel's CPUs AVX512-BF16 takes two cycles for what float32 does in one.
const Unit* best_unit() {
  const Unit* best = &units().back();
  return best->name == std::string("bf16") && cpu_is_intel() ? find_unit("vnni") : best;
}

const Unit* initial_unit() {
  const std::string& wanted = config().cpu_dot_unit;
  if (wanted.empty()) return best_unit();
  if (const Unit* unit = find_unit(wanted)) return unit;
  std::fprintf(stderr, "pydl: expected PYDL_CPU_DOT_UNIT to be one of %s, got '%s'; using %s\n",
               names().c_str(), wanted.c_str(), best_unit()->name);
  return best_unit();
}

const Unit*& current_unit() {
  static const Unit* current = initial_unit();
  return current;
}

void tell_kernels(int bits) {
#ifdef PYDL_HAVE_avx512
  __atomic_store_n(&cpu::avx512::dot_units, bits, __ATOMIC_RELAXED);
#else
  (void)bits;
#endif
}

}  // namespace

std::vector<std::string> supported_cpu_dot_units() {
  std::vector<std::string> all;
  for (const Unit& unit : units()) all.push_back(unit.name);
  return all;
}

std::string cpu_dot_unit() { return current_unit()->name; }

void choose_cpu_dot_unit() { tell_kernels(current_unit()->bits); }

void set_cpu_dot_unit(const std::string& name) {
  const Unit* unit = find_unit(name);
  if (!unit)
    fail<ValueError>("[set_cpu_dot_unit] expected one of ", names(), ", got '", name, "'");
  current_unit() = unit;
  tell_kernels(unit->bits);
}

}  // namespace pydl
