// Which instructions for dot products of bfloat16 and int8 the CPU has: they take four bytes of k,
// a group, at a time. Found out when the library loads; the AVX-512 kernels ask for them.
#pragma once

#include "cpu/kernel.h"

namespace pydl::cpu::PYDL_ISA {

extern int dot_units;  // bits of PydlDotUnit that may be used now

constexpr int kUnitVnni = 1, kUnitBf16 = 2, kUnitAmx = 4;

namespace {
inline bool has_unit(int unit) { return __atomic_load_n(&dot_units, __ATOMIC_RELAXED) & unit; }
}  // namespace

}  // namespace pydl::cpu::PYDL_ISA
