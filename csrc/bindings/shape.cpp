#include "bindings/python.h"
#include "ops/shape.h"

namespace pydl {

void bind_shape(py::module_& module) {
  module.def("reshape", &reshape, py::arg("x"), py::arg("newshape"), WithoutGil());
  module.def("permute", &permute, py::arg("x"), py::arg("axes"), WithoutGil());
  module.def("broadcast_to", &broadcast_to, py::arg("x"), py::arg("shape"), WithoutGil());
  module.def("stack", &stack, py::arg("x"), py::arg("axis") = 0, WithoutGil());
}

}  // namespace pydl
