#include "bindings/python.h"
#include "ops/softmax.h"

namespace pydl {

void bind_nn(py::module_& module) {
  module.def("softmax", &softmax, py::arg("x"), py::arg("axis") = -1, WithoutGil());
  module.def("log_softmax", &log_softmax, py::arg("x"), py::arg("axis") = -1, WithoutGil());
}

}  // namespace pydl
