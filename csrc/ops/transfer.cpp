#include "ops/transfer.h"

#include "dispatch/gpu.h"
#include "ops/creation.h"
#include "ops/op.h"

namespace pydl {
namespace {

int32_t index_of(Device device) {
  return device.type == DeviceType::cpu ? PYDL_HOST : device.index;
}

}  // namespace

Tensor to_device(const Tensor& x, Device device) {
  if (x.device() == device) return x;
  Op op("to", x);
  Tensor dense = contiguous(x.detach());
  Tensor out = Tensor::empty(x.shape(), x.dtype(), device);
  Device gpu = device.type == DeviceType::cpu ? x.device() : device;
  const PydlBackend& backend = gpu_backend(gpu);
  check_gpu("to", backend.copy(current_stream(gpu), index_of(device), out.data(),
                               index_of(x.device()), dense.data(),
                               x.count() * static_cast<int64_t>(item_size(x.dtype()))));
  if (needs_grad(x))
    record("to", {&out}, {&x},
           [back = x.device()](Backward& b) { b.give(0, to_device(b.grad(), back)); });
  return out;
}

}  // namespace pydl
