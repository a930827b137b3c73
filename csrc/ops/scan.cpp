#include "ops/scan.h"

#include "ops/axes.h"

namespace pydl {
namespace {

Tensor scan(const Op& op, PydlScanOp kind, const Tensor& x, const Tensor& factors, int axis,
            bool reverse) {
  Tensor dense = contiguous(x.detach()), dense_factors;
  if (factors.defined()) dense_factors = contiguous(factors.detach());
  Tensor out = Tensor::empty(x.shape(), x.dtype(), op.device());
  AroundAxis around(x.shape(), axis);
  op.launch(&PydlKernelTable::scan,
            PydlScanArgs{kind, static_cast<PydlDType>(x.dtype()), around.outer, around.n, around.inner,
                         reverse, dense.data(), factors.defined() ? dense_factors.data() : nullptr,
                         out.data()});
  return out;
}

Tensor widened(const Tensor& x) {
  bool small = x.dtype() == DType::boolean || x.dtype() == DType::int8 || x.dtype() == DType::uint8;
  return small ? cast(x, DType::int32) : x;
}

// y[i] = x[i - 1], or x[i + 1] when `reverse`; 0 comes in at the end that opens.
Tensor shift(const Tensor& x, int axis, bool reverse) {
  Dims begin = Dims::filled(x.rank(), 0), step = Dims::filled(x.rank(), 1), count = x.shape(), to = begin;
  if (count[axis] == 0) return x;
  --count[axis];
  (reverse ? begin : to)[axis] = 1;
  return embed(slice(x, begin, count, step), x.shape(), to, step);
}

// Zeros with a 1 at the end where shift() opens; broadcasts over the other axes.
Tensor one_at_opening(const Tensor& x, int axis, bool reverse) {
  Dims one = Dims::filled(x.rank(), 1), shape = one, at = Dims::filled(x.rank(), 0);
  shape[axis] = x.size(axis);
  if (reverse) at[axis] = std::max<int64_t>(x.size(axis) - 1, 0);
  Tensor value = full(one, 1, x.dtype(), x.device());
  return x.size(axis) ? embed(value, shape, at, one) : full(shape, 0, x.dtype(), x.device());
}

// dx of y = cumprod(x): dx[i] = y[i - 1] r[i], with r[i] = dy[i] + x[i + 1] r[i + 1]. No division, so
// zeros need no care.
Tensor cumprod_gradient(const Tensor& x, const Tensor& y, const Tensor& dy, int axis, bool reverse) {
  Tensor before = add(shift(y, axis, reverse), one_at_opening(y, axis, reverse));
  return multiply(before, linear_scan(shift(x, axis, !reverse), dy, axis, !reverse));
}

}  // namespace

Tensor cumsum(const Tensor& in, int64_t wanted, bool reverse) {
  Tensor x = widened(in);
  Op op("cumsum", x);
  int axis = op.axis(wanted, x.rank());
  Tensor y = scan(op, PYDL_SCAN_sum, x, {}, axis, reverse);
  if (needs_grad(x))
    record("cumsum", {&y}, {&x},
           [axis, reverse](Backward& b) { b.give(0, cumsum(b.grad(), axis, !reverse)); });
  return y;
}

Tensor cumprod(const Tensor& in, int64_t wanted, bool reverse) {
  Tensor x = widened(in);
  Op op("cumprod", x);
  int axis = op.axis(wanted, x.rank());
  Tensor y = scan(op, PYDL_SCAN_prod, x, {}, axis, reverse);
  if (needs_grad(x))
    record("cumprod", {&y}, {&x}, [x = Saved(x), y = SavedOutput(y), axis, reverse](Backward& b) {
      b.give(0, cumprod_gradient(b[x], b[y], b.grad(), axis, reverse));
    });
  return y;
}

Tensor cumprod_before(const Tensor& x, int64_t wanted, bool reverse) {
  Op op("cumprod_before", x);
  int axis = op.axis(wanted, x.rank());
  return add(shift(cumprod(x, axis, reverse), axis, reverse), one_at_opening(x, axis, reverse));
}

Tensor linear_scan(const Tensor& factors, const Tensor& x, int64_t wanted, bool reverse) {
  Op op("linear_scan", factors, x);
  op.check_floating(x);
  op.check<ShapeError>(factors.shape() == x.shape(), "expected factors of shape ", x.shape(), ", got ",
                       factors.shape());
  op.check<DTypeError>(factors.dtype() == x.dtype(), "expected factors of dtype ", x.dtype(), ", got ",
                       factors.dtype());
  int axis = op.axis(wanted, x.rank());
  Tensor y = scan(op, PYDL_SCAN_linear, x, factors, axis, reverse);
  if (needs_grad(factors, x))
    record("linear_scan", {&y}, {&factors, &x},
           [factors = Saved(factors), y = SavedOutput(y), axis, reverse](Backward& b) {
             Tensor dx = linear_scan(shift(b[factors], axis, !reverse), b.grad(), axis, !reverse);
             if (b.needs(0)) b.give(0, multiply(dx, shift(b[y], axis, reverse)));
             if (b.needs(1)) b.give(1, dx);
           });
  return y;
}

}  // namespace pydl
