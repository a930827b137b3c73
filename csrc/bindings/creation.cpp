#include "bindings/python.h"
#include "ops/creation.h"

namespace pydl {

void bind_creation(py::module_& module) {
  module.def("empty", [](const Dims& shape, DType dtype) { return Tensor::empty(shape, dtype); },
             py::arg("shape"), py::arg("dtype"), WithoutGil());
  module.def("full",
             [](const Dims& shape, double value, DType dtype) { return full(shape, value, dtype); },
             py::arg("shape"), py::arg("fill_value"), py::arg("dtype"), WithoutGil());
  module.def("copy", &copy, py::arg("x"), WithoutGil());
  module.def("contiguous", &contiguous, py::arg("x"), WithoutGil());
  module.def("cast", &cast, py::arg("x"), py::arg("dtype"), WithoutGil());
}

}  // namespace pydl
