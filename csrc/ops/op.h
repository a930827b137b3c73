// What every op starts with: its name, for errors and traces, and the device of its inputs.
//
//   Tensor softmax(const Tensor& x, int64_t axis) {
//     Op op("softmax", x);
//     op.check<DTypeError>(is_floating(x.dtype()), "expected a floating dtype, got ", x.dtype());
//     ...
//     op.launch(&PydlKernelTable::softmax_forward, args);
#pragma once

#include <chrono>

#include "autograd/node.h"
#include "core/config.h"
#include "dispatch/launch.h"

namespace pydl {

// What kernels get for an optional operand.
inline void* data_or_null(const Tensor& x) { return x.defined() ? x.data() : nullptr; }

// x, to be saved if the gradient of `other` will need it; else nothing.
inline Saved saved_for(const Tensor& other, const Tensor& x) {
  return Saved(requires_grad(other) ? x : Tensor());
}

class Op {
 public:
  template <class... Tensors>
  explicit Op(const char* name, const Tensors&... inputs) : name_(name) {
    const Tensor* list[] = {static_cast<const Tensor*>(&inputs)..., nullptr};
    take_device(list, sizeof...(inputs));
    if (config().verbose) begin_trace(list, sizeof...(inputs));
  }
  Op(const char* name, const std::vector<Tensor>& inputs);
  // An op without inputs, whose result is made on `device`.
  Op(const char* name, Device device) : name_(name), device_(device) {
    if (config().verbose) begin_trace(nullptr, 0);
  }
  ~Op() {
    if (traced_) end_trace();
  }
  Op(const Op&) = delete;
  Op& operator=(const Op&) = delete;

  const char* name() const { return name_; }
  Device device() const { return device_; }

  template <class E = ValueError, class... Parts>
  void check(bool condition, const Parts&... parts) const {
    if (__builtin_expect(!condition, 0)) error<E>(parts...);
  }
  template <class E = ValueError, class... Parts>
  [[noreturn]] void error(const Parts&... parts) const {
    fail<E>("[", name_, "] ", parts...);
  }
  void check_floating(const Tensor& x) const {
    check<DTypeError>(is_floating(x.dtype()), "expected a floating dtype, got ", x.dtype());
  }
  // That elements of x may be written to, each in a place of its own.
  void check_writable(const Tensor& x) const;
  // The axis in [0, rank), counted from the end when negative.
  int axis(int64_t axis, int rank) const;
  // The axes in ascending order; all of them when `axes` is absent. Refuses duplicates.
  Dims axes(const std::optional<Dims>& axes, int rank) const;
  Dims broadcast(const Dims& a, const Dims& b) const;

  template <class Args>
  void launch(Kernel<Args> PydlKernelTable::*kernel, const Args& args) const {
    pydl::launch(name_, device_, kernel, args);
  }

 private:
  void take_device(const Tensor* const* inputs, size_t count);
  void begin_trace(const Tensor* const* inputs, size_t count);
  void end_trace();

  const char* name_;
  Device device_;
  bool traced_ = false;
  std::string shapes_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace pydl
