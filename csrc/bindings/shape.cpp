#include "ops/shape.h"

#include "bindings/python.h"
#include "ops/join.h"
#include "ops/pad.h"

namespace pydl {

void bind_shape(py::module_& module) {
  module.def("reshape", &reshape, py::arg("x"), py::arg("newshape"), WithoutGil());
  module.def("squeeze", &squeeze, py::arg("x"), py::arg("axis") = py::none(), WithoutGil());
  module.def("expand_dims", &expand_dims, py::arg("x"), py::arg("axis"), WithoutGil());
  module.def("permute", &permute, py::arg("x"), py::arg("axes"), WithoutGil());
  module.def("broadcast_to", &broadcast_to, py::arg("x"), py::arg("shape"), WithoutGil());
  module.def("slice", &slice, py::arg("x"), py::arg("begin"), py::arg("count"), py::arg("step"),
             WithoutGil());
  module.def("flip", &flip, py::arg("x"), py::arg("axis") = py::none(), WithoutGil());
  module.def("diagonal", &diagonal, py::arg("x"), py::arg("offset") = 0, py::arg("axis1") = 0,
             py::arg("axis2") = 1, WithoutGil());
  module.def("concatenate", &concatenate, py::arg("xs"), py::arg("axis") = -1, WithoutGil());
  module.def("stack", &stack, py::arg("x"), py::arg("axis") = 0, WithoutGil());
  module.def("split", &split, py::arg("x"), py::arg("sizes"), py::arg("axis"), WithoutGil());
  module.def("unstack", &unstack, py::arg("x"), py::arg("axis"), WithoutGil());
  module.def("roll", &roll, py::arg("x"), py::arg("shift"), py::arg("axis"), WithoutGil());
  module.def("tile", &tile, py::arg("x"), py::arg("repeats"), WithoutGil());
  module.def("repeat", &repeat, py::arg("x"), py::arg("repeats"), py::arg("axis"), WithoutGil());
  module.def(
      "pad",
      [](const Tensor& x, const Dims& before, const Dims& after, const std::string& mode,
         double value) { return pad(x, before, after, pad_mode_from_name(mode), value); },
      py::arg("x"), py::arg("before"), py::arg("after"), py::arg("mode"), py::arg("value"),
      WithoutGil());
  module.def("slice_update", &slice_update, py::arg("x"), py::arg("begin"), py::arg("updates"),
             WithoutGil());
}

}  // namespace pydl
