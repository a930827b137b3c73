#include "bindings/python.h"
#include "ops/creation.h"
#include "ops/elementwise.h"

namespace pydl {

Tensor power_from_python(py::handle a, py::handle b) {
  auto [base, exponent] = operands_from_python(a, b);
  bool is_number = PyFloat_CheckExact(b.ptr()) || PyLong_CheckExact(b.ptr());
  double number = is_number ? PyFloat_AsDouble(b.ptr()) : 0;
  if (is_number && PyErr_Occurred()) throw py::error_already_set();
  ReleaseGil without_gil(std::max(base.count(), exponent.count()));
  if (!is_number) return power(base, exponent);
  return power(cast(base, promote(base.dtype(), exponent.dtype())), number);
}

namespace {

template <class Function>
void bind_binary(py::module_& module, const char* name, Function function) {
  module.def(name,
             [function](py::handle a, py::handle b) {
               auto [left, right] = operands_from_python(a, b);
               ReleaseGil without_gil(std::max(left.count(), right.count()));
               return function(left, right);
             },
             py::arg("x1"), py::arg("x2"));
}

template <class Function>
void bind_unary(py::module_& module, const char* name, Function function) {
  module.def(name,
             [function](const Tensor& x) {
               ReleaseGil without_gil(x.count());
               return function(x);
             },
             py::arg("x"));
}

using Unary = Tensor (*)(const Tensor&);
using Binary = Tensor (*)(const Tensor&, const Tensor&);

}  // namespace

void bind_elementwise(py::module_& module) {
#define PYDL_BIND_UNARY(name) bind_unary(module, #name, static_cast<Unary>(&name));
#define PYDL_BIND_BINARY(name) bind_binary(module, #name, static_cast<Binary>(&name));
  PYDL_PLAIN_UNARY_OPS(PYDL_BIND_UNARY)
  PYDL_BINARY_OPS(PYDL_BIND_BINARY)
  PYDL_BINARY_PREDICATES(PYDL_BIND_BINARY)
#undef PYDL_BIND_UNARY
#undef PYDL_BIND_BINARY
  module.attr("power") = py::cpp_function(&power_from_python, py::name("power"), py::arg("x1"),
                                          py::arg("x2"));
  module.def("clip", &clip, py::arg("x"), py::arg("x_min"), py::arg("x_max"), WithoutGil());
  module.def("leaky_relu", &leaky_relu, py::arg("x"), py::arg("negative_slope"), WithoutGil());
  module.def("elu", &elu, py::arg("x"), py::arg("alpha"), WithoutGil());
  module.def("celu", &celu, py::arg("x"), py::arg("alpha"), WithoutGil());
  module.def("where",
             [](const Tensor& condition, py::handle a, py::handle b) {
               auto operands = operands_from_python(a, b);
               py::gil_scoped_release without_gil;
               return where(condition, operands.first, operands.second);
             },
             py::arg("condition"), py::arg("x1"), py::arg("x2"));
}

}  // namespace pydl
