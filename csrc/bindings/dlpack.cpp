// DLPack both ways: tensors of other frameworks without a copy.
// The structs are those of the DLPack standard, version 1 (https://dmlc.github.io/dlpack).
#include "bindings/python.h"
#include "dispatch/gpu.h"
#include "dispatch/recording.h"

namespace pydl {
namespace {

struct DLDevice {
  int32_t type;
  int32_t id;
};
struct DLDataType {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
};
struct DLTensor {
  void* data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t* shape;
  int64_t* strides;
  uint64_t byte_offset;
};
struct DLManagedTensor {
  DLTensor tensor;
  void* context;
  void (*deleter)(DLManagedTensor*);
};

constexpr int32_t kDLCpu = 1, kDLCuda = 2;
enum : uint8_t { kDLInt = 0, kDLUInt = 1, kDLFloat = 2, kDLBfloat = 4, kDLBool = 6 };

struct Match {
  DType dtype;
  uint8_t code;
  uint8_t bits;
};
constexpr Match kTypes[] = {
    {DType::float32, kDLFloat, 32}, {DType::float64, kDLFloat, 64}, {DType::float16, kDLFloat, 16},
    {DType::bfloat16, kDLBfloat, 16}, {DType::int8, kDLInt, 8},     {DType::uint8, kDLUInt, 8},
    {DType::int32, kDLInt, 32},     {DType::int64, kDLInt, 64},     {DType::boolean, kDLBool, 8},
};

// What an exported capsule owns.
struct Export {
  Tensor tensor;
  DLManagedTensor managed;
};

void delete_unconsumed(PyObject* capsule) {
  if (!PyCapsule_IsValid(capsule, "dltensor")) return;  // whoever consumed it deletes it
  auto* managed = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule, "dltensor"));
  managed->deleter(managed);
}

DLDevice dl_device(Device device) {
  return {device.type == DeviceType::cpu ? kDLCpu : kDLCuda, device.index};
}

py::capsule to_dlpack(const Tensor& x) {
  if (!x.impl()->storage->writable())
    throw py::buffer_error("[to_dlpack] expected memory that may be written to, got a tensor on a "
                           "read-only array. Hint: copy() it");
  refuse_recording("it reads values");
  x.impl()->storage->lend();
  auto* owner = new Export{x.detach(), {}};
  const Ref<TensorImpl>& impl = owner->tensor.impl();
  DLDataType dtype = {0, 0, 1};
  for (const Match& match : kTypes)
    if (match.dtype == x.dtype()) dtype = {match.code, match.bits, 1};
  owner->managed.tensor = {owner->tensor.data(), dl_device(x.device()), x.rank(), dtype,
                           impl->shape.begin(), impl->strides.begin(), 0};
  owner->managed.context = owner;
  owner->managed.deleter = [](DLManagedTensor* self) { delete static_cast<Export*>(self->context); };
  return py::reinterpret_steal<py::capsule>(
      PyCapsule_New(&owner->managed, "dltensor", delete_unconsumed));
}

DType dtype_of(const DLDataType& type) {
  for (const Match& match : kTypes)
    if (type.code == match.code && type.bits == match.bits && type.lanes == 1) return match.dtype;
  fail<DTypeError>("[from_dlpack] expected float32, float64, float16, bfloat16, int8, uint8, int32, int64 "
                   "or bool, got type code ", int{type.code}, " with ", int{type.bits}, " bits and ",
                   type.lanes, " lanes");
}

// What the standard passes for a stream: 1 is the default one.
uintptr_t stream_number(Device device) {
  auto stream = reinterpret_cast<uintptr_t>(current_stream(device));
  return stream ? stream : 1;
}

Tensor from_dlpack(py::object source) {
  if (!py::hasattr(source, "__dlpack__"))
    fail<DTypeError>("[from_dlpack] expected an object with __dlpack__, got ", Py_TYPE(source.ptr())->tp_name);
  py::object place = source.attr("__dlpack_device__")();
  const int type = place[py::int_(0)].cast<int>();
  if (type != kDLCpu && type != kDLCuda)
    fail<DeviceError>("[from_dlpack] expected memory of the CPU or of a CUDA device, got DLPack device ",
                      py::cast<std::string>(py::str(place)), ". Hint: move it to the CPU first");
  Device device;
  py::object capsule;
  if (type == kDLCuda) {
    device = {DeviceType::gpu, place[py::int_(1)].cast<int32_t>()};
    gpu_backend(device);  // refuses devices that pydl cannot use
    capsule = source.attr("__dlpack__")(py::arg("stream") = stream_number(device));
  } else {
    capsule = source.attr("__dlpack__")();
  }
  if (!PyCapsule_IsValid(capsule.ptr(), "dltensor"))
    fail<DTypeError>("[from_dlpack] expected a capsule named 'dltensor'");
  auto* managed = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule.ptr(), "dltensor"));
  const DLTensor& dl = managed->tensor;
  DType dtype = dtype_of(dl.dtype);
  Dims shape(dl.shape, dl.shape + dl.ndim);
  Dims strides = dl.strides ? Dims(dl.strides, dl.strides + dl.ndim) : dense_strides(shape);
  // From here on the memory is ours to give back.
  PyCapsule_SetName(capsule.ptr(), "used_dltensor");
  Storage::Deleter deleter = [managed] {
    if (!managed->deleter || !Py_IsInitialized()) return;
    py::gil_scoped_acquire with_gil;
    managed->deleter(managed);
  };
  Reach reach(shape, strides);
  int64_t item = item_size(dtype);
  char* data = static_cast<char*>(dl.data) + dl.byte_offset + reach.first * item;
  auto storage = Storage::borrow(data, reach.count() * item, device, true, std::move(deleter));
  return Tensor::on(std::move(storage), shape, strides, -reach.first, dtype);
}

}  // namespace

void bind_dlpack(py::module_& module) {
  module.def("to_dlpack", &to_dlpack, py::arg("x"));
  module.def("from_dlpack", &from_dlpack, py::arg("source"));
}

}  // namespace pydl
