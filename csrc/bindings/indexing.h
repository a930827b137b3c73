// The slots behind t[key], t[key] = value, len(t) and iter(t).
#pragma once

#include <Python.h>

namespace pydl {

PyObject* tensor_subscript(PyObject* self, PyObject* key);
int tensor_assign_subscript(PyObject* self, PyObject* key, PyObject* value);
Py_ssize_t tensor_length(PyObject* self);
PyObject* tensor_item(PyObject* self, Py_ssize_t index);  // entry of the first axis
PyObject* tensor_iterator(PyObject* self);

}  // namespace pydl
