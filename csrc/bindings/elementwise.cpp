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

using Unary = Tensor (*)(const Tensor&);
using Binary = Tensor (*)(const Tensor&, const Tensor&);

// Plain functions of Python's C interface: pybind11 would take as long to call one as the op takes on
// a few elements.
template <Unary function>
PyObject* call_unary(PyObject*, PyObject* x) {
  if (!is_array_like(x)) {
    PyErr_SetString(PyExc_TypeError, "incompatible function arguments");  // which callers explain
    return nullptr;
  }
  try {
    Tensor operand = tensor_from_python(x), result;
    {
      ReleaseGil without_gil(operand.count());
      result = function(operand);
    }
    return wrap(std::move(result));
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

template <Binary function>
PyObject* call_binary(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  try {
    if (count != 2) fail<DTypeError>("[op] expected two arguments, got ", count);
    Tensor result;
    auto operands = operands_from_python(arguments[0], arguments[1]);
    {
      ReleaseGil without_gil(std::max(operands.first.count(), operands.second.count()));
      result = function(operands.first, operands.second);
    }
    return wrap(std::move(result));
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

template <class Function>
PyCFunction as_method(Function function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

// The first line of a docstring is the signature, for the stubs.
#define PYDL_UNARY_METHOD(name) \
  {#name, call_unary<static_cast<Unary>(&name)>, METH_O, #name "(x: pydl._core.Tensor) -> pydl._core.Tensor"},
#define PYDL_BINARY_METHOD(name)                                                    \
  {#name, as_method(call_binary<static_cast<Binary>(&name)>), METH_FASTCALL,        \
   #name "(x1: object, x2: object) -> pydl._core.Tensor"},

PyMethodDef methods[] = {
    PYDL_PLAIN_UNARY_OPS(PYDL_UNARY_METHOD) PYDL_BINARY_OPS(PYDL_BINARY_METHOD)
    PYDL_BINARY_PREDICATES(PYDL_BINARY_METHOD){nullptr, nullptr, 0, nullptr}};

}  // namespace

void bind_elementwise(py::module_& module) {
  if (PyModule_AddFunctions(module.ptr(), methods) < 0) throw py::error_already_set();
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
