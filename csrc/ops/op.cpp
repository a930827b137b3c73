#include "ops/op.h"

#include <algorithm>
#include <cstdio>

#include "dispatch/recording.h"

namespace pydl {

Op::Op(const char* name, const std::vector<Tensor>& inputs) : name_(name) {
  std::vector<const Tensor*> list;
  for (const Tensor& input : inputs) list.push_back(&input);
  take_device(list.data(), list.size());
  if (config().verbose) begin_trace(list.data(), list.size());
}

void Op::take_device(const Tensor* const* inputs, size_t count) {
  bool first = true;
  Recording* recording = current_recording();
  for (size_t i = 0; i < count; ++i) {
    if (!inputs[i]->defined()) continue;  // an optional operand
    if (__builtin_expect(recording != nullptr, 0)) recording->keep(*inputs[i]);
    Device device = inputs[i]->device();
    if (first) device_ = device;
    first = false;
    check<DeviceError>(device == device_, "expected all tensors on one device, got ", device_, " and ",
                       device);
  }
}

void Op::check_writable(const Tensor& x) const {
  check(x.impl()->storage->writable(), "expected a tensor to write to, got one of shape ", x.shape(),
        " on a read-only array. Hint: write to a copy()");
  check(!x.repeats_elements(),
        "expected a tensor with memory for each element to write to, got one of shape ", x.shape(),
        " that broadcast_to made. Hint: write to a copy()");
}

int Op::axis(int64_t axis, int rank) const {
  check(axis >= -rank && axis < rank, "expected an axis in [", -rank, ", ", rank,
        ") for a tensor of rank ", rank, ", got ", axis);
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Dims Op::axes(const std::optional<Dims>& axes, int rank) const {
  Dims result;
  if (!axes) {
    for (int i = 0; i < rank; ++i) result.push_back(i);
    return result;
  }
  for (int64_t each : *axes) {
    int normal = axis(each, rank);
    check(!result.contains(normal), "expected different axes, got ", *axes);
    result.push_back(normal);
  }
  std::sort(result.begin(), result.end());
  return result;
}

Dims Op::broadcast(const Dims& a, const Dims& b) const {
  const Dims& longer = a.size() >= b.size() ? a : b;
  const Dims& shorter = a.size() >= b.size() ? b : a;
  Dims result = longer;
  int shift = longer.size() - shorter.size();
  for (int i = 0; i < shorter.size(); ++i) {
    int64_t& extent = result[i + shift];
    if (extent == 1)
      extent = shorter[i];
    else if (shorter[i] != extent && shorter[i] != 1)
      error<ShapeError>("expected shapes that broadcast together, got ", a, " and ", b,
                        ". Hint: trailing dimensions must be equal or 1");
  }
  return result;
}

// A trace line looks like:  pydl: matmul (32, 784) (784, 128) float32 | gemm cpu/avx512 | 31.4 us
void Op::begin_trace(const Tensor* const* inputs, size_t count) {
  traced_ = true;
  for (size_t i = 0; i < count; ++i)
    if (inputs[i]->defined()) shapes_ += text(" ", inputs[i]->shape(), " ", inputs[i]->dtype());
  last_launch() = {"no kernel", "view"};
  start_ = std::chrono::steady_clock::now();
}

void Op::end_trace() {
  std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start_;
  std::fprintf(stderr, "pydl: %s%s | %s %s | %.1f us\n", name_, shapes_.c_str(),
               last_launch().kernel, last_launch().table, time.count());
}

}  // namespace pydl
