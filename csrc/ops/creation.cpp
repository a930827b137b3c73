#include "ops/creation.h"

#include <cmath>
#include <cstring>

#include "autograd/arithmetic.h"
#include "ops/elementwise_plan.h"
#include "ops/op.h"
#include "ops/ops.h"

namespace pydl {
namespace {

uint64_t bits_of(const void* value, size_t size) {
  uint64_t bits = 0;
  std::memcpy(&bits, value, size);
  return bits;
}

template <class T>
uint64_t bits_of(T value) {
  return bits_of(&value, sizeof(value));
}

void fill(const Op& op, const Tensor& out, uint64_t value) {
  auto plan = plan_elementwise<1>(out.shape(), {&out});
  PydlFillArgs args = {};
  plan.fill(args);
  args.item_size = static_cast<int32_t>(item_size(out.dtype()));
  args.out = out.data();
  plan.copy_strides(0, args.out_strides);
  args.value = value;
  op.launch(&PydlKernelTable::fill, args);
}

// out = x, converted and broadcast.
void copy_into(const Op& op, const Tensor& x, const Tensor& out) {
  auto plan = plan_elementwise<2>(out.shape(), {&x, &out});
  PydlCopyArgs args = {};
  plan.fill(args);
  args.dtype = static_cast<PydlDType>(x.dtype());
  args.out_dtype = static_cast<PydlDType>(out.dtype());
  args.x = x.data();
  plan.copy_strides(0, args.x_strides);
  args.out = out.data();
  plan.copy_strides(1, args.out_strides);
  op.launch(&PydlKernelTable::copy, args);
}

Tensor converted(const char* name, const Tensor& x, DType dtype) {
  Op op(name, x);
  Tensor out = Tensor::empty(x.shape(), dtype, x.device());
  copy_into(op, x, out);
  if (is_floating(dtype) && needs_grad(x))
    record(name, {&out}, {&x}, [from = x.dtype()](Backward& b) { b.give(0, cast(b.grad(), from)); });
  return out;
}

}  // namespace

Tensor full(const Dims& shape, double value, DType dtype, Device device) {
  if (!is_floating(dtype)) {
    bool fits = value >= -9223372036854775808.0 && value < 9223372036854775808.0;
    if (!fits) fail<ValueError>("[full] expected a value that fits ", dtype, ", got ", value);
    return full_integer(shape, static_cast<int64_t>(value), dtype, device);
  }
  if (dtype == DType::float16 || dtype == DType::bfloat16)
    return cast(full(shape, value, DType::float32, device), dtype);
  Op op("full");
  Tensor out = Tensor::empty(shape, dtype, device);
  fill(op, out, dtype == DType::float32 ? bits_of(static_cast<float>(value)) : bits_of(value));
  return out;
}

Tensor full_integer(const Dims& shape, int64_t value, DType dtype, Device device) {
  if (is_floating(dtype)) return full(shape, static_cast<double>(value), dtype, device);
  Op op("full");
  auto check_range = [&](int64_t low, int64_t high) {
    op.check(value >= low && value <= high, "expected a value in [", low, ", ", high, "] for ", dtype,
             ", got ", value);
  };
  if (dtype == DType::boolean) value = value != 0;
  if (dtype == DType::int8) check_range(-128, 127);
  if (dtype == DType::uint8) check_range(0, 255);
  if (dtype == DType::int32) check_range(INT32_MIN, INT32_MAX);
  Tensor out = Tensor::empty(shape, dtype, device);
  fill(op, out, bits_of(&value, item_size(dtype)));  // two's complement, little endian
  return out;
}

Tensor copy(const Tensor& x) { return converted("copy", x, x.dtype()); }

Tensor contiguous(const Tensor& x) { return x.is_contiguous() ? x : copy(x); }

Tensor cast(const Tensor& x, DType dtype) {
  return x.dtype() == dtype ? x : converted("cast", x, dtype);
}

void assign(const Tensor& target, const Tensor& source) {
  Op op("assign", target, source);
  op.check<ShapeError>(op.broadcast(source.shape(), target.shape()) == target.shape(),
                       "expected values that broadcast to ", target.shape(), ", got shape ",
                       source.shape());
  bool overlaps = source.impl()->storage == target.impl()->storage;
  copy_into(op, overlaps ? copy(source.detach()) : source, target);
  target.impl()->storage->bump_version();
}

namespace engine {

Tensor sum_of(const Tensor& a, const Tensor& b) { return add(a, b); }
Tensor filled(const Dims& shape, double value, DType dtype, Device device) {
  return full(shape, value, dtype, device);
}
Tensor copy_of(const Tensor& x) { return copy(x); }

}  // namespace engine
}  // namespace pydl
