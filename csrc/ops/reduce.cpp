#include "ops/reduce.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "ops/axes.h"

namespace pydl {
namespace {

// Dimensions from the longest stride to the shortest: the order in which memory is best walked.
Dims by_stride(const Tensor& x, const Dims& axes) {
  Dims order = axes;
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return std::abs(x.strides()[static_cast<int>(a)]) > std::abs(x.strides()[static_cast<int>(b)]);
  });
  return order;
}

// Adds dimensions to a group, merged where two are walked as one.
void coalesce(const Tensor& x, const Dims& axes, int32_t& rank, int64_t* shape, int64_t* strides) {
  for (int64_t axis : axes) {
    int64_t extent = x.size(static_cast<int>(axis)), stride = x.strides()[static_cast<int>(axis)];
    if (extent == 1) continue;
    if (rank > 0 && strides[rank - 1] == stride * extent) {
      shape[rank - 1] *= extent;
      strides[rank - 1] = stride;
    } else {
      shape[rank] = extent;
      strides[rank++] = stride;
    }
  }
}

// An uninitialised result that is dense when its dimensions are walked in the order `kept` of those of
// x; so a permuted view of x gives a permuted result.
Tensor empty_result(const Tensor& x, const Dims& kept, const Dims& axes, bool keepdims, DType dtype,
                    Device device) {
  Dims shape = reduced_shape(x.shape(), axes, keepdims);
  Tensor out = Tensor::empty(shape, dtype, device);
  if (std::is_sorted(kept.begin(), kept.end())) return out;
  Dims strides = Dims::filled(x.rank(), 1);
  int64_t step = 1;
  for (int i = kept.size() - 1; i >= 0; --i) {
    strides[static_cast<int>(kept[i])] = step;
    step *= x.size(static_cast<int>(kept[i]));
  }
  return out.view(shape, keepdims ? strides : without_axes(strides, axes), 0);
}

// Of zero elements each.
Tensor empty_reduction(const Op& op, PydlReduceOp kind, const Tensor& x, const Dims& shape, DType dtype) {
  op.check(kind != PYDL_REDUCE_max && kind != PYDL_REDUCE_min,
           "expected at least one element along the reduced axes, got shape ", x.shape());
  double nan = std::numeric_limits<double>::quiet_NaN();
  double value = kind == PYDL_REDUCE_mean ? nan : kind == PYDL_REDUCE_prod ? 1 : 0;
  return full(shape, value, dtype, op.device());
}

Tensor reduce(const Op& op, PydlReduceOp kind, const Tensor& x, const Dims& axes, bool keepdims,
              DType dtype) {
  if (reduced_count(x.shape(), axes) == 0)
    return empty_reduction(op, kind, x, reduced_shape(x.shape(), axes, keepdims), dtype);
  Dims others;
  for (int i = 0; i < x.rank(); ++i)
    if (!axes.contains(i)) others.push_back(i);
  Dims kept = by_stride(x, others);
  Tensor out = empty_result(x, kept, axes, keepdims, dtype, op.device());
  if (out.count() == 0) return out;
  PydlReduceArgs args = {};
  args.op = kind;
  args.dtype = static_cast<PydlDType>(x.dtype());
  args.x = x.data();
  args.out = out.data();
  coalesce(x, kept, args.kept_rank, args.kept_shape, args.kept_strides);
  coalesce(x, by_stride(x, axes), args.reduced_rank, args.reduced_shape, args.reduced_strides);
  op.launch(&PydlKernelTable::reduce, args);
  return out;
}

DType total_dtype(DType dtype) {
  bool small = dtype == DType::boolean || dtype == DType::int8 || dtype == DType::uint8;
  return small ? DType::int32 : dtype;
}

// dx of prod: dy times the product of all other elements, as the product of those before and those
// after, which needs no division and so no care for zeros.
Tensor prod_gradient(const Tensor& x, const Tensor& dy, const Dims& axes) {
  Dims order = axes_last(x.rank(), axes);
  Tensor rows = permute(x, order);
  Dims rows_shape = rows.shape(), flat_shape = without_axes(x.shape(), axes);
  flat_shape.push_back(reduced_count(x.shape(), axes));
  Tensor flat = reshape(rows, flat_shape);
  Tensor others = multiply(cumprod_before(flat, -1), cumprod_before(flat, -1, true));
  Tensor back = permute(reshape(others, rows_shape), inverse_of(order));
  return multiply(back, expand(dy, x.shape(), axes));
}

Tensor extremum(const char* name, PydlReduceOp kind, const Tensor& x, const Axes& wanted, bool keepdims) {
  Op op(name, x);
  Dims axes = op.axes(wanted, x.rank());
  Tensor y = reduce(op, kind, x, axes, keepdims, x.dtype());
  if (needs_grad(x))
    record(name, {&y}, {&x}, [x = Saved(x), y = SavedOutput(y), axes](Backward& b) {
      const Tensor &in = b[x], &dy = b.grad();
      Dims kept = kept_shape(in.shape(), axes);
      Tensor wins = equal(in.detach(), reshape(b[y].detach(), kept));
      Tensor ties = cast(count_nonzero(wins, axes, true), dy.dtype());
      Tensor share = divide(reshape(dy, kept), ties);
      b.give(0, where(wins, share, constant(0, dy)));
    });
  return y;
}

Tensor count(const Op& op, const Tensor& x, const Dims& axes, bool keepdims) {
  op.check(reduced_count(x.shape(), axes) <= std::numeric_limits<int32_t>::max(),
           "expected fewer than 2^31 elements along the reduced axes, got shape ", x.shape());
  return reduce(op, PYDL_REDUCE_count_nonzero, x, axes, keepdims, DType::int32);
}

