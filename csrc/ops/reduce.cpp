#include "ops/reduce.h"

#include "ops/op.h"
#include "ops/ops.h"

namespace pydl {
namespace {

// The shape of the result with reduced extents 1.
Dims kept_shape(const Dims& shape, const Dims& axes) {
  Dims kept = shape;
  for (int64_t axis : axes) kept[static_cast<int>(axis)] = 1;
  return kept;
}

Dims without(const Dims& shape, const Dims& axes) {
  Dims result;
  for (int i = 0; i < shape.size(); ++i)
    if (!axes.contains(i)) result.push_back(shape[i]);
  return result;
}

// Appends a dimension to a coalesced group.
void append(int64_t extent, int64_t stride, int32_t& rank, int64_t* shape, int64_t* strides) {
  if (extent == 1) return;
  if (rank > 0 && strides[rank - 1] == stride * extent) {
    shape[rank - 1] *= extent;
    strides[rank - 1] = stride;
  } else {
    shape[rank] = extent;
    strides[rank++] = stride;
  }
}

Tensor reduce(const Op& op, PydlReduceOp kind, const Tensor& x, const Dims& axes, bool keepdims) {
  Dims kept = kept_shape(x.shape(), axes);
  Tensor out = Tensor::empty(keepdims ? kept : without(x.shape(), axes), x.dtype(), op.device());
  PydlReduceArgs args = {};
  args.op = kind;
  args.dtype = static_cast<PydlDType>(x.dtype());
  args.x = x.data();
  args.out = out.data();
  for (int i = 0; i < x.rank(); ++i) {
    if (axes.contains(i))
      append(x.size(i), x.strides()[i], args.reduced_rank, args.reduced_shape, args.reduced_strides);
    else
      append(x.size(i), x.strides()[i], args.kept_rank, args.kept_shape, args.kept_strides);
  }
  op.launch(&PydlKernelTable::reduce, args);
  return out;
}

// The gradient of a reduction, back at the shape that was reduced.
Tensor expand(const Tensor& grad, const Dims& shape, const Dims& axes) {
  return broadcast_to(reshape(grad, kept_shape(shape, axes)), shape);
}

}  // namespace

Tensor sum(const Tensor& x, const std::optional<Dims>& wanted, bool keepdims) {
  Op op("sum", x);
  Dims axes = op.axes(wanted, x.rank());
  Tensor y = reduce(op, PYDL_REDUCE_sum, x, axes, keepdims);
  if (needs_grad(x))
    record("sum", {&y}, {&x}, [shape = x.shape(), axes](Backward& b) {
      b.give(0, expand(b.grad(), shape, axes));
    });
  return y;
}

Tensor mean(const Tensor& x, const std::optional<Dims>& wanted, bool keepdims) {
  Op op("mean", x);
  op.check_floating(x);
  Dims axes = op.axes(wanted, x.rank());
  Tensor y = reduce(op, PYDL_REDUCE_mean, x, axes, keepdims);
  if (needs_grad(x))
    record("mean", {&y}, {&x}, [shape = x.shape(), axes, count = y.count()](Backward& b) {
      double share = static_cast<double>(count) / std::max<int64_t>(count_elements(shape), 1);
      Tensor scale = full({}, share, b.grad().dtype(), b.grad().device());
      b.give(0, expand(multiply(b.grad(), scale), shape, axes));
    });
  return y;
}

}  // namespace pydl
