// Which instructions for dot products of bfloat16 and int8 the AVX-512 kernels use.
#pragma once

#include <string>
#include <vector>

namespace pydl {

std::vector<std::string> supported_cpu_dot_units();  // that this CPU can run, best last
std::string cpu_dot_unit();                          // in use
void choose_cpu_dot_unit();                          // once, before the first kernel runs
void set_cpu_dot_unit(const std::string& unit);      // for tests and comparisons

}  // namespace pydl
