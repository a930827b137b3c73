// Ops of extensions as Python callables, and the libraries that they come from.
#include <Python.h>  // before structmember.h
#include <structmember.h>

#include "bindings/python.h"
#include "extension/library.h"

namespace pydl {
namespace {

// Called directly through the vectorcall protocol: an op costs as little as a built-in one.
struct PyOp {
  PyObject_HEAD vectorcallfunc call;
  std::shared_ptr<OpEntry> entry;
};

PyTypeObject* op_type = nullptr;

std::shared_ptr<OpEntry>& entry_of(PyObject* object) {
  return reinterpret_cast<PyOp*>(object)->entry;
}

[[noreturn]] void wrong_type(const OpEntry& op, const Parameter& parameter, PyObject* got) {
  fail<DTypeError>("[", op.name, "] expected ", parameter.name, " to be ",
                   parameter.is_tensor ? "a tensor" : attribute_type(parameter.value.kind),
                   ", got ", py::cast<std::string>(py::repr(got)).substr(0, 80));
}

int64_t integer_of(const OpEntry& op, const Parameter& parameter, PyObject* object) {
  if (PyBool_Check(object) || !PyIndex_Check(object)) wrong_type(op, parameter, object);
  auto index = py::reinterpret_steal<py::object>(PyNumber_Index(object));
  if (!index) throw py::error_already_set();
  int overflow = 0;
  int64_t value = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
  if (overflow) fail<ValueError>("[", op.name, "] expected ", parameter.name, " to fit 64 bits");
  return value;
}

Attribute attribute_from_python(const OpEntry& op, const Parameter& parameter, PyObject* object) {
  Attribute value;
  value.kind = parameter.value.kind;
  switch (value.kind) {
    case PYDL_ATTRIBUTE_INT:
      value.integer = integer_of(op, parameter, object);
      break;
    case PYDL_ATTRIBUTE_BOOL:
      if (!PyBool_Check(object)) wrong_type(op, parameter, object);
      value.integer = object == Py_True;
      break;
    case PYDL_ATTRIBUTE_FLOAT:
      if (PyBool_Check(object) || !PyNumber_Check(object)) wrong_type(op, parameter, object);
      value.real = PyFloat_AsDouble(object);
      if (value.real == -1 && PyErr_Occurred()) throw py::error_already_set();
      break;
    case PYDL_ATTRIBUTE_STRING:
      if (!PyUnicode_Check(object)) wrong_type(op, parameter, object);
      value.string = py::cast<std::string>(py::handle(object));
      break;
    default:
      if (!PyList_Check(object) && !PyTuple_Check(object)) wrong_type(op, parameter, object);
      for (py::handle item : py::handle(object))
        value.integers.push_back(integer_of(op, parameter, item.ptr()));
  }
  return value;
}

// The arguments in the order of the signature; NULL where one was left out.
std::vector<PyObject*> bind_arguments(const OpEntry& op, PyObject* const* args, size_t positional,
                                      PyObject* keywords) {
  const auto& parameters = op.signature.parameters;
  if (positional > parameters.size())
    fail<DTypeError>("[", op.name, "] expected at most ", parameters.size(), " arguments ",
                     op.signature.text, ", got ", positional);
  std::vector<PyObject*> bound(parameters.size(), nullptr);
  std::copy(args, args + positional, bound.begin());
  Py_ssize_t named = keywords ? PyTuple_GET_SIZE(keywords) : 0;
  for (Py_ssize_t i = 0; i < named; ++i) {
    PyObject* keyword = PyTuple_GET_ITEM(keywords, i);
    size_t at = 0;
    while (at < parameters.size() &&
           PyUnicode_CompareWithASCIIString(keyword, parameters[at].name.c_str()) != 0)
      ++at;
    if (at == parameters.size() || bound[at])
      fail<DTypeError>("[", op.name, "] expected the arguments ", op.signature.text, ", got ",
                       at == parameters.size() ? "an unknown one, " : "twice ",
                       py::cast<std::string>(py::handle(keyword)));
    bound[at] = args[positional + i];
  }
  return bound;
}

py::object results_to_python(std::vector<Tensor> results) {
  if (results.size() == 1) return py::reinterpret_steal<py::object>(wrap(std::move(results[0])));
  py::tuple tuple(results.size());
  for (size_t i = 0; i < results.size(); ++i)
    PyTuple_SET_ITEM(tuple.ptr(), i, wrap(std::move(results[i])));
  return tuple;
}

py::object call(const std::shared_ptr<OpEntry>& entry, PyObject* const* args, size_t positional,
                PyObject* keywords) {
  const OpEntry& op = *entry;
  std::vector<PyObject*> bound = bind_arguments(op, args, positional, keywords);
  std::vector<Tensor> tensors;
  std::vector<Attribute> attributes;
  tensors.reserve(op.tensors);
  attributes.reserve(op.attributes);
  int64_t elements = 0;
  for (size_t i = 0; i < bound.size(); ++i) {
    const Parameter& parameter = op.signature.parameters[i];
    PyObject* object = bound[i];
    bool left_out = !object || (object == Py_None && parameter.is_optional);
    if (left_out && !parameter.has_default && !parameter.is_optional)
      fail<DTypeError>("[", op.name, "] expected the argument ", parameter.name, " of ",
                       op.signature.text);
    if (!parameter.is_tensor) {
      attributes.push_back(left_out ? parameter.value
                                    : attribute_from_python(op, parameter, object));
    } else if (left_out) {
      tensors.emplace_back();
    } else {
      if (!is_array_like(object)) wrong_type(op, parameter, object);
      tensors.push_back(tensor_from_python(object));
      elements += tensors.back().count();
    }
  }
  std::vector<Tensor> results;
  {
    ReleaseGil without_gil(elements);
    results = call_op(entry, tensors, attributes);
  }
  return results_to_python(std::move(results));
}

PyObject* op_call(PyObject* self, PyObject* const* args, size_t flags, PyObject* keywords) {
  try {
    return call(entry_of(self), args, PyVectorcall_NARGS(flags), keywords).release().ptr();
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

void op_dealloc(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  entry_of(object).~shared_ptr();
  type->tp_free(object);
  Py_DECREF(type);
}

PyObject* op_repr(PyObject* self) {
  const OpEntry& op = *entry_of(self);
  return PyUnicode_FromFormat("<op %s%s>", op.name.c_str(), op.signature.text.c_str());
}

PyObject* string_attribute(const std::string& value) {
  return PyUnicode_FromStringAndSize(value.data(), static_cast<Py_ssize_t>(value.size()));
}

PyGetSetDef op_attributes[] = {
    {"__name__", [](PyObject* s, void*) { return string_attribute(entry_of(s)->name); }, nullptr,
     "The namespace and the name, such as 'mine.scale'.", nullptr},
    {"__doc__", [](PyObject* s, void*) { return string_attribute(entry_of(s)->doc); }, nullptr,
     nullptr, nullptr},
    {"signature", [](PyObject* s, void*) { return string_attribute(entry_of(s)->signature.text); },
     nullptr, "What it takes and gives, as the extension declared it.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef op_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(PyOp, call), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

void make_op_type() {
  PyType_Slot slots[] = {
      {Py_tp_dealloc, reinterpret_cast<void*>(op_dealloc)},
      {Py_tp_repr, reinterpret_cast<void*>(op_repr)},
      {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
      {Py_tp_getset, op_attributes},
      {Py_tp_members, op_members},
      {0, nullptr},
  };
  PyType_Spec spec = {"pydl._core.ExtensionOp", sizeof(PyOp), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL, slots};
  op_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  if (!op_type) throw py::error_already_set();
}

py::object wrap_op(std::shared_ptr<OpEntry> entry) {
  PyObject* object = op_type->tp_alloc(op_type, 0);
  if (!object) throw py::error_already_set();
  new (&entry_of(object)) std::shared_ptr<OpEntry>(std::move(entry));
  reinterpret_cast<PyOp*>(object)->call = op_call;
  return py::reinterpret_steal<py::object>(object);
}

// --- gradients in Python -------------------------------------------------------------------------

py::object to_python(const Attribute& value) {
  switch (value.kind) {
    case PYDL_ATTRIBUTE_INT:
      return py::int_(value.integer);
    case PYDL_ATTRIBUTE_FLOAT:
      return py::float_(value.real);
    case PYDL_ATTRIBUTE_BOOL:
      return py::bool_(value.integer != 0);
    case PYDL_ATTRIBUTE_STRING:
      return py::str(value.string);
    default:
      return py::cast(value.integers);
  }
}

std::vector<Tensor> run_gradient(const std::string& op, int inputs, const py::object& function,
                                 const std::vector<GradientArgument>& arguments) {
  py::gil_scoped_acquire with_gil;
  py::tuple values(arguments.size());
  for (size_t i = 0; i < arguments.size(); ++i)
    values[i] =
        arguments[i].attribute ? to_python(*arguments[i].attribute) : py::cast(arguments[i].tensor);
  py::object result = function(*values);
  if (!py::isinstance<py::tuple>(result) && !py::isinstance<py::list>(result))
    result = py::make_tuple(result);
  if (py::len(result) != static_cast<size_t>(inputs))
    fail<AutogradError>("[", op, "] expected its gradient to return ", inputs,
                        " values, one for each tensor of the op, got ", py::len(result));
  std::vector<Tensor> grads(inputs);
  for (int i = 0; i < inputs; ++i) {
    py::object item = result[py::int_(i)];
    if (!item.is_none()) grads[i] = py::cast<Tensor>(item);
  }
  return grads;
}

void set_gradient(py::handle object, const std::vector<std::string>& names, py::function function) {
  if (Py_TYPE(object.ptr()) != op_type)
    fail<DTypeError>("[extension.gradient] expected an op of an extension, got ",
                     py::cast<std::string>(py::repr(object)));
  OpEntry& op = *entry_of(object.ptr());
  auto gradient = std::make_shared<Gradient>();
  gradient->sources = gradient_sources(op, op.name + "'s gradient", names);
  // Graphs may be freed by threads without the GIL, and after the interpreter.
  std::shared_ptr<py::object> kept(new py::object(std::move(function)), [](py::object* held) {
    if (!Py_IsInitialized()) return;
    py::gil_scoped_acquire with_gil;
    delete held;
  });
  gradient->run = [kept, name = op.name,
                   inputs = op.tensors](const std::vector<GradientArgument>& arguments) {
    return run_gradient(name, inputs, *kept, arguments);
  };
  op.gradient = std::move(gradient);
}

}  // namespace

void bind_extension(py::module_& module) {
  make_op_type();
  module.add_object("ExtensionOp",
                    py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(op_type)));
  py::class_<ExtensionLibrary, std::shared_ptr<ExtensionLibrary>>(module, "ExtensionLibrary")
      .def_readonly("name", &ExtensionLibrary::name)
      .def_readonly("path", &ExtensionLibrary::path)
      .def_readonly("overrides", &ExtensionLibrary::override_names)
      .def("ops",
           [](const ExtensionLibrary& library) {
             py::list ops;
             for (const auto& op : library.ops) ops.append(wrap_op(op));
             return ops;
           })
      .def("unload", &unload_extension);
  module.def("load_extension", &load_extension, py::arg("path"), WithoutGil());
  module.def("set_gradient", &set_gradient, py::arg("op"), py::arg("names"), py::arg("function"));
  module.def("abi_version", [] { return PYDL_ABI_VERSION; });
}

}  // namespace pydl
