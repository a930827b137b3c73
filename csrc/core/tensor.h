// Tensor: a handle to shape, strides and offset into a shared block of memory.
#pragma once

#include <functional>
#include <memory>

#include "core/device.h"
#include "core/dims.h"
#include "core/dtype.h"
#include "core/ref.h"

namespace pydl {

class PreparedOperand;  // core/prepared.h

// A block of memory, ours or borrowed, with the count of in-place writes to it.
class Storage final : public RefCounted {
 public:
  using Deleter = std::function<void()>;

  // Uninitialised memory from the allocator of `device`.
  static Ref<Storage> allocate(size_t bytes, Device device);
  // Memory of somebody else; `deleter` runs when the last tensor on it goes.
  static Ref<Storage> borrow(void* data, size_t bytes, Device device, bool writable, Deleter deleter);

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  Device device() const { return device_; }
  bool writable() const { return writable_; }
  // Whether the two share memory; blocks borrowed from one owner may.
  bool overlaps(const Storage& other) const;
  uint32_t version() const { return version_.load(std::memory_order_relaxed); }
  void bump_version() { version_.fetch_add(1, std::memory_order_relaxed); }
  // How often the memory was lent to others, such as NumPy, whose writes no version counts.
  uint32_t loans() const { return loans_.load(std::memory_order_relaxed); }
  void lend() { loans_.fetch_add(1, std::memory_order_relaxed); }
  // Whether the memory is somebody else's.
  bool borrowed() const { return static_cast<bool>(deleter_); }
  // What kernels keep of the contents.
  PreparedOperand& prepared();

 private:
  Storage(void* data, size_t bytes, Device device, bool writable, Deleter deleter)
      : data_(data),
        bytes_(bytes),
        device_(device),
        writable_(writable),
        deleter_(std::move(deleter)) {}
  ~Storage() override;

  void* data_;
  size_t bytes_;
  Device device_;
  bool writable_;
  std::atomic<uint32_t> version_{0}, loans_{0};
  std::atomic<PreparedOperand*> prepared_{nullptr};
  Deleter deleter_;  // empty: the memory is the allocator's
};

// What autograd hangs on a tensor (autograd/meta.h); core only owns it.
struct TensorExtension {
  virtual ~TensorExtension() = default;
};

struct TensorImpl final : RefCounted {
  Ref<Storage> storage;
  Dims shape;
  Dims strides;        // in elements
  int64_t offset = 0;  // in elements
  int64_t count = 0;   // of elements
  DType dtype = DType::float32;
  bool contiguous = true;
  std::unique_ptr<TensorExtension> autograd;
};

class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(Ref<TensorImpl> impl) : impl_(std::move(impl)) {}

  static Tensor empty(const Dims& shape, DType dtype, Device device = {});
  static Tensor on(Ref<Storage> storage, const Dims& shape, const Dims& strides, int64_t offset,
                   DType dtype);
  // Another window on this tensor's memory, outside any autograd graph.
  Tensor view(const Dims& shape, const Dims& strides, int64_t offset) const {
    return on(impl_->storage, shape, strides, offset, impl_->dtype);
  }
  Tensor detach() const { return view(shape(), strides(), offset()); }

  bool defined() const { return static_cast<bool>(impl_); }
  const Dims& shape() const { return impl_->shape; }
  const Dims& strides() const { return impl_->strides; }
  int64_t offset() const { return impl_->offset; }
  int rank() const { return impl_->shape.size(); }
  int64_t size(int axis) const { return impl_->shape[axis]; }
  int64_t count() const { return impl_->count; }
  DType dtype() const { return impl_->dtype; }
  Device device() const { return impl_->storage->device(); }
  bool is_contiguous() const { return impl_->contiguous; }
  // Whether several elements are one place in memory, as broadcast_to makes them.
  bool repeats_elements() const;
  uint32_t version() const { return impl_->storage->version(); }

  void* data() const {
    return static_cast<char*>(impl_->storage->data()) + impl_->offset * item_size(impl_->dtype);
  }
  template <class T>
  T* data_as() const {
    return static_cast<T*>(data());
  }

  const Ref<TensorImpl>& impl() const { return impl_; }
  bool is(const Tensor& other) const { return impl_ == other.impl_; }

 private:
  Ref<TensorImpl> impl_;
};

}  // namespace pydl
