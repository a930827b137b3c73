#include "core/config.h"

#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace pydl {
namespace {

int64_t integer_from_environment(const char* name, int64_t fallback, int64_t least) {
  const char* text = std::getenv(name);
  if (!text || !*text) return fallback;
  char* end = nullptr;
  long long value = std::strtoll(text, &end, 10);
  if (*end == '\0' && value >= least) return value;
  std::fprintf(stderr, "pydl: expected %s to be an integer of at least %lld, got '%s'; using %lld\n",
               name, static_cast<long long>(least), text, static_cast<long long>(fallback));
  return fallback;
}

std::string text_from_environment(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

int available_cpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

Config from_environment() {
  Config config;
  config.num_threads = static_cast<int>(
      std::min<int64_t>(integer_from_environment("PYDL_NUM_THREADS", available_cpus(), 1), 1024));
  config.cpu_isa = text_from_environment("PYDL_CPU_ISA");
  config.cpu_dot_unit = text_from_environment("PYDL_CPU_DOT_UNIT");
  config.verbose = static_cast<int>(integer_from_environment("PYDL_VERBOSE", 0, 0));
  config.memory_limit = integer_from_environment("PYDL_MEMORY_LIMIT", 0, 0);
  return config;
}

}  // namespace

Config& config() {
  static Config instance = from_environment();
  return instance;
}

}  // namespace pydl
