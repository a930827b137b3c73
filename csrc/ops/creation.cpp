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
  if (out.rank() == 0 && out.device().type == DeviceType::cpu) {  // a number beside a tensor
    std::memcpy(out.data(), &value, item_size(out.dtype()));
    return;
  }
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
    record(name, {&out}, {&x},
           [from = x.dtype()](Backward& b) { b.give(0, cast(b.grad(), from)); });
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
  Op op("full", device);
  Tensor out = Tensor::empty(shape, dtype, device);
  fill(op, out, dtype == DType::float32 ? bits_of(static_cast<float>(value)) : bits_of(value));
  return out;
}

Tensor full_integer(const Dims& shape, int64_t value, DType dtype, Device device) {
  if (is_floating(dtype)) return full(shape, static_cast<double>(value), dtype, device);
  Op op("full", device);
  auto check_range = [&](int64_t low, int64_t high) {
    op.check(value >= low && value <= high, "expected a value in [", low, ", ", high, "] for ",
             dtype, ", got ", value);
  };
  if (dtype == DType::boolean) value = value != 0;
  if (dtype == DType::int8) check_range(-128, 127);
  if (dtype == DType::uint8) check_range(0, 255);
  if (dtype == DType::int32) check_range(INT32_MIN, INT32_MAX);
  Tensor out = Tensor::empty(shape, dtype, device);
  fill(op, out, bits_of(&value, item_size(dtype)));  // two's complement, little endian
  return out;
}

namespace {

// What the kernel can write; the other dtypes are cast from it.
DType sequence_dtype(DType dtype) {
  if (dtype == DType::float64 || dtype == DType::int64 || dtype == DType::float32) return dtype;
  return is_floating(dtype) ? DType::float32 : DType::int32;
}

Tensor sequence(const Op& op, PydlArangeArgs args, DType dtype) {
  op.check<DTypeError>(dtype != DType::boolean, "expected a dtype of numbers, got ", dtype);
  Tensor out = Tensor::empty({args.count}, sequence_dtype(dtype), op.device());
  args.dtype = static_cast<PydlDType>(out.dtype());
  args.out = out.data();
  op.launch(&PydlKernelTable::arange, args);
  return cast(out, dtype);
}

}  // namespace

Tensor arange(double start, double stop, double step, DType dtype) {
  Op op("arange", default_device());
  op.check(step != 0 && std::isfinite(step), "expected a finite step other than 0, got ", step);
  double count = std::ceil((stop - start) / step);
  op.check(count < 0x1p62, "expected fewer elements, got the range from ", start, " to ", stop,
           " in steps of ", step);
  PydlArangeArgs args = {};
  args.count = static_cast<int64_t>(std::max(count, 0.0));
  args.start = start;
  args.step = step;
  args.integer_start = static_cast<int64_t>(start);
  args.integer_step = static_cast<int64_t>(start + step) - args.integer_start;
  return sequence(op, args, dtype);
}

Tensor arange_integer(int64_t start, int64_t stop, int64_t step, DType dtype) {
  Op op("arange", default_device());
  op.check(step != 0, "expected a step other than 0");
  // In 128 bits nothing overflows.
  __int128 span =
      step > 0 ? static_cast<__int128>(stop) - start : static_cast<__int128>(start) - stop;
  __int128 stride = step > 0 ? static_cast<__int128>(step) : -static_cast<__int128>(step);
  __int128 count = span > 0 ? (span + stride - 1) / stride : 0;
  op.check(count < INT64_MAX, "expected fewer elements, got the range from ", start, " to ", stop);
  PydlArangeArgs args = {};
  args.count = static_cast<int64_t>(count);
  args.start = static_cast<double>(start);
  args.step = static_cast<double>(step);
  args.integer_start = start;
  args.integer_step = step;
  return sequence(op, args, dtype);
}

Tensor linspace(double start, double stop, int64_t count, bool endpoint, DType dtype) {
  Op op("linspace", default_device());
  op.check(count >= 0, "expected at least 0 values, got ", count);
  op.check<DTypeError>(is_floating(dtype), "expected a floating dtype, got ", dtype);
  PydlArangeArgs args = {};
  args.count = count;
  args.start = start;
  args.step = (stop - start) / std::max<int64_t>(endpoint ? count - 1 : count, 1);
  Tensor out = sequence(op, args, dtype);
  if (endpoint && count > 1)  // exactly, whatever the steps rounded to
    assign(slice_view(out, {count - 1}, {1}, {1}), full({}, stop, DType::float64, op.device()));
  return out;
}

Tensor eye(int64_t rows, int64_t columns, int64_t offset, DType dtype) {
  Op op("eye", default_device());
  Tensor out = full({rows, columns}, 0, dtype, op.device());
  Tensor ones = diagonal(out, offset);
  assign(ones, full({}, 1, dtype, op.device()));
  return out;
}

Tensor one_hot(const Tensor& indices, int64_t classes, DType dtype) {
  Op op("one_hot", indices);
  op.check<DTypeError>(is_integer(indices.dtype()), "expected integer indices, got ",
                       indices.dtype());
  op.check(classes >= 0, "expected at least 0 classes, got ", classes);
  Tensor dense = contiguous(cast(indices, DType::int64));
  Tensor one = full({}, 1, dtype);
  Dims shape = indices.shape();
  shape.push_back(classes);
  Tensor out = Tensor::empty(shape, dtype, op.device());
  int32_t size = static_cast<int32_t>(item_size(dtype));
  op.launch(&PydlKernelTable::one_hot,
            PydlOneHotArgs{size, bits_of(one.data(), size), dense.count(), classes,
                           dense.data_as<int64_t>(), out.data()});
  return out;
}

namespace {

Tensor triangle(const char* name, const Tensor& x, int64_t diagonal, bool upper) {
  Op op(name, x);
  op.check<ShapeError>(x.rank() >= 2, "expected at least two axes, got shape ", x.shape());
  Tensor dense = contiguous(x.detach());
  Tensor y = Tensor::empty(x.shape(), x.dtype(), op.device());
  int64_t rows = x.size(x.rank() - 2), columns = x.size(x.rank() - 1);
  // Further out than the matrix is as good as its edge, and does not overflow.
  diagonal = std::min(std::max(diagonal, -rows - 1), columns + 1);
  if (y.count() > 0)
    op.launch(&PydlKernelTable::triangle,
              PydlTriangleArgs{static_cast<int32_t>(item_size(x.dtype())), upper,
                               x.count() / (rows * columns), rows, columns, diagonal, dense.data(),
                               y.data()});
  if (needs_grad(x))
    record(name, {&y}, {&x}, [name, diagonal, upper](Backward& b) {
      b.give(0, triangle(name, b.grad(), diagonal, upper));
    });
  return y;
}

}  // namespace

Tensor tril(const Tensor& x, int64_t diagonal) { return triangle("tril", x, diagonal, false); }
Tensor triu(const Tensor& x, int64_t diagonal) { return triangle("triu", x, diagonal, true); }

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
  op.check_writable(target);
  bool overlaps = source.impl()->storage->overlaps(*target.impl()->storage);
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
