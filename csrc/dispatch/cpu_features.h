// What this CPU and its operating system can run.
#pragma once

namespace pydl {

bool cpu_has_avx2();    // with FMA, F16C, BMI2
bool cpu_has_avx512();  // F, BW, VL, DQ, CD

}  // namespace pydl
