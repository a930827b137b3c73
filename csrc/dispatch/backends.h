// The kernel tables of each device, and which CPU instruction set is in use.
#pragma once

#include <string>
#include <vector>

#include "core/device.h"
#include "pydl/kernel_table.h"

namespace pydl {

const PydlKernelTable& kernels(Device device);

std::vector<std::string> supported_cpu_isas();  // that this CPU can run, best last
std::string cpu_isa();                          // in use
void set_cpu_isa(const std::string& isa);       // for tests and comparisons

}  // namespace pydl
