// Values between Python and C++.
#include "autograd/node.h"
#include "bindings/python.h"
#include "dispatch/recording.h"
#include "ops/creation.h"
#include "ops/join.h"
#include "ops/transfer.h"

namespace pydl {
namespace {

// NumPy's (kind, item size) for each of our dtypes; bfloat16 has none.
struct NumpyType {
  DType dtype;
  char kind;
  int size;
  const char* name;
};
constexpr NumpyType kNumpyTypes[] = {
    {DType::float32, 'f', 4, "float32"}, {DType::float64, 'f', 8, "float64"},
    {DType::float16, 'f', 2, "float16"}, {DType::int8, 'i', 1, "int8"},
    {DType::uint8, 'u', 1, "uint8"},     {DType::int32, 'i', 4, "int32"},
    {DType::int64, 'i', 8, "int64"},     {DType::boolean, 'b', 1, "bool"},
};

DType dtype_from_numpy(const py::dtype& dtype) {
  for (const NumpyType& type : kNumpyTypes)
    if (dtype.kind() == type.kind && dtype.itemsize() == type.size) return type.dtype;
  fail<DTypeError>("[tensor] expected an array of float32, float64, float16, int8, uint8, int32, int64 "
                   "or bool, got ", py::cast<std::string>(py::str(dtype)),
                   ". Hint: convert it with .astype()");
}

py::dtype numpy_dtype(DType dtype) {
  for (const NumpyType& type : kNumpyTypes)
    if (type.dtype == dtype) return py::dtype(type.name);
  return py::dtype("float32");
}

// A tensor on the array's own memory, which it keeps alive.
Tensor share(py::array array) {
  DType dtype = dtype_from_numpy(array.dtype());
  int64_t item = array.itemsize();
  bool native = array.dtype().byteorder() != '>';
  bool aligned = reinterpret_cast<uintptr_t>(array.data()) % item == 0;
  for (int i = 0; i < array.ndim(); ++i) aligned &= array.strides(i) % item == 0;
  if (!native || !aligned) {
    auto numpy = py::module_::import("numpy");
    array = numpy.attr("array")(array, py::arg("dtype") = array.dtype().attr("newbyteorder")("="),
                                py::arg("order") = "C");
  }
  Dims shape(array.shape(), array.shape() + array.ndim());
  Dims strides;
  for (int i = 0; i < shape.size(); ++i) strides.push_back(array.strides(i) / item);
  Reach reach(shape, strides);
  char* data = static_cast<char*>(const_cast<void*>(array.data())) + reach.first * item;
  bool writable = array.writeable();
  PyObject* owner = array.release().ptr();
  Storage::Deleter deleter = [owner] {
    if (!Py_IsInitialized()) return;
    py::gil_scoped_acquire with_gil;
    Py_DECREF(owner);
  };
  auto storage =
      Storage::borrow(data, reach.count() * item, Device{}, writable, std::move(deleter));
  return Tensor::on(std::move(storage), shape, strides, -reach.first, dtype);
}

bool is_number(PyObject* object) {
  return PyFloat_CheckExact(object) || PyLong_CheckExact(object) || PyBool_Check(object);
}

Tensor number(PyObject* object, DType dtype, Device device) {
  if (PyFloat_CheckExact(object)) return full({}, PyFloat_AS_DOUBLE(object), dtype, device);
  int overflow = 0;
  int64_t value = PyLong_AsLongLongAndOverflow(object, &overflow);
  if (!overflow) return full_integer({}, value, dtype, device);
  if (!is_floating(dtype)) fail<ValueError>("[tensor] expected an integer that fits 64 bits");
  return full({}, PyLong_AsDouble(object), dtype, device);
}

DType natural_dtype(PyObject* object) {
  if (PyBool_Check(object)) return DType::boolean;
  if (PyFloat_CheckExact(object)) return DType::float32;
  int overflow = 0;
  int64_t value = PyLong_AsLongLongAndOverflow(object, &overflow);
  return overflow || value != static_cast<int32_t>(value) ? DType::int64 : DType::int32;
}

// The dtype that a number takes beside a tensor: the tensor's, unless that would cut a fraction off.
DType dtype_beside(PyObject* number, DType other) {
  if (PyFloat_CheckExact(number) && !is_floating(other)) return DType::float32;
  if (!PyBool_Check(number) && other == DType::boolean) return natural_dtype(number);
  return other;
}

// A number beside a tensor follows it to its device; an array must be there already.
void meet(Tensor& a, Tensor& b) {
  if (__builtin_expect(a.device() == b.device(), 1)) return;
  if (a.rank() == 0 && a.device().type == DeviceType::cpu)
    a = to_device(a, b.device());
  else if (b.rank() == 0 && b.device().type == DeviceType::cpu)
    b = to_device(b, a.device());
}

bool is_list(PyObject* object) { return PyList_Check(object) || PyTuple_Check(object); }

// Nested lists are looked through to the depth of a tensor's axes; a list may contain itself.
bool holds_tensors(PyObject* list, int depth = 1) {
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list); ++i) {
    PyObject* item = PySequence_Fast_GET_ITEM(list, i);
    if (is_tensor(item)) return true;
    if (is_list(item) && depth < Dims::kMaxRank && holds_tensors(item, depth + 1)) return true;
  }
  return false;
}

