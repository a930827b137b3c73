#include "bindings/indexing.h"

#include "autograd/node.h"
#include "bindings/python.h"
#include "ops/creation.h"
#include "ops/indexing.h"
#include "ops/transfer.h"

namespace pydl {
namespace {

using Kind = IndexItem::Kind;

int64_t integer_of(PyObject* object) {
  py::object index = py::reinterpret_steal<py::object>(PyNumber_Index(object));
  if (!index) throw py::error_already_set();
  int overflow = 0;
  int64_t value = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
  if (overflow) fail<IndexError>("[index] expected an index that fits 64 bits, got a larger one");
  return value;
}

// None and integers of any size; what is beyond 64 bits is beyond every axis too.
std::optional<int64_t> bound_of(PyObject* object) {
  if (object == Py_None) return {};
  py::object index = py::reinterpret_steal<py::object>(PyNumber_Index(object));
  if (!index) throw py::error_already_set();
  int overflow = 0;
  int64_t value = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
  return overflow > 0 ? INT64_MAX : overflow < 0 ? INT64_MIN : value;
}

IndexItem item(Kind kind) {
  IndexItem result;
  result.kind = kind;
  return result;
}

IndexItem array_item(Tensor array, PyObject* source) {
  IndexItem result = item(Kind::array);
  // An empty list has no dtype of its own.
  bool untyped = PyList_Check(source) && array.count() == 0;
  result.array = untyped ? cast(array, DType::int64) : std::move(array);
  DType dtype = result.array.dtype();
  if (is_floating(dtype))
    fail<IndexError>(
        "[index] expected integers, slices, None, ..., or integer or boolean arrays, got "
        "an array of ",
        dtype);
  return result;
}

IndexItem item_of(PyObject* object) {
  if (PySlice_Check(object)) {
    auto* slice = reinterpret_cast<PySliceObject*>(object);
    IndexItem result = item(Kind::slice);
    result.start = bound_of(slice->start);
    result.stop = bound_of(slice->stop);
    result.step = bound_of(slice->step).value_or(1);
    return result;
  }
  if (object == Py_None) return item(Kind::new_axis);
  if (object == Py_Ellipsis) return item(Kind::ellipsis);
  bool array = is_tensor(object) || PyBool_Check(object) || PyList_Check(object) ||
               py::isinstance<py::array>(object);
  if (!array && PyIndex_Check(object)) {
    IndexItem result = item(Kind::integer);
    result.integer = integer_of(object);
    return result;
  }
  if (array || is_array_like(object)) return array_item(tensor_from_python(object), object);
  fail<IndexError>(
      "[index] expected integers, slices, None, ..., or integer or boolean arrays, got ",
      Py_TYPE(object)->tp_name);
}

IndexKey key_of(PyObject* object) {
  IndexKey key;
  if (PyTuple_Check(object)) {
    key.reserve(PyTuple_GET_SIZE(object));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(object); ++i)
      key.push_back(item_of(PyTuple_GET_ITEM(object, i)));
  } else {
    key.push_back(item_of(object));
  }
  return key;
}

bool has_arrays(const IndexKey& key) {
  for (const IndexItem& item : key)
    if (item.kind == Kind::array) return true;
  return false;
}

// Views are not worth giving the GIL away.
Tensor read(const Tensor& x, const IndexKey& key) {
  if (!has_arrays(key)) return index(x, key);
  py::gil_scoped_release without_gil;
  return index(x, key);
}

}  // namespace

PyObject* tensor_subscript(PyObject* self, PyObject* key) {
  try {
    return wrap(read(tensor_of(self), key_of(key)));
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

int tensor_assign_subscript(PyObject* self, PyObject* key, PyObject* value) {
  try {
    if (!value) fail<ValueError>("[index] expected a value, but elements cannot be deleted");
    const Tensor& target = tensor_of(self);
    Tensor source = tensor_from_python(value);
    if (grad_enabled() && requires_grad(target))
      fail<AutogradError>(
          "[index] expected a tensor outside the graph to write to, got one that "
          "requires a gradient. Hint: write inside pydl.no_grad()");
    if (needs_grad(source))
      fail<AutogradError>(
          "[index] expected a value outside the graph, got one that requires a "
          "gradient, which writing in place would lose. Hint: use ops.slice_update, "
          "ops.scatter_add or ops.where, or detach() the value");
    if (!is_tensor(value) || source.rank() == 0) source = to_device(source, target.device());
    IndexKey parsed = key_of(key);
    py::gil_scoped_release without_gil;
    index_assign(target, parsed, source);
    return 0;
  } catch (...) {
    set_python_error();
    return -1;
  }
}

Py_ssize_t tensor_length(PyObject* self) {
  const Tensor& tensor = tensor_of(self);
  if (tensor.rank() > 0) return tensor.size(0);
  PyErr_SetString(PyExc_TypeError, "[len] expected a tensor with at least one axis, got shape ()");
  return -1;
}

PyObject* tensor_item(PyObject* self, Py_ssize_t position) {
  try {
    IndexItem entry = item(Kind::integer);
    entry.integer = position;
    return wrap(index(tensor_of(self), {entry}));
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* tensor_iterator(PyObject* self) {
  if (tensor_of(self).rank() > 0) return PySeqIter_New(self);
  PyErr_SetString(PyExc_TypeError, "[iter] expected a tensor with at least one axis, got shape ()");
  return nullptr;
}

}  // namespace pydl
