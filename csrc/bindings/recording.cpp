// Steps recorded as kernel calls on the CPU.
#include "dispatch/recording.h"

#include "bindings/python.h"

namespace pydl {

void bind_recording(py::module_& module) {
  py::class_<Recording>(module, "Recording")
      .def(py::init<int64_t>(), py::arg("limit"))
      .def("begin", &Recording::begin, py::arg("watched"))
      .def("end", &Recording::end)
      .def_property_readonly("obstacle", &Recording::obstacle)
      .def("repeat", &Recording::repeat, WithoutGil());
}

}  // namespace pydl
