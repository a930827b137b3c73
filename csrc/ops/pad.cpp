#include "ops/pad.h"

#include <cstring>
#include <vector>

#include "ops/op.h"
#include "ops/ops.h"

namespace pydl {

PadMode pad_mode_from_name(const std::string& name) {
  if (name == "constant") return PadMode::constant;
  if (name == "reflect") return PadMode::reflect;
  if (name == "symmetric") return PadMode::symmetric;
  if (name == "edge") return PadMode::edge;
  fail<ValueError>("[pad] expected mode 'constant', 'reflect', 'symmetric' or 'edge', got '", name,
                   "'");
}

namespace {

int64_t modulo(int64_t a, int64_t b) { return (a % b + b) % b; }

// The entry of an axis that stands at `place`, which may lie outside.
int64_t source(PadMode mode, int64_t place, int64_t extent) {
  if (mode == PadMode::edge || extent == 1)
    return std::min(std::max<int64_t>(place, 0), extent - 1);
  if (mode == PadMode::reflect) {
    int64_t phase = modulo(place, 2 * extent - 2);
    return std::min(phase, 2 * extent - 2 - phase);
  }
  int64_t phase = modulo(place, 2 * extent);
  return std::min(phase, 2 * extent - 1 - phase);
}

std::vector<int64_t> end_sources(PadMode mode, int64_t before, int64_t after, int64_t extent) {
  std::vector<int64_t> sources;
  for (int64_t i = 0; i < before; ++i) sources.push_back(source(mode, i - before, extent));
  for (int64_t i = 0; i < after; ++i) sources.push_back(source(mode, extent + i, extent));
  return sources;
}

// Sums what each element was copied to, one axis after another.
Tensor pad_backward(const Tensor& dy, const Dims& x_shape, const Dims& before, PadMode mode) {
  if (mode == PadMode::constant) return slice(dy, before, x_shape, Dims::filled(x_shape.size(), 1));
  Tensor grad = dy;
  for (int axis = 0; axis < x_shape.size(); ++axis) {
    Dims shape = grad.shape();
    if (shape[axis] == x_shape[axis]) continue;
    Tensor at = Tensor::empty({shape[axis]}, DType::int64);
    for (int64_t i = 0; i < shape[axis]; ++i)
      at.data_as<int64_t>()[i] = source(mode, i - before[axis], x_shape[axis]);
    shape[axis] = x_shape[axis];
    grad = take_backward("pad", grad, to_device(at, dy.device()), shape, axis);
  }
  return grad;
}

Dims padded_shape(const Op& op, const Tensor& x, const Dims& before, const Dims& after) {
  op.check(before.size() == x.rank() && after.size() == x.rank(), "expected widths for each of ",
           x.rank(), " axes, got ", before, " and ", after);
  Dims shape = x.shape();
  for (int i = 0; i < x.rank(); ++i) {
    op.check(before[i] >= 0 && after[i] >= 0, "expected widths of at least 0, got ", before,
             " and ", after);
    bool overflow = __builtin_add_overflow(shape[i], before[i], &shape[i]);
    overflow |= __builtin_add_overflow(shape[i], after[i], &shape[i]);
    op.check(!overflow, "expected smaller widths, got ", before, " and ", after);
  }
  return shape;
}

}  // namespace

Tensor pad(const Tensor& x, const Dims& before, const Dims& after, PadMode mode, double value) {
  Op op("pad", x);
  Dims shape = padded_shape(op, x, before, after);
  if (shape == x.shape()) return x;
  Tensor y = Tensor::empty(shape, x.dtype(), op.device()), dense = contiguous(x.detach());
  Tensor filling = full({}, value, x.dtype());
  PydlPadArgs args = {};
  args.item_size = static_cast<int32_t>(item_size(x.dtype()));
  std::memcpy(&args.value, filling.data(), args.item_size);
  args.x = dense.data();
  args.out = y.data();
  args.block = 1;
  std::vector<int64_t> ends[PYDL_MAX_RANK];
  for (int d = x.rank() - 1; d >= 0; --d) {
    bool padded = shape[d] != x.size(d);
    if (!padded && args.rank == 0) {
      args.block *= x.size(d);
      continue;
    }
    args.rank = std::max(args.rank, d + 1);
    args.x_shape[d] = x.size(d);
    args.before[d] = before[d];
    args.after[d] = after[d];
    if (mode == PadMode::constant || !padded) continue;
    op.check(x.size(d) > 0, "expected elements to copy along axis ", d, ", got shape ", x.shape());
    ends[d] = end_sources(mode, before[d], after[d], x.size(d));
    args.ends[d] = ends[d].data();
  }
  if (y.count() > 0) op.launch(&PydlKernelTable::pad, args);
  if (needs_grad(x))
    record("pad", {&y}, {&x}, [shape = x.shape(), before, mode](Backward& b) {
      b.give(0, pad_backward(b.grad(), shape, before, mode));
    });
  return y;
}

}  // namespace pydl
