#include "ops/machine.h"

#include "bindings/python.h"

namespace pydl {

void bind_machine(py::module_& module) {
  module.def("fma_rate", &fma_rate, py::arg("dtype"), py::arg("rounds"), WithoutGil());
  module.def("stream_rate", &stream_rate, py::arg("kind"), py::arg("bytes"), py::arg("rounds"),
             py::arg("past_cache"), WithoutGil());
}

}  // namespace pydl
