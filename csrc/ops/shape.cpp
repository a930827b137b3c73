#include "ops/shape.h"

#include "ops/elementwise_plan.h"
#include "ops/op.h"
#include "ops/ops.h"

namespace pydl {

Tensor reshape(const Tensor& x, const Dims& wanted) {
  Op op("reshape", x);
  Dims shape = wanted;
  int unknown = -1;
  int64_t known = 1;
  for (int i = 0; i < shape.size(); ++i) {
    if (shape[i] == -1) {
      op.check<ShapeError>(unknown < 0, "expected at most one -1, got ", wanted);
      unknown = i;
    } else {
      op.check<ShapeError>(shape[i] >= 0, "expected extents of at least 0 or one -1, got ", wanted);
      if (__builtin_mul_overflow(known, shape[i], &known)) known = -2;
    }
  }
  if (unknown >= 0 && known > 0 && x.count() % known == 0) shape[unknown] = x.count() / known;
  bool fits = known >= 0 && (unknown < 0 ? known == x.count() : shape[unknown] >= 0);
  op.check<ShapeError>(fits, "expected a shape with the ", x.count(), " elements of ", x.shape(),
                       ", got ", wanted);
  Tensor dense = contiguous(x.is_contiguous() ? x : x.detach());
  Tensor y = dense.view(shape, dense_strides(shape), dense.offset());
  if (needs_grad(x))
    record("reshape", {&y}, {&x},
           [shape = x.shape()](Backward& b) { b.give(0, reshape(b.grad(), shape)); });
  return y;
}

Tensor permute(const Tensor& x, const Dims& wanted) {
  Op op("permute", x);
  op.check(wanted.size() == x.rank(), "expected ", x.rank(), " axes, got ", wanted);
  op.axes(wanted, x.rank());
  Dims shape, strides, inverse = wanted;
  for (int i = 0; i < x.rank(); ++i) {
    int axis = op.axis(wanted[i], x.rank());
    shape.push_back(x.size(axis));
    strides.push_back(x.strides()[axis]);
    inverse[axis] = i;
  }
  Tensor y = x.view(shape, strides, x.offset());
  if (needs_grad(x))
    record("permute", {&y}, {&x}, [inverse](Backward& b) { b.give(0, permute(b.grad(), inverse)); });
  return y;
}

namespace {

Tensor slice_view(const Op& op, const Tensor& x, const Dims& begin, const Dims& count,
                  const Dims& step) {
  op.check<ShapeError>(begin.size() == x.rank() && count.size() == x.rank() && step.size() == x.rank(),
                       "expected begin, count and step for each of ", x.rank(), " axes, got ", begin,
                       ", ", count, " and ", step);
  Dims strides = x.strides();
  int64_t offset = x.offset();
  for (int i = 0; i < x.rank(); ++i) {
    int64_t last = begin[i] + (count[i] - 1) * step[i];
    bool inside = count[i] == 0 || (begin[i] >= 0 && begin[i] < x.size(i) && last >= 0 && last < x.size(i));
    op.check<IndexError>(count[i] >= 0 && inside, "expected a slice inside shape ", x.shape(),
                         ", got begin ", begin, ", count ", count, " and step ", step);
    if (count[i] > 0) offset += begin[i] * strides[i];
    strides[i] *= step[i];
  }
  return x.view(count, strides, offset);
}

}  // namespace

Tensor slice(const Tensor& x, const Dims& begin, const Dims& count, const Dims& step) {
  Op op("slice", x);
  Tensor y = slice_view(op, x, begin, count, step);
  if (needs_grad(x))
    record("slice", {&y}, {&x}, [shape = x.shape(), begin, step](Backward& b) {
      b.give(0, embed(b.grad(), shape, begin, step));
    });
  return y;
}

Tensor embed(const Tensor& x, const Dims& shape, const Dims& begin, const Dims& step) {
  Op op("embed", x);
  Tensor y = full(shape, 0, x.dtype(), x.device());
  assign(slice_view(op, y, begin, x.shape(), step), x);
  if (needs_grad(x))
    record("embed", {&y}, {&x}, [shape = x.shape(), begin, step](Backward& b) {
      b.give(0, slice(b.grad(), begin, shape, step));
    });
  return y;
}

namespace {

std::vector<DType> dtypes_of(const std::vector<Tensor>& xs) {
  std::vector<DType> dtypes;
  for (const Tensor& x : xs) dtypes.push_back(x.dtype());
  return dtypes;
}

}  // namespace

Tensor stack(const std::vector<Tensor>& xs, int64_t wanted) {
  Op op("stack", xs);
  op.check(!xs.empty(), "expected at least one tensor, got none");
  DType dtype = xs[0].dtype();
  bool grad = false;
  for (const Tensor& x : xs) {
    op.check<ShapeError>(x.shape() == xs[0].shape(), "expected tensors of one shape, got ",
                         xs[0].shape(), " and ", x.shape());
    dtype = promote(dtype, x.dtype());
    grad |= needs_grad(x);
  }
  int axis = op.axis(wanted, xs[0].rank() + 1);
  Dims shape = xs[0].shape();
  shape.insert(axis, static_cast<int64_t>(xs.size()));
  Tensor y = Tensor::empty(shape, dtype, op.device());
  // Where input i goes in y, with the new axis kept as an axis of 1.
  Dims begin = Dims::filled(shape.size(), 0), step = Dims::filled(shape.size(), 1), part = shape;
  part[axis] = 1;
  for (size_t i = 0; i < xs.size(); ++i) {
    begin[axis] = static_cast<int64_t>(i);
    assign(slice_view(op, y, begin, part, step), reshape(xs[i].detach(), part));
  }
  if (grad)
    record("stack", {y}, xs, [axis, step, part, shape = xs[0].shape(), count = xs.size(),
                              dtypes = dtypes_of(xs)](Backward& b) {
      Dims begin = Dims::filled(part.size(), 0);
      for (size_t i = 0; i < count; ++i) {
        begin[axis] = static_cast<int64_t>(i);
        if (b.needs(i)) b.give(i, cast(reshape(slice(b.grad(), begin, part, step), shape), dtypes[i]));
      }
    });
  return y;
}

Tensor swap_last(const Tensor& x) {
  Dims axes;
  for (int i = 0; i < x.rank(); ++i) axes.push_back(i);
  std::swap(axes[x.rank() - 1], axes[x.rank() - 2]);
  return permute(x, axes);
}

Tensor broadcast_to(const Tensor& x, const Dims& shape) {
  Op op("broadcast_to", x);
  count_elements(shape);
  op.check<ShapeError>(op.broadcast(x.shape(), shape) == shape, "expected a shape that broadcasts to ",
                       shape, ", got ", x.shape());
  Tensor y = x.view(shape, broadcast_strides(x, shape), x.offset());
  if (needs_grad(x))
    record("broadcast_to", {&y}, {&x}, [shape = x.shape(), dtype = x.dtype()](Backward& b) {
      b.give(0, gradient_for(b.grad(), shape, dtype));
    });
  return y;
}

}  // namespace pydl
