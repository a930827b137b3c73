#include "core/tensor.h"

#include "core/allocator.h"
#include "core/kept_storages.h"
#include "core/prepared.h"

namespace pydl {
namespace {

Ref<Storage> noted(Ref<Storage> storage) {
  if (auto* kept = kept_storages()) kept->push_back(storage);
  return storage;
}

}  // namespace

std::vector<Ref<Storage>>*& kept_storages() {
  thread_local std::vector<Ref<Storage>>* kept = nullptr;
  return kept;
}

Ref<Storage> Storage::allocate(size_t bytes, Device device) {
  void* data = device.type == DeviceType::cpu ? pydl::allocate(bytes)
                                              : device_allocator.allocate(bytes, device);
  return noted(Ref<Storage>(new Storage(data, bytes, device, true, nullptr)));
}

Ref<Storage> Storage::borrow(void* data, size_t bytes, Device device, bool writable,
                             Deleter deleter) {
  return noted(Ref<Storage>(new Storage(data, bytes, device, writable, std::move(deleter))));
}

bool Storage::overlaps(const Storage& other) const {
  const char *begin = static_cast<const char*>(data_), *others = static_cast<const char*>(other.data_);
  return device_ == other.device_ && begin < others + other.bytes_ && others < begin + bytes_;
}

PreparedOperand& Storage::prepared() {
  PreparedOperand* known = prepared_.load(std::memory_order_acquire);
  if (known) return *known;
  auto made = std::make_unique<PreparedOperand>(*this);
  if (!prepared_.compare_exchange_strong(known, made.get(), std::memory_order_acq_rel)) return *known;
  return *made.release();
}

Storage::~Storage() {
  delete prepared_.load(std::memory_order_relaxed);
  if (deleter_)
    deleter_();
  else if (device_.type == DeviceType::cpu)
    deallocate(data_);
  else
    device_allocator.deallocate(data_, device_);
}

Tensor Tensor::empty(const Dims& shape, DType dtype, Device device) {
  int64_t count = count_elements(shape);
  int64_t bytes;
  if (__builtin_mul_overflow(count, static_cast<int64_t>(item_size(dtype)), &bytes))
    fail<ValueError>("[tensor] expected fewer than 2^63 bytes, got shape ", shape, " of ", dtype);
  Ref<TensorImpl> impl(new TensorImpl);
  impl->storage = Storage::allocate(bytes, device);
  impl->shape = shape;
  impl->strides = dense_strides(shape);
  impl->count = count;
  impl->dtype = dtype;
  return Tensor(std::move(impl));
}

Tensor Tensor::on(Ref<Storage> storage, const Dims& shape, const Dims& strides, int64_t offset,
                  DType dtype) {
  Ref<TensorImpl> impl(new TensorImpl);
  impl->storage = std::move(storage);
  impl->shape = shape;
  impl->strides = strides;
  impl->offset = offset;
  impl->count = count_elements(shape);
  impl->dtype = dtype;
  int64_t step = 1;
  for (int i = shape.size() - 1; i >= 0 && impl->contiguous && impl->count > 0; --i) {
    impl->contiguous = shape[i] == 1 || strides[i] == step;
    step *= shape[i];
  }
  return Tensor(std::move(impl));
}

bool Tensor::repeats_elements() const {
  for (int i = 0; i < rank(); ++i)
    if (strides()[i] == 0 && size(i) > 1) return true;
  return false;
}

}  // namespace pydl
