#include "ops/image.h"

#include "bindings/python.h"

namespace pydl {

void bind_image(py::module_& module) {
  module.def("resize", &resize, py::arg("x"), py::arg("height"), py::arg("width"),
             py::arg("interpolation"), py::arg("antialias"), WithoutGil());
  module.def("affine_transform", &affine_transform, py::arg("x"), py::arg("transforms"),
             py::arg("interpolation"), py::arg("fill_mode"), py::arg("fill_value"), WithoutGil());
  module.def("adjust_hue", &adjust_hue, py::arg("x"), py::arg("hue"), py::arg("saturation"),
             py::arg("largest_saturation"), WithoutGil());
}

}  // namespace pydl
