// What every CPU kernel file includes, with the header of its family in pydl/kernels/. PYDL_ISA names
// the instruction set of this compilation (generic, avx2, avx512, neon) and thereby the namespace of
// its kernels; table.cpp collects them.
#pragma once

#include "pydl/kernel.h"

#ifndef PYDL_ISA
#error "kernel files are compiled once per instruction set, with -DPYDL_ISA=<name>"
#endif
