// Settings read from the environment once, when the library loads. docs/configuration.md lists them.
#pragma once

#include <cstdint>
#include <string>

namespace pydl {

struct Config {
  int num_threads;       // PYDL_NUM_THREADS; default: the CPUs this process may use
  std::string cpu_isa;   // PYDL_CPU_ISA; default: the best that this CPU has
  std::string cpu_dot_unit;  // PYDL_CPU_DOT_UNIT; default: the best that this CPU has
  int verbose;           // PYDL_VERBOSE; 1 traces every op to stderr
  int64_t memory_limit;  // PYDL_MEMORY_LIMIT, bytes; 0 means none
};

Config& config();

}  // namespace pydl
