#include "ops/shape.h"

#include "ops/elementwise_plan.h"
#include "ops/op.h"
#include "ops/ops.h"

namespace pydl {
namespace {

// The shape without its -1, which x's element count determines.
Dims resolved(const Op& op, const Tensor& x, const Dims& wanted) {
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
  return shape;
}

// The strides that show x under `shape` without a copy, if its layout has any. Axes of x that lie
// densely one inside the next form a run, and each run must be cut into whole axes of the result.
std::optional<Dims> view_strides(const Tensor& x, const Dims& shape) {
  Dims strides = dense_strides(shape);
  if (x.is_contiguous()) return strides;
  int to = shape.size() - 1;
  int64_t step = 1, run = 1;  // the stride and the elements of the run so far
  for (int i = x.rank() - 1; i >= 0; --i) {
    if (x.size(i) == 1) continue;
    if (run == 1) step = x.strides()[i];
    run *= x.size(i);
    int next = i - 1;
    while (next >= 0 && x.size(next) == 1) --next;
    if (next >= 0 && x.strides()[next] == x.strides()[i] * x.size(i)) continue;
    for (; to >= 0 && (run > 1 || shape[to] == 1); --to) {
      if (run % shape[to] != 0) return {};
      strides[to] = step;
      step *= shape[to];
      run /= shape[to];
    }
    if (run != 1) return {};
  }
  return strides;
}

}  // namespace

Tensor reshape(const Tensor& x, const Dims& wanted) {
  Op op("reshape", x);
  Dims shape = resolved(op, x, wanted);
  std::optional<Dims> strides = view_strides(x, shape);
  Tensor y = strides ? x.view(shape, *strides, x.offset())
                     : copy(x.detach()).view(shape, dense_strides(shape), 0);
  if (needs_grad(x))
    record("reshape", {&y}, {&x},
           [shape = x.shape()](Backward& b) { b.give(0, reshape(b.grad(), shape)); });
  return y;
}

Tensor squeeze(const Tensor& x, const std::optional<Dims>& wanted) {
  Op op("squeeze", x);
  Dims axes = op.axes(wanted, x.rank()), shape;
  for (int i = 0; i < x.rank(); ++i) {
    bool drop = axes.contains(i) && x.size(i) == 1;
    op.check<ShapeError>(drop || !wanted || !axes.contains(i), "expected axis ", i,
                         " to have extent 1, got shape ", x.shape());
    if (!drop) shape.push_back(x.size(i));
  }
  return reshape(x, shape);
}

Tensor expand_dims(const Tensor& x, const Dims& wanted) {
  Op op("expand_dims", x);
  op.check(x.rank() + wanted.size() <= Dims::kMaxRank, "expected at most ", Dims::kMaxRank,
           " axes in the result, got shape ", x.shape(), " and new axes ", wanted);
  Dims shape = x.shape();
  for (int64_t axis : op.axes(wanted, x.rank() + wanted.size()))
    shape.insert(static_cast<int>(axis), 1);
  return reshape(x, shape);
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
    record("permute", {&y}, {&x},
           [inverse](Backward& b) { b.give(0, permute(b.grad(), inverse)); });
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
  op.check<ShapeError>(op.broadcast(x.shape(), shape) == shape,
                       "expected a shape that broadcasts to ", shape, ", got ", x.shape());
  Tensor y = x.view(shape, broadcast_strides(x, shape), x.offset());
  if (needs_grad(x))
    record("broadcast_to", {&y}, {&x}, [shape = x.shape(), dtype = x.dtype()](Backward& b) {
      b.give(0, gradient_for(b.grad(), shape, dtype));
    });
  return y;
}

Tensor slice_view(const Tensor& x, const Dims& begin, const Dims& count, const Dims& step) {
  int rank = x.rank();
  if (begin.size() != rank || count.size() != rank || step.size() != rank)
    fail<ShapeError>("[slice] expected begin, count and step for each of ", rank, " axes, got ",
                     begin, ", ", count, " and ", step);
  Dims strides = x.strides();
  int64_t offset = x.offset();
  for (int i = 0; i < rank; ++i) {
    int64_t extent = x.size(i), last = begin[i] + (count[i] - 1) * step[i];
    bool inside = begin[i] >= 0 && begin[i] < extent && last >= 0 && last < extent;
    if (count[i] < 0 || (count[i] > 0 && !inside))
      fail<IndexError>("[slice] expected a slice inside shape ", x.shape(), ", got begin ", begin,
                       ", count ", count, " and step ", step);
    if (count[i] > 0) offset += begin[i] * strides[i];
    strides[i] *= step[i];
  }
  return x.view(count, strides, offset);
}

Tensor slice(const Tensor& x, const Dims& begin, const Dims& count, const Dims& step) {
  Op op("slice", x);
  Tensor y = slice_view(x, begin, count, step);
  if (needs_grad(x))
    record("slice", {&y}, {&x}, [shape = x.shape(), begin, step](Backward& b) {
      b.give(0, embed(b.grad(), shape, begin, step));
    });
  return y;
}

Tensor flip(const Tensor& x, const std::optional<Dims>& wanted) {
  Op op("flip", x);
  Dims begin = Dims::filled(x.rank(), 0), step = Dims::filled(x.rank(), 1);
  for (int64_t axis : op.axes(wanted, x.rank())) {
    int i = static_cast<int>(axis);
    begin[i] = x.size(i) - 1;
    step[i] = -1;
  }
  return slice(x, begin, x.shape(), step);
}

Tensor embed(const Tensor& x, const Dims& shape, const Dims& begin, const Dims& step,
             double value) {
  Op op("embed", x);
  Tensor y = full(shape, value, x.dtype(), x.device());
  assign(slice_view(y, begin, x.shape(), step), x);
  if (needs_grad(x))
    record("embed", {&y}, {&x}, [shape = x.shape(), begin, step](Backward& b) {
      b.give(0, slice(b.grad(), begin, shape, step));
    });
  return y;
}

namespace {

Tensor diagonal_view(const Tensor& x, int64_t offset, int axis1, int axis2) {
  Dims shape = x.shape(), strides = x.strides();
  int64_t row = std::max<int64_t>(-offset, 0), column = std::max<int64_t>(offset, 0);
  int64_t count = std::min(shape[axis1] - row, shape[axis2] - column);
  int64_t start = x.offset();
  if (count > 0) start += row * strides[axis1] + column * strides[axis2];
  int64_t stride = strides[axis1] + strides[axis2];
  for (int axis : {std::max(axis1, axis2), std::min(axis1, axis2)}) {
    shape.erase(axis);
    strides.erase(axis);
  }
  shape.push_back(std::max<int64_t>(count, 0));
  strides.push_back(stride);
  return x.view(shape, strides, start);
}

// Zeros of `shape` with x as the diagonal: the gradient of diagonal.
Tensor embed_diagonal(const Tensor& x, const Dims& shape, int64_t offset, int axis1, int axis2) {
  Op op("embed_diagonal", x);
  Tensor y = full(shape, 0, x.dtype(), x.device());
  assign(diagonal_view(y, offset, axis1, axis2), x);
  if (needs_grad(x))
    record("embed_diagonal", {&y}, {&x}, [offset, axis1, axis2](Backward& b) {
      b.give(0, diagonal(b.grad(), offset, axis1, axis2));
    });
  return y;
}

}  // namespace

Tensor diagonal(const Tensor& x, int64_t offset, int64_t wanted1, int64_t wanted2) {
  Op op("diagonal", x);
  int axis1 = op.axis(wanted1, x.rank()), axis2 = op.axis(wanted2, x.rank());
  op.check(axis1 != axis2, "expected two different axes, got ", wanted1, " and ", wanted2);
  // Further out than the matrix is as good as its edge, and does not overflow.
  offset = std::min(std::max(offset, -x.size(axis1)), x.size(axis2));
  Tensor y = diagonal_view(x, offset, axis1, axis2);
  if (needs_grad(x))
    record("diagonal", {&y}, {&x}, [shape = x.shape(), offset, axis1, axis2](Backward& b) {
      b.give(0, embed_diagonal(b.grad(), shape, offset, axis1, axis2));
    });
  return y;
}

}  // namespace pydl
