#include "dispatch/cpu_features.h"

#if defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace pydl {

#if defined(__x86_64__)
namespace {

// Linux keeps the state of tiles, 8 KiB, only for processes that have asked.
bool may_use_tiles() {
  constexpr int kRequestPermission = 0x1023, kTileData = 18;  // of asm/prctl.h; XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace

// GCC's probes read CPUID and check with XGETBV that the system saves the wide registers.
bool cpu_has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi2");
}

bool cpu_has_avx512() {
  return cpu_has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512cd");
}

bool cpu_has_vnni() { return cpu_has_avx512() && __builtin_cpu_supports("avx512vnni"); }
bool cpu_has_bf16() { return cpu_has_avx512() && __builtin_cpu_supports("avx512bf16"); }
bool cpu_is_intel() { return __builtin_cpu_is("intel"); }

bool cpu_has_amx() {
  return cpu_has_avx512() && __builtin_cpu_supports("amx-tile") &&
         __builtin_cpu_supports("amx-bf16") && __builtin_cpu_supports("amx-int8") && may_use_tiles();
}

#else

bool cpu_has_avx2() { return false; }
bool cpu_has_avx512() { return false; }
bool cpu_has_vnni() { return false; }
bool cpu_has_bf16() { return false; }
bool cpu_is_intel() { return false; }
bool cpu_has_amx() { return false; }

#endif

}  // namespace pydl
