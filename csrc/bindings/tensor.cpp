// The Tensor type: life cycle, attributes, operators.
#include "autograd/engine.h"
#include "autograd/node.h"
#include "bindings/indexing.h"
#include "bindings/python.h"
#include "dispatch/recording.h"
#include "ops/creation.h"
#include "ops/elementwise.h"
#include "ops/linalg.h"
#include "ops/transfer.h"

#include <structmember.h>

namespace pydl {

PyTypeObject* tensor_type = nullptr;

namespace {

PyObject* wrap_as(PyTypeObject* type, Tensor tensor) {
  PyObject* object = type->tp_alloc(type, 0);
  if (!object) throw py::error_already_set();
  new (&reinterpret_cast<PyTensor*>(object)->value) Tensor(std::move(tensor));
  return object;
}

}  // namespace

PyObject* wrap(Tensor tensor) { return wrap_as(tensor_type, std::move(tensor)); }

namespace {

// Runs `body`, turning C++ exceptions into Python ones.
template <class Result, class Body>
Result guarded(Result failure, Body body) {
  try {
    return body();
  } catch (...) {
    set_python_error();
    return failure;
  }
}

// --- life cycle -------------------------------------------------------------------------------------

// Tensor(data): another handle on the memory of `data`. Subclasses call it through super().
PyObject* tensor_new(PyTypeObject* type, PyObject* args, PyObject*) {
  return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
    if (PyTuple_GET_SIZE(args) < 1)
      fail<ValueError>("[Tensor] expected data. Hint: use pydl.tensor(data)");
    return wrap_as(type, tensor_from_python(PyTuple_GET_ITEM(args, 0)).detach());
  });
}

void tensor_dealloc(PyObject* object) {
  auto* self = reinterpret_cast<PyTensor*>(object);
  if (self->weak_references) PyObject_ClearWeakRefs(object);
  PyTypeObject* type = Py_TYPE(object);
  self->value.~Tensor();
  type->tp_free(object);
  Py_DECREF(type);
}

// --- attributes -------------------------------------------------------------------------------------

template <class Get>
PyObject* attribute(PyObject* self, Get get) {
  return guarded<PyObject*>(nullptr, [&] { return py::cast(get(tensor_of(self))).release().ptr(); });
}

