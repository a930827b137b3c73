#include "ops/take.h"

#include "ops/elementwise_plan.h"
#include "ops/op.h"
#include "ops/ops.h"

namespace pydl {
namespace {

// How kernels see a tensor that is indexed along one axis.
struct Blocks {
  int64_t outer = 1, extent, inner = 1;
  Blocks(const Dims& shape, int axis) : extent(shape[axis]) {
    for (int i = 0; i < axis; ++i) outer *= shape[i];
    for (int i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  }
};

// `shape` with one axis replaced by those of `by`.
Dims replaced(const Dims& shape, int axis, const Dims& by) {
  Dims result(shape.begin(), shape.begin() + axis);
  for (int64_t extent : by) result.push_back(extent);
  for (int i = axis + 1; i < shape.size(); ++i) result.push_back(shape[i]);
  return result;
}

Tensor index_operand(const Op& op, const Tensor& indices) {
  op.check<IndexError>(is_integer(indices.dtype()), "expected integer indices, got ",
                       indices.dtype());
  bool native = indices.dtype() == DType::int32 || indices.dtype() == DType::int64;
  return native ? indices : cast(indices, DType::int64);
}

}  // namespace

Tensor positions(const char* name, const std::vector<AxisIndex>& indices, bool wrap) {
  Op op(name, indices[0].indices.device());
  PydlRavelIndexArgs args = {};
  Dims shape;
  std::vector<Tensor> operands;
  for (const AxisIndex& index : indices) {
    operands.push_back(index_operand(op, index.indices));
    shape = op.broadcast(shape, operands.back().shape());
  }
  Tensor out = Tensor::empty(shape, DType::int64, operands[0].device());
  if (out.count() == 0) return out;
  args.operands = static_cast<int32_t>(operands.size());
  args.wrap = wrap;
  args.rank = shape.size();
  std::copy(shape.begin(), shape.end(), args.shape);
  args.out = out.data_as<int64_t>();
  for (size_t k = 0; k < operands.size(); ++k) {
    Dims strides = broadcast_strides(operands[k], shape);
    args.dtypes[k] = static_cast<PydlDType>(operands[k].dtype());
    args.indices[k] = operands[k].data();
    std::copy(strides.begin(), strides.end(), args.strides[k]);
    args.extents[k] = indices[k].extent;
    args.axes[k] = indices[k].axis;
  }
  op.launch(&PydlKernelTable::ravel_index, args);
  return out;
}

Tensor take_backward(const char* name, const Tensor& dy, const Tensor& at, const Dims& shape,
                     int axis) {
  Op op("take_backward", dy);
  Tensor dense = contiguous(dy.detach());
  Tensor dx = Tensor::empty(shape, dy.dtype(), op.device());
  Blocks blocks(shape, axis);
  if (dx.count() > 0)
    op.launch(&PydlKernelTable::take_backward,
              PydlTakeBackwardArgs{static_cast<PydlDType>(dy.dtype()), blocks.outer, blocks.extent,
                                   blocks.inner, at.count(), at.data_as<int64_t>(), dense.data(),
                                   dx.data()});
  if (needs_grad(dy))
    record("take_backward", {&dx}, {&dy},
           [name, at, axis](Backward& b) { b.give(0, take_at(name, b.grad(), at, axis)); });
  return dx;
}

Tensor take_at(const char* name, const Tensor& x, const Tensor& at, int axis) {
  Op op(name, x);
  Tensor dense = contiguous(x.detach());
  Tensor y = Tensor::empty(replaced(x.shape(), axis, at.shape()), x.dtype(), op.device());
  Blocks blocks(x.shape(), axis);
  if (y.count() > 0)
    op.launch(
        &PydlKernelTable::take,
        PydlTakeArgs{static_cast<int64_t>(item_size(x.dtype())), blocks.outer, blocks.extent,
                     blocks.inner, at.count(), at.data_as<int64_t>(), dense.data(), y.data()});
  if (needs_grad(x))
    record(name, {&y}, {&x}, [name, at, axis, shape = x.shape()](Backward& b) {
      b.give(0, take_backward(name, b.grad(), at, shape, axis));
    });
  return y;
}

void put_at(const char* name, const Tensor& x, const Tensor& at, const Tensor& values, int axis) {
  Op op(name, x);
  if (values.count() == 0) return;
  Blocks blocks(x.shape(), axis);
  op.launch(&PydlKernelTable::put,
            PydlPutArgs{static_cast<int64_t>(item_size(x.dtype())), blocks.outer, blocks.extent,
                        blocks.inner, at.count(), at.data_as<int64_t>(), values.data(), x.data()});
  x.impl()->storage->bump_version();
}

Tensor take(const Tensor& x, const Tensor& indices, const std::optional<int64_t>& wanted) {
  if (!wanted) return take(reshape(x, {-1}), indices, 0);
  Op op("take", x, indices);
  int axis = op.axis(*wanted, x.rank());
  return take_at("take", x, positions("take", {{indices, x.size(axis), axis}}), axis);
}

Tensor embedding(const Tensor& weights, const Tensor& indices) {
  Op op("embedding", weights, indices);
  op.check<ShapeError>(weights.rank() == 2,
                       "expected weights of shape (vocabulary, features), got ", weights.shape());
  Tensor at = positions("embedding", {{indices, weights.size(0), 0}}, false);
  return take_at("embedding", weights, at, 0);
}

namespace {

void check_ranks(const Op& op, const Tensor& x, const Tensor& indices) {
  op.check<ShapeError>(x.rank() == indices.rank() && x.rank() > 0,
                       "expected x and indices of one rank of at least 1, got shapes ", x.shape(),
                       " and ", indices.shape());
}

Tensor scatter_at(const Tensor& x, const Tensor& at, const Tensor& updates, int axis);

// x and the checked indices have equal extents on all axes but one.
Tensor gather_at(const Tensor& x, const Tensor& at, int axis) {
  Op op("gather", x);
  Tensor dense = contiguous(x.detach());
  Tensor y = Tensor::empty(at.shape(), x.dtype(), op.device());
  Blocks blocks(x.shape(), axis);
  if (y.count() > 0)
    op.launch(
        &PydlKernelTable::gather,
        PydlGatherArgs{static_cast<int64_t>(item_size(x.dtype())), blocks.outer, blocks.extent,
                       blocks.inner, at.size(axis), at.data_as<int64_t>(), dense.data(), y.data()});
  if (needs_grad(x))
    record("gather", {&y}, {&x}, [at, axis, shape = x.shape()](Backward& b) {
      const Tensor& grad = b.grad();
      Tensor zeros = full(shape, 0, grad.dtype(), grad.device());
      b.give(0, scatter_at(zeros, at, grad, axis));
    });
  return y;
}

Tensor scatter_at(const Tensor& x, const Tensor& at, const Tensor& updates, int axis) {
  if (x.dtype() == DType::float16 || x.dtype() == DType::bfloat16) {  // sums want float32
    Tensor wide = scatter_at(cast(x, DType::float32), at, cast(updates, DType::float32), axis);
    return cast(wide, x.dtype());
  }
  Op op("scatter_add", x, updates);
  Tensor dense = contiguous(updates.detach());
  Tensor y = copy(x.detach());
  Blocks blocks(x.shape(), axis);
  if (at.count() > 0)
    op.launch(&PydlKernelTable::scatter_add,
              PydlScatterAddArgs{static_cast<PydlDType>(x.dtype()), blocks.outer, blocks.extent,
                                 blocks.inner, at.size(axis), at.data_as<int64_t>(), dense.data(),
                                 y.data()});
  if (needs_grad(x, updates))
    record("scatter_add", {&y}, {&x, &updates}, [at, axis](Backward& b) {
      if (b.needs(0)) b.give(0, b.grad());
      if (b.needs(1)) b.give(1, gather_at(b.grad(), at, axis));
    });
  return y;
}

// The extents of `indices`, but x's along the axis; x must hold them.
Dims covered(const Op& op, const Tensor& x, const Tensor& indices, int axis) {
  Dims shape = indices.shape();
  shape[axis] = x.size(axis);
  for (int i = 0; i < x.rank(); ++i)
    op.check<ShapeError>(shape[i] <= x.size(i),
                         "expected indices within the extents of x but for axis ", axis,
                         ", got shape ", indices.shape(), " for ", x.shape());
  return shape;
}

}  // namespace

Tensor gather(const Tensor& x, const Tensor& indices, int64_t wanted) {
  Op op("gather", x, indices);
  check_ranks(op, x, indices);
  int axis = op.axis(wanted, x.rank());
  Dims shape = covered(op, x, indices, axis);
  Tensor at = positions("gather", {{indices, x.size(axis), axis}});
  if (shape == x.shape()) return gather_at(x, at, axis);
  Dims begin = Dims::filled(x.rank(), 0), step = Dims::filled(x.rank(), 1);
  return gather_at(slice(x, begin, shape, step), at, axis);
}

Tensor take_along_axis(const Tensor& x, const Tensor& indices, int64_t wanted) {
  Op op("take_along_axis", x, indices);
  check_ranks(op, x, indices);
  int axis = op.axis(wanted, x.rank());
  Tensor at = positions("take_along_axis", {{indices, x.size(axis), axis}});
  Dims x_shape = x.shape(), at_shape = at.shape();
  x_shape[axis] = at_shape[axis] = 1;
  Dims shape = op.broadcast(x_shape, at_shape);
  shape[axis] = x.size(axis);
  Tensor source = shape == x.shape() ? x : broadcast_to(x, shape);
  shape[axis] = at.size(axis);
  return gather_at(source, contiguous(broadcast_to(at, shape)), axis);
}

Tensor scatter_add(const Tensor& x, const Tensor& indices, const Tensor& updates, int64_t wanted) {
  Op op("scatter_add", x, indices, updates);
  check_ranks(op, x, indices);
  int axis = op.axis(wanted, x.rank());
  Dims shape = covered(op, x, indices, axis);
  Tensor at = positions("scatter_add", {{indices, x.size(axis), axis}});
  op.check<ShapeError>(op.broadcast(updates.shape(), at.shape()) == at.shape(),
                       "expected updates that broadcast to the shape of indices ", at.shape(),
                       ", got ", updates.shape());
  op.check<DTypeError>(promote(x.dtype(), updates.dtype()) == x.dtype(), "expected updates that ",
                       x.dtype(), " can hold, got ", updates.dtype());
  Tensor values = cast(updates, x.dtype());
  if (values.shape() != at.shape()) values = broadcast_to(values, at.shape());
  if (shape == x.shape()) return scatter_at(x, at, values, axis);
  Tensor sums = scatter_at(full(shape, 0, x.dtype(), op.device()), at, values, axis);
  Dims begin = Dims::filled(x.rank(), 0), step = Dims::filled(x.rank(), 1);
  return add(x, embed(sums, x.shape(), begin, step));
}

}  // namespace pydl
