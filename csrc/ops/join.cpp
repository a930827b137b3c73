#include "ops/join.h"

#include "ops/op.h"
#include "ops/ops.h"

namespace pydl {
namespace {

std::vector<DType> dtypes_of(const std::vector<Tensor>& xs) {
  std::vector<DType> dtypes;
  for (const Tensor& x : xs) dtypes.push_back(x.dtype());
  return dtypes;
}

DType promoted(const std::vector<Tensor>& xs) {
  DType dtype = xs[0].dtype();
  for (const Tensor& x : xs) dtype = promote(dtype, x.dtype());
  return dtype;
}

bool any_needs_grad(const std::vector<Tensor>& xs) {
  return std::any_of(xs.begin(), xs.end(), [](const Tensor& x) { return needs_grad(x); });
}

// The view of entries [begin, begin + count) along one axis.
Tensor entries_view(const Tensor& x, int axis, int64_t begin, int64_t count) {
  Dims start = Dims::filled(x.rank(), 0), shape = x.shape();
  start[axis] = begin;
  shape[axis] = count;
  return slice_view(x, start, shape, Dims::filled(x.rank(), 1));
}

Tensor entries(const Tensor& x, int axis, int64_t begin, int64_t count) {
  Dims start = Dims::filled(x.rank(), 0), shape = x.shape();
  start[axis] = begin;
  shape[axis] = count;
  return slice(x, start, shape, Dims::filled(x.rank(), 1));
}

}  // namespace

Tensor concatenate(const std::vector<Tensor>& xs, int64_t wanted) {
  Op op("concatenate", xs);
  op.check(!xs.empty(), "expected at least one tensor, got none");
  int axis = op.axis(wanted, xs[0].rank());
  Dims shape = xs[0].shape();
  std::vector<int64_t> sizes;
  for (const Tensor& x : xs) {
    Dims rest = x.shape();
    if (rest.size() == shape.size()) rest[axis] = shape[axis];
    op.check<ShapeError>(rest == shape, "expected shapes that are equal but for axis ", axis,
                         ", got ", xs[0].shape(), " and ", x.shape());
    sizes.push_back(x.size(axis));
  }
  shape[axis] = 0;
  for (int64_t size : sizes) shape[axis] += size;
  Tensor y = Tensor::empty(shape, promoted(xs), op.device());
  int64_t begin = 0;
  for (size_t i = 0; i < xs.size(); begin += sizes[i++])
    if (xs[i].count() > 0) assign(entries_view(y, axis, begin, sizes[i]), xs[i].detach());
  if (any_needs_grad(xs))
    record("concatenate", {y}, xs, [axis, sizes, dtypes = dtypes_of(xs)](Backward& b) {
      int64_t begin = 0;
      for (size_t i = 0; i < sizes.size(); begin += sizes[i++])
        if (b.needs(i)) b.give(i, cast(entries(b.grad(), axis, begin, sizes[i]), dtypes[i]));
    });
  return y;
}

Tensor stack(const std::vector<Tensor>& xs, int64_t wanted) {
  Op op("stack", xs);
  op.check(!xs.empty(), "expected at least one tensor, got none");
  int axis = op.axis(wanted, xs[0].rank() + 1);
  Dims shape = xs[0].shape();
  shape.insert(axis, static_cast<int64_t>(xs.size()));
  Tensor y = Tensor::empty(shape, promoted(xs), op.device());
  for (size_t i = 0; i < xs.size(); ++i) {
    op.check<ShapeError>(xs[i].shape() == xs[0].shape(), "expected tensors of one shape, got ",
                         xs[0].shape(), " and ", xs[i].shape());
    assign(entries_view(y, axis, i, 1), expand_dims(xs[i].detach(), {axis}));
  }
  if (any_needs_grad(xs))
    record("stack", {y}, xs, [axis, dtypes = dtypes_of(xs)](Backward& b) {
      for (size_t i = 0; i < dtypes.size(); ++i)
        if (b.needs(i))
          b.give(i, cast(squeeze(entries(b.grad(), axis, i, 1), Dims{axis}), dtypes[i]));
    });
  return y;
}

std::vector<Tensor> split(const Tensor& x, const std::vector<int64_t>& sizes, int64_t wanted) {
  Op op("split", x);
  int axis = op.axis(wanted, x.rank());
  std::vector<Tensor> ys;
  int64_t begin = 0;
  for (int64_t size : sizes) {
    ys.push_back(entries_view(x, axis, begin, size));
    begin += size;
  }
  op.check<ShapeError>(begin == x.size(axis), "expected sizes that add up to extent ", x.size(axis),
                       " of axis ", axis, ", got ", begin);
  // One node for all parts, so that their gradients are joined once.
  if (needs_grad(x))
    record("split", ys, {x}, [axis, count = sizes.size()](Backward& b) {
      std::vector<Tensor> grads;
      for (size_t i = 0; i < count; ++i) grads.push_back(b.grad(i));
      b.give(0, concatenate(grads, axis));
    });
  return ys;
}

std::vector<Tensor> unstack(const Tensor& x, int64_t wanted) {
  Op op("unstack", x);
  int axis = op.axis(wanted, x.rank());
  Tensor source = x.detach();
  std::vector<Tensor> ys;
  for (int64_t i = 0; i < x.size(axis); ++i)
    ys.push_back(squeeze(entries_view(source, axis, i, 1), Dims{axis}));
  if (needs_grad(x) && !ys.empty())
    record("unstack", ys, {x}, [axis, count = ys.size()](Backward& b) {
      std::vector<Tensor> grads;
      for (size_t i = 0; i < count; ++i) grads.push_back(b.grad(i));
      b.give(0, stack(grads, axis));
    });
  return ys;
}

namespace {

Tensor roll_axis(const Tensor& x, int64_t shift, int axis) {
  Op op("roll", x);
  int64_t extent = x.size(axis);
  if (x.count() == 0) return x;
  int64_t first = (shift % extent + extent) % extent;  // where entry 0 goes
  Tensor source = x.detach();
  Tensor y = Tensor::empty(x.shape(), x.dtype(), op.device());
  assign(entries_view(y, axis, first, extent - first),
         entries_view(source, axis, 0, extent - first));
  assign(entries_view(y, axis, 0, first), entries_view(source, axis, extent - first, first));
  if (needs_grad(x))
    record("roll", {&y}, {&x},
           [first, axis](Backward& b) { b.give(0, roll_axis(b.grad(), -first, axis)); });
  return y;
}

}  // namespace

Tensor roll(const Tensor& x, const Dims& shifts, const Dims& axes) {
  Op op("roll", x);
  op.check(shifts.size() == axes.size(), "expected a shift for each axis, got ", shifts,
           " and axes ", axes);
  Tensor y = x;
  for (int i = 0; i < axes.size(); ++i) y = roll_axis(y, shifts[i], op.axis(axes[i], x.rank()));
  return y;
}

namespace {

// x as (outer, inner), cut before `axis`.
Tensor as_matrix(const Tensor& x, int axis) {
  int64_t outer = 1;
  for (int i = 0; i < axis; ++i) outer *= x.size(i);
  int64_t inner = 1;
  for (int i = axis; i < x.rank(); ++i) inner *= x.size(i);
  return reshape(x, {outer, inner});
}

// Every row of a matrix `repeats` times after another.
Tensor repeat_rows(const Tensor& matrix, int64_t repeats) {
  int64_t rows = matrix.size(0), columns = matrix.size(1);
  return broadcast_to(reshape(matrix, {rows, 1, columns}), {rows, repeats, columns});
}

}  // namespace

Tensor repeat(const Tensor& x, int64_t repeats, int64_t wanted) {
  Op op("repeat", x);
  op.check(repeats >= 0, "expected at least 0 repeats, got ", repeats);
  int axis = op.axis(wanted, x.rank());
  Dims shape = x.shape();
  op.check(!__builtin_mul_overflow(shape[axis], repeats, &shape[axis]),
           "expected fewer repeats, got ", repeats);
  count_elements(shape);
  Tensor at = Tensor::empty({shape[axis]}, DType::int64);
  int64_t* next = at.data_as<int64_t>();
  for (int64_t i = 0; i < x.size(axis); ++i, next += repeats) std::fill_n(next, repeats, i);
  return take_at("repeat", x, to_device(at, op.device()), axis);
}

Tensor tile(const Tensor& x, const Dims& repeats) {
  Op op("tile", x);
  Dims shape = x.shape(), times = repeats;
  while (shape.size() < times.size()) shape.insert(0, 1);
  while (times.size() < shape.size()) times.insert(0, 1);
  Dims wanted = shape;
  for (int axis = 0; axis < shape.size(); ++axis) {
    op.check(times[axis] >= 0, "expected at least 0 repeats, got ", repeats);
    op.check(!__builtin_mul_overflow(shape[axis], times[axis], &wanted[axis]),
             "expected fewer repeats, got ", repeats);
  }
  count_elements(wanted);
  Tensor y = reshape(x, shape);
  for (int axis = shape.size() - 1; axis >= 0; --axis) {
    if (times[axis] == 1) continue;
    shape[axis] = wanted[axis];
    y = reshape(repeat_rows(as_matrix(y, axis), times[axis]), shape);
  }
  return y;
}

Tensor slice_update(const Tensor& x, const Dims& begin, const Tensor& updates) {
  Op op("slice_update", x, updates);
  op.check<ShapeError>(updates.rank() == x.rank(), "expected updates of rank ", x.rank(),
                       ", got shape ", updates.shape());
  op.check<DTypeError>(promote(x.dtype(), updates.dtype()) == x.dtype(), "expected updates that ",
                       x.dtype(), " can hold, got ", updates.dtype());
  Dims step = Dims::filled(x.rank(), 1);
  Tensor y = copy(x.detach());
  assign(slice_view(y, begin, updates.shape(), step), updates.detach());
  if (needs_grad(x, updates))
    record("slice_update", {&y}, {&x, &updates},
           [begin, step, shape = updates.shape(), dtype = updates.dtype()](Backward& b) {
             const Tensor& grad = b.grad();
             if (b.needs(0))
               b.give(0, slice_update(grad, begin, full(shape, 0, grad.dtype(), grad.device())));
             if (b.needs(1)) b.give(1, cast(slice(grad, begin, shape, step), dtype));
           });
  return y;
}

}  // namespace pydl
