#include "ops/take.h"

#include "bindings/python.h"

namespace pydl {

void bind_take(py::module_& module) {
  module.def("take", &take, py::arg("x"), py::arg("indices"), py::arg("axis") = py::none(),
             WithoutGil());
  module.def("take_along_axis", &take_along_axis, py::arg("x"), py::arg("indices"), py::arg("axis"),
             WithoutGil());
  module.def("gather", &gather, py::arg("x"), py::arg("indices"), py::arg("axis"), WithoutGil());
  module.def("scatter_add", &scatter_add, py::arg("x"), py::arg("indices"), py::arg("updates"),
             py::arg("axis"), WithoutGil());
  module.def("embedding", &embedding, py::arg("weights"), py::arg("indices"), WithoutGil());
}

}  // namespace pydl
