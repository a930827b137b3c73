// The CUDA array interface, version 3, both ways: arrays of CuPy, Numba and torch without a copy.
// https://nvidia.github.io/numba-cuda/user/cuda_array_interface.html
#include "bindings/python.h"
#include "dispatch/gpu.h"

namespace pydl {
namespace {

struct TypeString {
  DType dtype;
  const char* name;
};
constexpr TypeString kTypeStrings[] = {
    {DType::float32, "<f4"}, {DType::float64, "<f8"}, {DType::float16, "<f2"},
    {DType::int8, "|i1"},    {DType::uint8, "|u1"},   {DType::int32, "<i4"},
    {DType::int64, "<i8"},   {DType::boolean, "|b1"},
};

py::dict cuda_array_interface(const Tensor& x) {
  const char* type = nullptr;
  for (const TypeString& each : kTypeStrings)
    if (each.dtype == x.dtype()) type = each.name;
  if (x.device().type == DeviceType::cpu || !type)  // as hasattr() wants it
    throw py::attribute_error(text("[__cuda_array_interface__] expected a tensor on a GPU with a dtype "
                                   "that NumPy has, got ", x.dtype(), " on ", x.device()));
  x.impl()->storage->lend();
  const auto item = static_cast<int64_t>(item_size(x.dtype()));
  Dims strides = x.strides();
  for (int64_t& stride : strides) stride *= item;
  const auto stream = reinterpret_cast<uintptr_t>(current_stream(x.device()));
  py::dict result;
  result["shape"] = to_python(x.shape());
  result["typestr"] = type;
  result["data"] = py::make_tuple(reinterpret_cast<uintptr_t>(x.count() ? x.data() : nullptr),
                                  !x.impl()->storage->writable());
  result["version"] = 3;
  result["strides"] = x.is_contiguous() ? py::object(py::none()) : to_python(strides);
  result["stream"] = stream ? stream : 1;
  return result;
}

DType dtype_of(const std::string& type) {
  for (const TypeString& each : kTypeStrings)
    if (type == each.name) return each.dtype;
  fail<DTypeError>("[from_cuda_array] expected a dtype that pydl has, got ", type);
}

Device device_of(uintptr_t memory) {
  Device device{DeviceType::gpu, 0};
  if (memory == 0) return device;  // no elements
  const void* pointer = reinterpret_cast<const void*>(memory);
  check_gpu("from_cuda_array", gpu_backend(device).device_of(pointer, &device.index));
  if (device.index == PYDL_HOST)
    fail<DeviceError>("[from_cuda_array] expected memory of a GPU, got memory of the CPU");
  return device;
}

// Work that is on its way to the memory must be done before ours.
void wait_for(const py::dict& array, Device device) {
  if (!array.contains("stream") || array["stream"].is_none()) return;
  auto number = array["stream"].cast<uintptr_t>();
  if (number == 0) fail<ValueError>("[from_cuda_array] expected a stream other than 0");
  if (number == 2) return gpu_backend(device), synchronize(device);  // another thread's default one
  void* stream = number == 1 ? nullptr : reinterpret_cast<void*>(number);
  order_streams(device, stream, current_stream(device));
}

Tensor from_cuda_array(py::object source) {
  if (!py::hasattr(source, "__cuda_array_interface__"))
    fail<DTypeError>("[from_cuda_array] expected an object with __cuda_array_interface__, got ",
                     Py_TYPE(source.ptr())->tp_name);
  py::dict array = source.attr("__cuda_array_interface__");
  if (array.contains("mask") && !array["mask"].is_none())
    fail<ValueError>("[from_cuda_array] expected an array without a mask");
  DType dtype = dtype_of(array["typestr"].cast<std::string>());
  auto [memory, read_only] = array["data"].cast<std::pair<uintptr_t, bool>>();
  Device device = device_of(memory);
  gpu_backend(device);  // refuses devices that pydl cannot use
  wait_for(array, device);
  const auto item = static_cast<int64_t>(item_size(dtype));
  Dims shape = dims_from_python(array["shape"]), strides = dense_strides(shape);
  if (array.contains("strides") && !array["strides"].is_none()) {
    strides = dims_from_python(array["strides"]);
    for (int64_t& stride : strides) {
      if (stride % item != 0)
        fail<ValueError>("[from_cuda_array] expected strides of whole elements, got ", strides);
      stride /= item;
    }
  }
  PyObject* owner = source.release().ptr();
  Storage::Deleter deleter = [owner] {
    if (!Py_IsInitialized()) return;
    py::gil_scoped_acquire with_gil;
    Py_DECREF(owner);
  };
  Reach reach(shape, strides);
  char* data = reinterpret_cast<char*>(memory) + reach.first * item;
  auto storage =
      Storage::borrow(data, reach.count() * item, device, !read_only, std::move(deleter));
  return Tensor::on(std::move(storage), shape, strides, -reach.first, dtype);
}

}  // namespace

void bind_cuda_array(py::module_& module) {
  module.def("cuda_array_interface", &cuda_array_interface, py::arg("x"));
  module.def("from_cuda_array", &from_cuda_array, py::arg("source"));
  // Makes a consumer's stream wait for ours; both as DLPack numbers them.
  module.def("gpu_order_streams",
             [](const Tensor& x, uintptr_t consumer) {
               void* after = consumer <= 1 ? nullptr : reinterpret_cast<void*>(consumer);
               if (consumer == 2) return synchronize(x.device());
               order_streams(x.device(), current_stream(x.device()), after);
             },
             py::arg("x"), py::arg("consumer"));
}

}  // namespace pydl
