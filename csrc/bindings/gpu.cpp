// Devices, their memory, streams and events.
#include "dispatch/gpu.h"

#include "bindings/python.h"

namespace pydl {
namespace {

Device gpu_at(int32_t index) {
  if (index < 0) fail<DeviceError>("[device] expected an index of at least 0, got ", index);
  return {DeviceType::gpu, index};
}

// A stream or an event of a device; both are handles that the backend makes and destroys.
class Handle {
 public:
  Handle(int32_t index, PydlStatus (*PydlBackend::*create)(int32_t, void**),
         void (*PydlBackend::*destroy)(int32_t, void*))
      : device_(gpu_at(index)), destroy_(destroy) {
    check_gpu("cuda", (gpu_backend(device_).*create)(device_.index, &handle_));
  }
  ~Handle() {
    try {
      (gpu_backend(device_).*destroy_)(device_.index, handle_);
    } catch (const Error&) {  // in a forked child, which has no GPU
    }
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  void* get() const { return handle_; }
  Device device() const { return device_; }

 private:
  Device device_;
  void (*PydlBackend::*destroy_)(int32_t, void*);
  void* handle_ = nullptr;
};

struct GpuStream : Handle {
  explicit GpuStream(int32_t index)
      : Handle(index, &PydlBackend::create_stream, &PydlBackend::destroy_stream) {}
};
struct GpuEvent : Handle {
  explicit GpuEvent(int32_t index)
      : Handle(index, &PydlBackend::create_event, &PydlBackend::destroy_event) {}
};

uintptr_t address(void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }
void* stream_at(uintptr_t address) { return reinterpret_cast<void*>(address); }

py::dict facts(int32_t index) {
  PydlDeviceFacts facts = {};
  facts.struct_size = sizeof(facts);
  check_gpu("cuda", gpu_backend(gpu_at(index)).device_facts(index, &facts));
  py::dict result;
  result["name"] = facts.name;
  result["architecture"] = py::make_tuple(facts.major, facts.minor);
  result["multiprocessors"] = facts.multiprocessors;
  result["clock_khz"] = facts.clock_khz;
  result["memory_clock_khz"] = facts.memory_clock_khz;
  result["total_bytes"] = facts.total_bytes;
  result["free_bytes"] = facts.free_bytes;
  result["l2_bytes"] = facts.l2_bytes;
  result["emulated"] = facts.emulated != 0;
  return result;
}

py::dict stats(int32_t index) {
  PydlMemoryStats stats = {};
  stats.struct_size = sizeof(stats);
  check_gpu("cuda", gpu_backend(gpu_at(index)).memory_stats(index, &stats));
  py::dict result;
  result["allocated_bytes"] = stats.allocated_bytes;
  result["peak_bytes"] = stats.peak_bytes;
  result["cached_bytes"] = stats.cached_bytes;
  result["limit_bytes"] = stats.limit_bytes;
  result["allocation_count"] = stats.allocation_count;
  result["system_allocation_count"] = stats.system_allocation_count;
  return result;
}

std::vector<std::string> missing_kernels() {
  const PydlKernelTable& table = gpu_kernels();
  std::vector<std::string> names;
#define PYDL_LIST(kernel, Args) \
  if (!table.kernel) names.push_back(#kernel);
  PYDL_KERNELS(PYDL_LIST)
#undef PYDL_LIST
  return names;
}

void bind_handles(py::module_& module) {
  py::class_<GpuStream>(module, "GpuStream")
      .def(py::init<int32_t>(), py::arg("device"))
      .def_property_readonly("handle", [](const GpuStream& self) { return address(self.get()); });
  py::class_<GpuEvent>(module, "GpuEvent")
      .def(py::init<int32_t>(), py::arg("device"))
      .def("record",
           [](const GpuEvent& self, uintptr_t stream) {
             const PydlBackend& backend = gpu_backend(self.device());
             check_gpu("cuda", backend.record_event(self.get(), stream_at(stream)));
           },
           py::arg("stream"))
      .def("make_wait",
           [](const GpuEvent& self, uintptr_t stream) {
             const PydlBackend& backend = gpu_backend(self.device());
             check_gpu("cuda", backend.wait_event(stream_at(stream), self.get()));
           },
           py::arg("stream"))
      .def("done",
           [](const GpuEvent& self) {
             int32_t done = 0;
             check_gpu("cuda", gpu_backend(self.device()).event_done(self.get(), &done));
             return done != 0;
           })
      .def("synchronize",
           [](const GpuEvent& self) {
             check_gpu("cuda", gpu_backend(self.device()).synchronize_event(self.get()));
           },
           WithoutGil())
      .def("elapsed_ms",
           [](const GpuEvent& self, const GpuEvent& later) {
             float milliseconds = 0;
             check_gpu("cuda", gpu_backend(self.device())
                                   .elapsed_ms(self.get(), later.get(), &milliseconds));
             return milliseconds;
           },
           py::arg("later"));
}

}  // namespace

void bind_gpu(py::module_& module) {
  module.def("default_device", [] { return text(default_device()); });
  module.def("set_default_device",
             [](const std::string& name) {
               Device device = device_from_name(name);
               if (device.type != DeviceType::cpu) gpu_backend(device);  // refuses missing ones
               set_default_device(device);
             },
             py::arg("device"));
  module.def("gpu_count", &gpu_count);
  module.def("why_no_gpu", &why_no_gpu);
  module.def("gpu_backend_name", &gpu_backend_name);
  module.def("gpu_facts", &facts, py::arg("device"));
  module.def("gpu_missing_kernels", &missing_kernels);
  module.def("gpu_synchronize", [](int32_t index) { synchronize(gpu_at(index)); },
             py::arg("device"), WithoutGil());
  module.def("launch_blocking", &launch_blocking);
  module.def("set_launch_blocking", &set_launch_blocking, py::arg("blocking"));
  module.def("gpu_memory_stats", &stats, py::arg("device"));
  module.def("gpu_reset_peak_memory",
             [](int32_t index) {
               check_gpu("cuda", gpu_backend(gpu_at(index)).reset_peak_memory(index));
             },
             py::arg("device"));
  module.def("gpu_empty_cache",
             [](int32_t index) {
               check_gpu("cuda", gpu_backend(gpu_at(index)).empty_cache(index));
             },
             py::arg("device"), WithoutGil());
  module.def("gpu_set_memory_limit",
             [](int32_t index, int64_t bytes) {
               check_gpu("cuda", gpu_backend(gpu_at(index)).set_memory_limit(index, bytes));
             },
             py::arg("device"), py::arg("bytes"));
  module.def("gpu_stream", [](int32_t index) { return address(current_stream(gpu_at(index))); },
             py::arg("device"));
  module.def("set_gpu_stream",
             [](int32_t index, uintptr_t stream) {
               set_current_stream(gpu_at(index), stream_at(stream));
             },
             py::arg("device"), py::arg("stream"));
  module.def("order_gpu_streams",
             [](int32_t index, uintptr_t before, uintptr_t after) {
               order_streams(gpu_at(index), stream_at(before), stream_at(after));
             },
             py::arg("device"), py::arg("before"), py::arg("after"));
  module.def("gpu_synchronize_stream",
             [](int32_t index, uintptr_t stream) {
               const PydlBackend& backend = gpu_backend(gpu_at(index));
               check_gpu("synchronize", backend.synchronize_stream(index, stream_at(stream)));
             },
             py::arg("device"), py::arg("stream"), WithoutGil());
  bind_handles(module);
}

}  // namespace pydl
