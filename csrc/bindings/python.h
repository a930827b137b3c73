// The Python Tensor type and how values cross between Python and C++.
//
// Tensor is a C type of its own, not a pybind11 class: wrapping one costs an allocation and nothing
// else, operators go straight to their slots, and Python code may subclass it (pydl.Variable does).
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>

#include "core/tensor.h"

namespace py = pybind11;

namespace pydl {

struct PyTensor {
  PyObject_HEAD
  Tensor value;
  PyObject* weak_references;
};

extern PyTypeObject* tensor_type;

inline bool is_tensor(PyObject* object) { return PyObject_TypeCheck(object, tensor_type); }
inline const Tensor& tensor_of(PyObject* object) { return reinterpret_cast<PyTensor*>(object)->value; }
PyObject* wrap(Tensor tensor);  // a new reference

// Any array-like: Tensor, numpy array or scalar, Python number or nested list, pandas object, whatever
// has __array__. Tensors stay where they are; other data comes to the default device, and shares its
// memory where that is the CPU.
Tensor tensor_from_python(py::handle object);
Tensor host_view_from_python(py::handle object);  // arrays and Tensors only, without a copy
bool is_array_like(py::handle object);  // cheap, so that operators can answer NotImplemented
// Two operands of a binary op: a Python number takes the dtype of a tensor beside it.
std::pair<Tensor, Tensor> operands_from_python(py::handle a, py::handle b);

// a ** b, where a Python number as exponent picks cheaper ops.
Tensor power_from_python(py::handle a, py::handle b);

DType dtype_from_python(py::handle object);
Dims dims_from_python(py::handle object);  // an int or a sequence of ints
py::tuple to_python(const Dims& dims);
// Shares memory; a copy where it is on another device, and of bfloat16, which comes as float32.
py::object numpy_view(py::handle tensor);

// Sets the Python error that matches the C++ exception being handled.
void set_python_error();

// Gives the GIL up while an op on many elements runs; on few it would cost more than the op.
class ReleaseGil {
 public:
  explicit ReleaseGil(int64_t elements) {
    if (elements > 4096) released_.emplace();
  }

 private:
  std::optional<py::gil_scoped_release> released_;
};

// Ops run without the GIL.
using WithoutGil = py::call_guard<py::gil_scoped_release>;

}  // namespace pydl

namespace pybind11::detail {

template <>
struct type_caster<pydl::Tensor> {
  PYBIND11_TYPE_CASTER(pydl::Tensor, const_name("pydl.Tensor"));

  bool load(handle source, bool) {
    if (pydl::is_tensor(source.ptr())) {
      value = pydl::tensor_of(source.ptr());
      return true;
    }
    if (source.is_none() || !pydl::is_array_like(source)) return false;
    value = pydl::tensor_from_python(source);
    return true;
  }
  static handle cast(pydl::Tensor tensor, return_value_policy, handle) {
    if (!tensor.defined()) return none().release();
    return pydl::wrap(std::move(tensor));
  }
};

template <>
struct type_caster<pydl::DType> {
  PYBIND11_TYPE_CASTER(pydl::DType, const_name("str"));

  bool load(handle source, bool) {
    if (source.is_none()) return false;
    value = pydl::dtype_from_python(source);
    return true;
  }
  static handle cast(pydl::DType dtype, return_value_policy, handle) {
    return PyUnicode_InternFromString(pydl::name(dtype));
  }
};

template <>
struct type_caster<pydl::Dims> {
  PYBIND11_TYPE_CASTER(pydl::Dims, const_name("tuple[int, ...]"));

  bool load(handle source, bool) {
    if (source.is_none()) return false;
    value = pydl::dims_from_python(source);
    return true;
  }
  static handle cast(const pydl::Dims& dims, return_value_policy, handle) {
    return pydl::to_python(dims).release();
  }
};

}  // namespace pybind11::detail
