#include "bindings/python.h"
#include "ops/linalg.h"
#include "ops/quantized_linear.h"

namespace pydl {
namespace {

bool is_none(PyObject* object) { return object == Py_None; }

// A plain function of Python's C interface, see elementwise.cpp: in small networks pybind11 would take
// longer to call it than the product takes.
PyObject* call_linear(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  PyObject* const* a = arguments;
  if (count != 5 || !is_array_like(a[0]) || !is_array_like(a[1]) ||
      !(is_none(a[2]) || is_array_like(a[2])) || !(is_none(a[3]) || PyUnicode_Check(a[3])) ||
      !PyLong_Check(a[4])) {
    PyErr_SetString(PyExc_TypeError, "incompatible function arguments");  // which callers explain
    return nullptr;
  }
  try {
    Tensor x = tensor_from_python(a[0]), kernel = tensor_from_python(a[1]), bias, result;
    if (!is_none(a[2])) bias = tensor_from_python(a[2]);
    const std::string activation = is_none(a[3]) ? "" : py::cast<std::string>(a[3]);
    const int64_t axes = PyLong_AsLongLong(a[4]);
    if (axes == -1 && PyErr_Occurred()) throw py::error_already_set();
    {
      ReleaseGil without_gil(std::max(x.count(), kernel.count()));
      result = linear(x, kernel, bias, activation, axes);
    }
    return wrap(std::move(result));
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

// The first line of a docstring is the signature, for the stubs.
PyMethodDef methods[] = {
    {"linear", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(call_linear)),
     METH_FASTCALL,
     "linear(x: pydl._core.Tensor, kernel: pydl._core.Tensor, bias: pydl._core.Tensor | None, "
     "activation: str | None, axes: int) -> pydl._core.Tensor"},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

void bind_linalg(py::module_& module) {
  module.def("matmul", &matmul, py::arg("x1"), py::arg("x2"), WithoutGil());
  module.def("dot", &dot, py::arg("x1"), py::arg("x2"), WithoutGil());
  module.def("outer", &outer, py::arg("x1"), py::arg("x2"), WithoutGil());
  module.def("tensordot", &tensordot, py::arg("x1"), py::arg("x2"), py::arg("x1_axes"),
             py::arg("x2_axes"), WithoutGil());
  if (PyModule_AddFunctions(module.ptr(), methods) < 0) throw py::error_already_set();
  module.def("quantized_linear",
             [](const Tensor& x, const Tensor& kernel, const Tensor& kernel_scale,
                const std::optional<Tensor>& bias, const std::optional<std::string>& activation,
                const std::optional<Tensor>& x_scale) {
               return quantized_linear(x, kernel, kernel_scale, bias.value_or(Tensor()),
                                       activation.value_or(""), x_scale.value_or(Tensor()));
             },
             py::arg("x"), py::arg("kernel"), py::arg("kernel_scale"), py::arg("bias"),
             py::arg("activation"), py::arg("x_scale"), WithoutGil());
}

}  // namespace pydl