// The first value inside nested lists, or NULL.
PyObject* first_leaf(PyObject* object) {
  for (int depth = 0; is_list(object) && depth <= Dims::kMaxRank; ++depth) {
    if (PySequence_Fast_GET_SIZE(object) == 0) return nullptr;
    object = PySequence_Fast_GET_ITEM(object, 0);
  }
  return object;
}

// Python's own numbers have no width, so nested lists of them become float32 or int32; numpy values
// inside keep theirs.
Tensor from_sequence(py::handle sequence) {
  if (holds_tensors(sequence.ptr())) {  // NumPy would lose their graph
    std::vector<Tensor> parts;
    for (py::handle item : sequence) parts.push_back(tensor_from_python(item));
    for (Tensor& part : parts)
      for (Tensor& other : parts) meet(part, other);
    return stack(parts, 0);
  }
  auto numpy = py::module_::import("numpy");
  py::array array;
  try {
    array = numpy.attr("asarray")(sequence);
  } catch (py::error_already_set& error) {
    if (!error.matches(PyExc_ValueError)) throw;
    fail<ValueError>("[tensor] expected nested lists of numbers of one shape, got ragged ones");
  }
  if (array.dtype().kind() == 'O')
    fail<ValueError>("[tensor] expected nested lists of numbers of one shape, got other values");
  Tensor tensor = share(array);
  PyObject* leaf = first_leaf(sequence.ptr());
  if (leaf && !is_number(leaf)) return tensor;
  if (tensor.dtype() == DType::float64) return cast(tensor, DType::float32);
  if (tensor.dtype() != DType::int64) return tensor;
  auto limits = numpy.attr("iinfo")("int32");
  bool narrow = array.size() == 0 || (array.attr("min")() >= limits.attr("min") &&
                                      array.attr("max")() <= limits.attr("max"));
  return narrow ? cast(tensor, DType::int32) : tensor;
}

}  // namespace

bool is_array_like(py::handle object) {
  PyObject* p = object.ptr();
  return is_tensor(p) || is_number(p) || PyList_Check(p) || PyTuple_Check(p) ||
         PyObject_CheckBuffer(p) || PyObject_HasAttrString(p, "__array__");
}

namespace {

Tensor host_tensor(py::handle object) {
  PyObject* p = object.ptr();
  if (is_number(p)) return number(p, natural_dtype(p), Device{});
  if (is_list(p)) return from_sequence(object);
  if (!py::isinstance<py::array>(object)) {
    if (!is_array_like(object))
      fail<DTypeError>("[tensor] expected numbers, nested lists or an array, got ",
                       Py_TYPE(p)->tp_name);
    return share(py::module_::import("numpy").attr("asarray")(object));
  }
  return share(py::reinterpret_borrow<py::array>(object));
}

}  // namespace

Tensor tensor_from_python(py::handle object) {
  PyObject* p = object.ptr();
  if (is_tensor(p)) return tensor_of(p);
  if (is_number(p)) return number(p, natural_dtype(p), default_device());
  Tensor tensor = host_tensor(object);
  bool of_tensors = is_list(p) && holds_tensors(p);  // which stay where they are
  return of_tensors ? tensor : to_device(tensor, default_device());
}

Tensor host_view_from_python(py::handle object) {
  return is_tensor(object.ptr()) ? tensor_of(object.ptr()) : host_tensor(object);
}

