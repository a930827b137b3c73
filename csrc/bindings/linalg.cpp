#include "bindings/python.h"
#include "ops/linalg.h"

namespace pydl {

void bind_linalg(py::module_& module) {
  module.def("matmul", &matmul, py::arg("x1"), py::arg("x2"), WithoutGil());
}

}  // namespace pydl
