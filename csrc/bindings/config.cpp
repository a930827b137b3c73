#include "core/config.h"

#include "bindings/python.h"
#include "core/allocator.h"
#include "core/thread_pool.h"
#include "dispatch/backends.h"
#include "dispatch/dot_units.h"

namespace pydl {

void bind_config(py::module_& module) {
  module.def("num_threads", &num_threads);
  module.def("set_num_threads", &set_num_threads, py::arg("count"), WithoutGil());
  module.def("cpu_isa", &cpu_isa);
  module.def("set_cpu_isa", &set_cpu_isa, py::arg("isa"));
  module.def("supported_cpu_isas", &supported_cpu_isas);
  module.def("cpu_dot_unit", &cpu_dot_unit);
  module.def("set_cpu_dot_unit", &set_cpu_dot_unit, py::arg("unit"));
  module.def("supported_cpu_dot_units", &supported_cpu_dot_units);
  module.def("verbose", [] { return config().verbose; });
  module.def("set_verbose", [](int level) { config().verbose = level; }, py::arg("level"));
  module.def("memory_stats", [] {
    MemoryStats stats = memory_stats();
    py::dict result;
    result["allocated_bytes"] = stats.allocated_bytes;
    result["peak_bytes"] = stats.peak_bytes;
    result["cached_bytes"] = stats.cached_bytes;
    result["limit_bytes"] = stats.limit_bytes;
    result["allocation_count"] = stats.allocation_count;
    result["system_allocation_count"] = stats.system_allocation_count;
    return result;
  });
  module.def("reset_peak_memory", &reset_peak_memory);
  module.def("empty_cache", &empty_cache);
  module.def("set_memory_limit", &set_memory_limit, py::arg("bytes"));
}

}  // namespace pydl