std::pair<Tensor, Tensor> operands_from_python(py::handle a, py::handle b) {
  bool weak_a = is_number(a.ptr()), weak_b = is_number(b.ptr());
  if (weak_a && !weak_b) {
    Tensor right = tensor_from_python(b);
    Tensor left = number(a.ptr(), dtype_beside(a.ptr(), right.dtype()), right.device());
    return {std::move(left), std::move(right)};
  }
  Tensor left = tensor_from_python(a);
  if (weak_b && !weak_a) {
    Tensor right = number(b.ptr(), dtype_beside(b.ptr(), left.dtype()), left.device());
    return {std::move(left), std::move(right)};
  }
  Tensor right = tensor_from_python(b);
  meet(left, right);
  return {std::move(left), std::move(right)};
}

DType dtype_from_python(py::handle object) {
  if (PyUnicode_Check(object.ptr())) return dtype_from_name(py::cast<std::string>(object));
  if (object.ptr() == reinterpret_cast<PyObject*>(&PyFloat_Type)) return DType::float32;
  if (object.ptr() == reinterpret_cast<PyObject*>(&PyLong_Type)) return DType::int32;
  if (object.ptr() == reinterpret_cast<PyObject*>(&PyBool_Type)) return DType::boolean;
  auto numpy = py::module_::import("numpy");
  try {
    return dtype_from_numpy(py::dtype::from_args(py::reinterpret_borrow<py::object>(object)));
  } catch (const py::error_already_set&) {
    fail<DTypeError>("[dtype] expected a name such as 'float32' or a numpy dtype, got ",
                     py::cast<std::string>(py::repr(object)));
  }
}

Dims dims_from_python(py::handle object) {
  auto refuse = [&](const char* expected) {
    fail<DTypeError>("[shape] expected ", expected, ", got ", py::cast<std::string>(py::repr(object)));
  };
  auto integer = [&](PyObject* item) -> int64_t {
    py::object index = py::reinterpret_steal<py::object>(PyNumber_Index(item));
    if (!index) {
      PyErr_Clear();
      refuse("integers");
    }
    int overflow = 0;
    int64_t value = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
    if (overflow)
      fail<ValueError>("[shape] expected integers that fit 64 bits, got ",
                       py::cast<std::string>(py::repr(index)));
    return value;
  };
  Dims dims;
  if (PyIndex_Check(object.ptr()) && !PySequence_Check(object.ptr())) {
    dims.push_back(integer(object.ptr()));
    return dims;
  }
  if (!PySequence_Check(object.ptr()) || PyUnicode_Check(object.ptr()))
    refuse("an int or a sequence of ints");
  py::object items = py::reinterpret_steal<py::object>(PySequence_Fast(object.ptr(), ""));
  if (!items) {  // an array without axes, which is a sequence in name only
    PyErr_Clear();
    dims.push_back(integer(object.ptr()));
    return dims;
  }
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items.ptr()); ++i)
    dims.push_back(integer(PySequence_Fast_GET_ITEM(items.ptr(), i)));
  return dims;
}

py::tuple to_python(const Dims& dims) {
  py::tuple result(dims.size());
  for (int i = 0; i < dims.size(); ++i)
    PyTuple_SET_ITEM(result.ptr(), i, PyLong_FromLongLong(dims[i]));
  return result;
}

py::object numpy_view(py::handle object) {
  refuse_recording("it reads values");
  Tensor tensor = tensor_of(object.ptr()).detach();
  if (tensor.device().type != DeviceType::cpu) {
    py::gil_scoped_release without_gil;
    tensor = to_cpu(tensor);
  }
  if (tensor.dtype() == DType::bfloat16) tensor = cast(tensor, DType::float32);
  int64_t item = item_size(tensor.dtype());
  std::vector<py::ssize_t> shape(tensor.shape().begin(), tensor.shape().end()), strides;
  for (int64_t stride : tensor.strides()) strides.push_back(stride * item);
  void* data = tensor.data();
  py::dtype dtype = numpy_dtype(tensor.dtype());
  bool writable = tensor.impl()->storage->writable() && !tensor.repeats_elements();
  if (writable) tensor.impl()->storage->lend();
  py::object owner = py::reinterpret_steal<py::object>(wrap(std::move(tensor)));
  py::array array(dtype, shape, strides, data, owner);
  if (!writable) array.attr("flags").attr("writeable") = false;
  return std::move(array);
}

}  // namespace pydl
