#include "bindings/python.h"
#include "ops/elementwise.h"

namespace pydl {
namespace {

template <Tensor (*function)(const Tensor&, const Tensor&)>
void bind_binary(py::module_& module, const char* name) {
  module.def(name,
             [](py::handle a, py::handle b) {
               auto operands = operands_from_python(a, b);
               py::gil_scoped_release without_gil;
               return function(operands.first, operands.second);
             },
             py::arg("x1"), py::arg("x2"));
}

}  // namespace

void bind_elementwise(py::module_& module) {
  bind_binary<add>(module, "add");
  bind_binary<subtract>(module, "subtract");
  bind_binary<multiply>(module, "multiply");
  module.def("neg", &neg, py::arg("x"), WithoutGil());
}

}  // namespace pydl