Tensor arg_extremum(const char* name, bool largest, const Tensor& x, std::optional<int64_t> wanted,
                    bool keepdims) {
  Op op(name, x);
  if (!wanted) {
    Tensor position = arg_extremum(name, largest, reshape(x.detach(), {x.count()}), 0, false);
    return keepdims ? reshape(position, Dims::filled(x.rank(), 1)) : position;
  }
  int axis = op.axis(*wanted, x.rank());
  op.check(x.size(axis) > 0 && x.size(axis) <= std::numeric_limits<int32_t>::max(),
           "expected 1 to 2^31 - 1 elements along axis ", axis, ", got shape ", x.shape());
  Tensor dense = contiguous(x.detach());
  Tensor out = Tensor::empty(reduced_shape(x.shape(), {axis}, keepdims), DType::int32, op.device());
  if (out.count() == 0) return out;
  AroundAxis around(x.shape(), axis);
  op.launch(&PydlKernelTable::arg_reduce,
            PydlArgReduceArgs{static_cast<PydlDType>(x.dtype()), largest, around.outer, around.n,
                              around.inner, dense.data(), out.data_as<int32_t>()});
  return out;
}

}  // namespace

Tensor sum(const Tensor& x, const Axes& wanted, bool keepdims) {
  Op op("sum", x);
  Dims axes = op.axes(wanted, x.rank());
  Tensor y = reduce(op, PYDL_REDUCE_sum, x, axes, keepdims, total_dtype(x.dtype()));
  if (needs_grad(x))
    record("sum", {&y}, {&x}, [shape = x.shape(), axes](Backward& b) {
      b.give(0, expand(b.grad(), shape, axes));
    });
  return y;
}

Tensor mean(const Tensor& x, const Axes& wanted, bool keepdims) {
  if (!is_floating(x.dtype())) return mean(cast(x, DType::float32), wanted, keepdims);
  Op op("mean", x);
  Dims axes = op.axes(wanted, x.rank());
  Tensor y = reduce(op, PYDL_REDUCE_mean, x, axes, keepdims, x.dtype());
  if (needs_grad(x))
    record("mean", {&y}, {&x}, [shape = x.shape(), axes](Backward& b) {
      const Tensor& dy = b.grad();
      double count = static_cast<double>(std::max<int64_t>(reduced_count(shape, axes), 1));
      b.give(0, expand(divide(dy, constant(count, dy)), shape, axes));
    });
  return y;
}

Tensor prod(const Tensor& x, const Axes& wanted, bool keepdims) {
  Op op("prod", x);
  Dims axes = op.axes(wanted, x.rank());
  Tensor y = reduce(op, PYDL_REDUCE_prod, x, axes, keepdims, total_dtype(x.dtype()));
  if (needs_grad(x))
    record("prod", {&y}, {&x},
           [x = Saved(x), axes](Backward& b) { b.give(0, prod_gradient(b[x], b.grad(), axes)); });
  return y;
}

Tensor sum_abs(const Tensor& x, const Axes& wanted, bool keepdims) {
  Op op("sum_abs", x);
  Dims axes = op.axes(wanted, x.rank());
  Tensor y = reduce(op, PYDL_REDUCE_sum_abs, x, axes, keepdims, total_dtype(x.dtype()));
  if (needs_grad(x))
    record("sum_abs", {&y}, {&x}, [x = Saved(x), axes](Backward& b) {
      b.give(0, multiply(sign(b[x]), expand(b.grad(), b[x].shape(), axes)));
    });
  return y;
}

Tensor sum_squares(const Tensor& x, const Axes& wanted, bool keepdims) {
  Op op("sum_squares", x);
  Dims axes = op.axes(wanted, x.rank());
  Tensor y = reduce(op, PYDL_REDUCE_sum_squares, x, axes, keepdims, total_dtype(x.dtype()));
  if (needs_grad(x))
    record("sum_squares", {&y}, {&x}, [x = Saved(x), axes](Backward& b) {
      const Tensor& dy = b.grad();
      Tensor twice = multiply(dy, constant(2, dy));
      b.give(0, multiply(b[x], expand(twice, b[x].shape(), axes)));
    });
  return y;
}

Tensor max(const Tensor& x, const Axes& axes, bool keepdims) {
  return extremum("max", PYDL_REDUCE_max, x, axes, keepdims);
}
Tensor min(const Tensor& x, const Axes& axes, bool keepdims) {
  return extremum("min", PYDL_REDUCE_min, x, axes, keepdims);
}

Tensor count_nonzero(const Tensor& x, const Axes& wanted, bool keepdims) {
  Op op("count_nonzero", x);
  return count(op, x, op.axes(wanted, x.rank()), keepdims);
}

Tensor any(const Tensor& x, const Axes& wanted, bool keepdims) {
  Op op("any", x);
  Tensor hits = count(op, x, op.axes(wanted, x.rank()), keepdims);
  return cast(hits, DType::boolean);
}

Tensor all(const Tensor& x, const Axes& wanted, bool keepdims) {
  Op op("all", x);
  Dims axes = op.axes(wanted, x.rank());
  Tensor hits = count(op, x, axes, keepdims);
  return equal(hits, full_integer({}, reduced_count(x.shape(), axes), DType::int32, op.device()));
}

Tensor argmax(const Tensor& x, std::optional<int64_t> axis, bool keepdims) {
  return arg_extremum("argmax", true, x, axis, keepdims);
}
Tensor argmin(const Tensor& x, std::optional<int64_t> axis, bool keepdims) {
  return arg_extremum("argmin", false, x, axis, keepdims);
}

}  // namespace pydl
