// What this CPU and its operating system can run.
#pragma once

namespace pydl {

bool cpu_has_avx2();    // with FMA, F16C, BMI2
bool cpu_has_avx512();  // F, BW, VL, DQ, CD
bool cpu_has_vnni();    // AVX-512 VNNI
bool cpu_has_bf16();    // AVX-512 BF16
bool cpu_is_intel();
bool cpu_has_amx();     // tiles of bfloat16 and int8, once the system has given leave to use them

}  // namespace pydl