PyGetSetDef tensor_attributes[] = {
    {"shape", [](PyObject* s, void*) { return attribute(s, [](const Tensor& t) { return t.shape(); }); },
     nullptr, "The extents, a tuple of int.", nullptr},
    {"strides",
     [](PyObject* s, void*) { return attribute(s, [](const Tensor& t) { return t.strides(); }); },
     nullptr, "The step of each axis, in elements.", nullptr},
    {"dtype", [](PyObject* s, void*) { return attribute(s, [](const Tensor& t) { return t.dtype(); }); },
     nullptr, "The element type as a string, such as 'float32'.", nullptr},
    {"ndim", [](PyObject* s, void*) { return attribute(s, [](const Tensor& t) { return t.rank(); }); },
     nullptr, "The number of axes.", nullptr},
    {"size", [](PyObject* s, void*) { return attribute(s, [](const Tensor& t) { return t.count(); }); },
     nullptr, "The number of elements.", nullptr},
    {"device",
     [](PyObject* s, void*) { return attribute(s, [](const Tensor& t) { return text(t.device()); }); },
     nullptr, "Where the memory is, such as 'cpu'.", nullptr},
    {"is_contiguous",
     [](PyObject* s, void*) { return attribute(s, [](const Tensor& t) { return t.is_contiguous(); }); },
     nullptr, "Whether the elements lie densely in row-major order.", nullptr},
    {"is_leaf", [](PyObject* s, void*) { return attribute(s, [](const Tensor& t) { return is_leaf(t); }); },
     nullptr, "Whether no recorded op computed this tensor.", nullptr},
    {"version", [](PyObject* s, void*) { return attribute(s, [](const Tensor& t) { return t.version(); }); },
     nullptr, "How often the memory was written in place.", nullptr},
    {"requires_grad",
     [](PyObject* s, void*) { return attribute(s, [](const Tensor& t) { return requires_grad(t); }); },
     [](PyObject* s, PyObject* value, void*) {
       return guarded(-1, [&] {
         if (!value || !PyBool_Check(value))
           fail<DTypeError>("[requires_grad] expected True or False, got ",
                            value ? Py_TYPE(value)->tp_name : "nothing");
         set_requires_grad(tensor_of(s), value == Py_True);
         return 0;
       });
     },
     "Whether backward() computes a gradient for this tensor.", nullptr},
    {"grad",
     [](PyObject* s, void*) {
       return attribute(s, [](const Tensor& t) { return gradient_of(t); });
     },
     [](PyObject* s, PyObject* value, void*) {
       return guarded(-1, [&] {
         const Tensor& self = tensor_of(s);
         Tensor grad = value && value != Py_None ? tensor_from_python(value) : Tensor();
         if (grad.defined() && (grad.shape() != self.shape() || grad.dtype() != self.dtype()))
           fail<ShapeError>("[grad] expected shape ", self.shape(), " and dtype ", self.dtype(), ", got ",
                            grad.shape(), " and ", grad.dtype());
         set_gradient(self, std::move(grad));
         return 0;
       });
     },
     "The gradient that backward() left here, or None.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

// --- operators --------------------------------------------------------------------------------------

using UnaryFunction = Tensor (*)(const Tensor&);
using BinaryFunction = Tensor (*)(const Tensor&, const Tensor&);

template <BinaryFunction function>
PyObject* binary_slot(PyObject* a, PyObject* b) {
  if (!is_array_like(a) || !is_array_like(b)) Py_RETURN_NOTIMPLEMENTED;
  return guarded<PyObject*>(nullptr, [&] {
    auto operands = operands_from_python(a, b);
    Tensor result;
    {
      ReleaseGil without_gil(std::max(operands.first.count(), operands.second.count()));
      result = function(operands.first, operands.second);
    }
    return wrap(std::move(result));
  });
}

template <UnaryFunction function>
PyObject* unary_slot(PyObject* x) {
  return guarded<PyObject*>(nullptr, [&] {
    Tensor result;
    {
      ReleaseGil without_gil(tensor_of(x).count());
      result = function(tensor_of(x));
    }
    return wrap(std::move(result));
  });
}

PyObject* power_slot(PyObject* a, PyObject* b, PyObject* modulus) {
  if (modulus != Py_None || !is_array_like(a) || !is_array_like(b)) Py_RETURN_NOTIMPLEMENTED;
  return guarded<PyObject*>(nullptr, [&] { return wrap(power_from_python(a, b)); });
}

// & | ^ ~ are for bools; on integers they would mean bits, which no kernel computes.
template <BinaryFunction function>
Tensor on_bools(const Tensor& a, const Tensor& b) {
  for (DType dtype : {a.dtype(), b.dtype()})
    if (dtype != DType::boolean)
      fail<DTypeError>("[&, |, ^] expected bool tensors, got ", dtype, ". Hint: use logical_and and its like");
  return function(a, b);
}
Tensor invert(const Tensor& x) {
  if (x.dtype() != DType::boolean)
    fail<DTypeError>("[~] expected a bool tensor, got ", x.dtype(), ". Hint: use logical_not");
  return logical_not(x);
}

PyObject* compare_slot(PyObject* a, PyObject* b, int comparison) {
  switch (comparison) {
    case Py_EQ: return binary_slot<equal>(a, b);
    case Py_NE: return binary_slot<not_equal>(a, b);
    case Py_LT: return binary_slot<less>(a, b);
    case Py_LE: return binary_slot<less_equal>(a, b);
    case Py_GT: return binary_slot<greater>(a, b);
    default: return binary_slot<greater_equal>(a, b);
  }
}

// By identity, as == compares elements.
Py_hash_t hash_slot(PyObject* self) { return PyBaseObject_Type.tp_hash(self); }

PyType_Slot tensor_slots[] = {
    {Py_tp_doc, const_cast<char*>("An n-dimensional array that ops compute on.")},
    {Py_tp_new, reinterpret_cast<void*>(tensor_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(tensor_dealloc)},
    {Py_tp_getset, tensor_attributes},
    {Py_mp_subscript, reinterpret_cast<void*>(tensor_subscript)},
    {Py_mp_ass_subscript, reinterpret_cast<void*>(tensor_assign_subscript)},
    {Py_mp_length, reinterpret_cast<void*>(tensor_length)},
    {Py_sq_length, reinterpret_cast<void*>(tensor_length)},
    {Py_sq_item, reinterpret_cast<void*>(tensor_item)},
    {Py_tp_iter, reinterpret_cast<void*>(tensor_iterator)},
    {Py_nb_add, reinterpret_cast<void*>(binary_slot<add>)},
    {Py_nb_subtract, reinterpret_cast<void*>(binary_slot<subtract>)},
    {Py_nb_multiply, reinterpret_cast<void*>(binary_slot<multiply>)},
    {Py_nb_true_divide, reinterpret_cast<void*>(binary_slot<divide>)},
    {Py_nb_floor_divide, reinterpret_cast<void*>(binary_slot<floor_divide>)},
    {Py_nb_remainder, reinterpret_cast<void*>(binary_slot<mod>)},
    {Py_nb_power, reinterpret_cast<void*>(power_slot)},
    {Py_nb_and, reinterpret_cast<void*>(binary_slot<on_bools<logical_and>>)},
    {Py_nb_or, reinterpret_cast<void*>(binary_slot<on_bools<logical_or>>)},
    {Py_nb_xor, reinterpret_cast<void*>(binary_slot<on_bools<logical_xor>>)},
    {Py_nb_invert, reinterpret_cast<void*>(unary_slot<invert>)},
    {Py_nb_absolute, reinterpret_cast<void*>(unary_slot<abs>)},
    {Py_tp_richcompare, reinterpret_cast<void*>(compare_slot)},
    {Py_tp_hash, reinterpret_cast<void*>(hash_slot)},
    {Py_nb_matrix_multiply, reinterpret_cast<void*>(binary_slot<matmul>)},
    {Py_nb_negative, reinterpret_cast<void*>(unary_slot<neg>)},
    {0, nullptr},
};

py::object item(py::handle object) {
  Tensor tensor = tensor_of(object.ptr());
  note_read(tensor);
  if (tensor.count() != 1)
    fail<ShapeError>("[item] expected a tensor of one element, got shape ", tensor.shape());
  if (tensor.device().type != DeviceType::cpu) {
    py::gil_scoped_release without_gil;
    tensor = to_cpu(tensor.detach());
  }
  switch (tensor.dtype()) {  // the types of losses, learning rates and counters; NumPy knows the others
    case DType::float32: return py::float_(*static_cast<const float*>(tensor.data()));
    case DType::float64: return py::float_(*static_cast<const double*>(tensor.data()));
    case DType::int64: return py::int_(*static_cast<const int64_t*>(tensor.data()));
    default: return numpy_view(object).attr("item")();
  }
}

PyMemberDef tensor_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(PyTensor, weak_references), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

}  // namespace

void bind_tensor(py::module_& module) {
  std::vector<PyType_Slot> slots(std::begin(tensor_slots), std::end(tensor_slots) - 1);
  slots.push_back({Py_tp_members, tensor_members});
  slots.push_back({0, nullptr});
  PyType_Spec spec = {"pydl._core.Tensor", sizeof(PyTensor), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots.data()};
  tensor_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  if (!tensor_type) throw py::error_already_set();
  module.add_object("Tensor", py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(tensor_type)));

  module.def("tensor",
             [](py::handle data, std::optional<DType> dtype, std::optional<std::string> device) {
               Device target = device ? device_from_name(*device) : default_device();
               Tensor source = host_view_from_python(data).detach();
               if (!device && is_tensor(data.ptr())) target = source.device();
               py::gil_scoped_release without_gil;
               bool shared = source.device() == target;
               source = to_device(source, target);
               if (dtype && *dtype != source.dtype()) return cast(source, *dtype);
               return shared ? copy(source) : source;
             },
             py::arg("data"), py::arg("dtype") = py::none(), py::arg("device") = py::none());
  module.def("to", [](const Tensor& x, const std::string& device) {
               return to_device(x, device_from_name(device));
             },
             py::arg("x"), py::arg("device"), WithoutGil());
  // The Python object keeps its identity, and goes on as a tensor on another device.
  module.def("move_",
             [](py::handle target, const std::string& device) {
               if (!is_tensor(target.ptr())) fail<DTypeError>("[move] expected a Tensor");
               Tensor& value = reinterpret_cast<PyTensor*>(target.ptr())->value;
               Tensor moved = to_device(value.detach(), device_from_name(device));
               if (requires_grad(value)) set_requires_grad(moved, true);
               value = moved;
             },
             py::arg("target"), py::arg("device"));
  module.def("from_numpy", [](py::array data) { return host_view_from_python(data).detach(); },
             py::arg("array"));
  module.def("as_tensor", [](const Tensor& data) { return data; }, py::arg("data"));
  module.def("item", &item, py::arg("tensor"));
  module.def("numpy", [](py::handle tensor) { return numpy_view(tensor); }, py::arg("tensor"));
  // Unlike Tensor.__new__, keeps the tensor's place in the graph.
  module.def("as_subclass",
             [](const Tensor& x, py::type cls) {
               auto* type = reinterpret_cast<PyTypeObject*>(cls.ptr());
               if (!PyType_IsSubtype(type, tensor_type))
                 fail<DTypeError>("[as_subclass] expected a subclass of Tensor, got ", type->tp_name);
               return py::reinterpret_steal<py::object>(wrap_as(type, x));
             },
             py::arg("x"), py::arg("cls"));
  module.def("detach", [](const Tensor& x) { return x.detach(); }, py::arg("x"));
  module.def("assign_",
             [](const Tensor& target, const Tensor& source) {
               if (grad_enabled() && requires_grad(target))
                 fail<AutogradError>("[assign] expected a tensor outside the graph, got one that requires "
                                     "a gradient. Hint: write inside pydl.no_grad()");
               assign(target, source);
             },
             py::arg("target"), py::arg("source"), WithoutGil());
  // Equal for the same tensors at two moments only if they held the same values; None while somebody
  // else has their memory, and may write to it unseen.
  module.def("contents_key",
             [](const std::vector<Tensor>& tensors) -> std::optional<std::vector<uint64_t>> {
               std::vector<uint64_t> key;
               for (const Tensor& x : tensors) {
                 const Storage& storage = *x.impl()->storage;
                 if (storage.use_count() > 1) return std::nullopt;
                 key.push_back(reinterpret_cast<uintptr_t>(storage.data()));
                 key.push_back(uint64_t{storage.version()} << 32 | storage.loans());
               }
               return key;
             },
             py::arg("tensors"));
  // In one call, because state such as that of metrics is added to at every step of training.
  module.def("add_",
             [](py::handle target, py::handle value) {
               Tensor term = operands_from_python(target, value).second;
               Tensor written = tensor_of(target.ptr()).detach();
               py::gil_scoped_release without_gil;
               assign(written, add(written, term.detach()));
             },
             py::arg("target"), py::arg("value"));
}

}  // namespace pydl
