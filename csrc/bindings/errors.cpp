// C++ exceptions to Python ones.
#include "bindings/errors.h"
#include "bindings/python.h"

#include "core/error.h"

namespace pydl {
namespace {

PyObject *shape_error, *dtype_error, *device_error, *out_of_memory_error, *autograd_error;

PyObject* new_error(py::module_& module, const char* name, PyObject* base, const char* doc) {
  std::string full = std::string("pydl.errors.") + name;
  PyObject* type = PyErr_NewExceptionWithDoc(full.c_str(), doc, base, nullptr);
  if (!type) throw py::error_already_set();
  module.add_object(name, py::reinterpret_borrow<py::object>(type));
  return type;
}

}  // namespace

void bind_errors(py::module_& module) {
  shape_error = new_error(module, "ShapeError", PyExc_ValueError, "Shapes that do not fit together.");
  dtype_error = new_error(module, "DTypeError", PyExc_TypeError, "An element type that does not fit.");
  device_error = new_error(module, "DeviceError", PyExc_RuntimeError,
                           "A device that is missing, or tensors on different ones.");
  out_of_memory_error = new_error(module, "OutOfMemoryError", PyExc_MemoryError,
                                  "Memory ran out, or the limit was reached.");
  autograd_error = new_error(module, "AutogradError", PyExc_RuntimeError,
                             "A gradient that cannot be computed.");
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const Error&) {
      set_python_error();
    }
  });
}

void set_python_error() {
  try {
    throw;
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const ShapeError& error) {
    PyErr_SetString(shape_error, error.what());
  } catch (const ValueError& error) {
    PyErr_SetString(PyExc_ValueError, error.what());
  } catch (const IndexError& error) {
    PyErr_SetString(PyExc_IndexError, error.what());
  } catch (const DTypeError& error) {
    PyErr_SetString(dtype_error, error.what());
  } catch (const DeviceError& error) {
    PyErr_SetString(device_error, error.what());
  } catch (const OutOfMemoryError& error) {
    PyErr_SetString(out_of_memory_error, error.what());
  } catch (const AutogradError& error) {
    PyErr_SetString(autograd_error, error.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
}

}  // namespace pydl
