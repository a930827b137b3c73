// What every CPU kernel file includes. PYDL_ISA names the instruction set of this compilation
// (generic, avx2, avx512, neon) and thereby the namespace of its kernels.
#pragma once

#include "pydl/kernel.h"
#include "pydl/kernel_table.h"

#ifndef PYDL_ISA
#error "kernel files are compiled once per instruction set, with -DPYDL_ISA=<name>"
#endif

namespace pydl::cpu::PYDL_ISA {

#define PYDL_DECLARE_KERNEL(kernel, Args) PydlStatus kernel(const PydlContext*, const Args*);
PYDL_KERNELS(PYDL_DECLARE_KERNEL)
#undef PYDL_DECLARE_KERNEL

}  // namespace pydl::cpu::PYDL_ISA
