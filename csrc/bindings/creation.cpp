#include "ops/creation.h"

#include "bindings/python.h"

namespace pydl {

void bind_creation(py::module_& module) {
  module.def(
      "empty", [](const Dims& shape, DType dtype) { 
        return Tensor::empty(shape, dtype, default_device());
      },
      py::arg("shape"), py::arg("dtype"), WithoutGil());
  module.def(
      "full",
      [](const Dims& shape, double value, DType dtype) { 
        return full(shape, value, dtype, default_device());
      },
      py::arg("shape"), py::arg("fill_value"), py::arg("dtype"), WithoutGil());
  module.def(
      "full_integer",
      [](const Dims& shape, int64_t value, DType dtype) {
        return full_integer(shape, value, dtype, default_device());
      },
      py::arg("shape"), py::arg("fill_value"), py::arg("dtype"), WithoutGil());
  module.def("arange", &arange, py::arg("start"), py::arg("stop"), py::arg("step"),
             py::arg("dtype"), WithoutGil());
  module.def("arange_integer", &arange_integer, py::arg("start"), py::arg("stop"), py::arg("step"),
             py::arg("dtype"), WithoutGil());
  module.def("linspace", &linspace, py::arg("start"), py::arg("stop"), py::arg("num"),
             py::arg("endpoint"), py::arg("dtype"), WithoutGil());
  module.def("eye", &eye, py::arg("rows"), py::arg("columns"), py::arg("diagonal"),
             py::arg("dtype"), WithoutGil());
  module.def("one_hot", &one_hot, py::arg("indices"), py::arg("num_classes"), py::arg("dtype"),
             WithoutGil());
  module.def("tril", &tril, py::arg("x"), py::arg("k") = 0, WithoutGil());
  module.def("triu", &triu, py::arg("x"), py::arg("k") = 0, WithoutGil());
  module.def("copy", &copy, py::arg("x"), WithoutGil());
  module.def("contiguous", &contiguous, py::arg("x"), WithoutGil());
  module.def("cast", &cast, py::arg("x"), py::arg("dtype"), WithoutGil());
}

}  // namespace pydl
