#include "ops/statistics.h"

#include <cmath>

#include "ops/axes.h"

namespace pydl {
namespace {

Tensor real(const Tensor& x) { return is_floating(x.dtype()) ? x : cast(x, DType::float32); }
// Whether squares of such values easily overflow.
bool is_half(const Tensor& x) { return x.dtype() == DType::float16 || x.dtype() == DType::bfloat16; }

// The axes as one middle axis of a dense (outer, n, inner) array, where they lie side by side.
bool is_one_axis(const Tensor& x, const Dims& axes) {
  return x.is_contiguous() && axes.size() > 0 && axes.back() - axes[0] == axes.size() - 1;
}

Tensor run_variance(const Op& op, const Tensor& x, const Dims& axes, bool keepdims) {
  Dims shape = reduced_shape(x.shape(), axes, keepdims);
  int64_t n = reduced_count(x.shape(), axes), inner = 1;
  if (n == 0) return full(shape, NAN, x.dtype(), op.device());
  Tensor out = Tensor::empty(shape, x.dtype(), op.device());
  if (out.count() == 0) return out;
  Tensor dense = x.detach();
  if (is_one_axis(x, axes))
    for (int64_t i = axes.back() + 1; i < x.rank(); ++i) inner *= x.size(static_cast<int>(i));
  else
    dense = to_rows(dense, axes);
  op.launch(&PydlKernelTable::variance,
            PydlVarianceArgs{static_cast<PydlDType>(x.dtype()), out.count() / inner, n, inner,
                             dense.data(), out.data()});
  return out;
}

Tensor run_logsumexp(const Op& op, const Tensor& x, const Dims& axes, bool keepdims) {
  Dims shape = reduced_shape(x.shape(), axes, keepdims);
  int64_t columns = reduced_count(x.shape(), axes);
  if (columns == 0) return full(shape, -INFINITY, x.dtype(), op.device());
  Tensor out = Tensor::empty(shape, x.dtype(), op.device());
  if (out.count() == 0) return out;
  Tensor rows = to_rows(x.detach(), axes);
  op.launch(&PydlKernelTable::logsumexp,
            PydlLogSumExpArgs{static_cast<PydlDType>(x.dtype()), out.count(), columns, rows.data(),
                              out.data()});
  return out;
}

Tensor variance(const char* name, const Tensor& in, const Axes& wanted, bool keepdims) {
  Tensor x = real(in);
  Op op(name, x);
  Dims axes = op.axes(wanted, x.rank());
  Tensor y = run_variance(op, x, axes, keepdims);
  if (needs_grad(x))
    record(name, {&y}, {&x}, [x = Saved(x), axes](Backward& b) {
      const Tensor &in = b[x], &dy = b.grad();
      double scale = 2.0 / static_cast<double>(std::max<int64_t>(reduced_count(in.shape(), axes), 1));
      Tensor from_mean = subtract(in, mean(in, axes, true));
      b.give(0, multiply(from_mean, expand(multiply(dy, constant(scale, dy)), in.shape(), axes)));
    });
  return y;
}

}  // namespace

Tensor var(const Tensor& x, const Axes& axes, bool keepdims) {
  return variance("var", x, axes, keepdims);
}

Tensor stddev(const Tensor& x, const Axes& axes, bool keepdims) {
  if (is_half(x)) return cast(stddev(cast(x, DType::float32), axes, keepdims), x.dtype());
  Tensor v = variance("std", x, axes, keepdims);
  Tensor y = sqrt(v.detach());
  if (needs_grad(v))  // 0 where all elements are equal, the middle of all slopes there
    record("std", {&y}, {&v}, [y = SavedOutput(y)](Backward& b) {
      const Tensor &dy = b.grad(), out = b[y];
      Tensor slope = divide(constant(0.5, out), out);
      b.give(0, multiply(dy, where(equal(out, constant(0, out)), constant(0, out), slope)));
    });
  return y;
}

Tensor logsumexp(const Tensor& in, const Axes& wanted, bool keepdims) {
  Tensor x = real(in);
  Op op("logsumexp", x);
  Dims axes = op.axes(wanted, x.rank());
  Tensor y = run_logsumexp(op, x, axes, keepdims);
  if (needs_grad(x))
    record("logsumexp", {&y}, {&x}, [x = Saved(x), y = SavedOutput(y), axes](Backward& b) {
      const Tensor &in = b[x], &dy = b.grad(), out = b[y];
      // exp(x - y), but 0 where everything is -inf.
      Tensor shift = where(equal(out, constant(-INFINITY, out)), constant(0, out), out);
      Tensor share = exp(subtract(in, reshape(shift, kept_shape(in.shape(), axes))));
      b.give(0, multiply(share, expand(dy, in.shape(), axes)));
    });
  return y;
}

Tensor norm(const Tensor& in, const Axes& wanted, bool keepdims) {
  if (is_half(in)) return cast(norm(cast(in, DType::float32), wanted, keepdims), in.dtype());
  Tensor x = real(in);
  Op op("norm", x);
  Dims axes = op.axes(wanted, x.rank());
  Tensor y = sqrt(sum_squares(x.detach(), axes, keepdims));
  if (needs_grad(x))  // 0 at 0, where the norm has a kink
    record("norm", {&y}, {&x}, [x = Saved(x), y = SavedOutput(y), axes](Backward& b) {
      const Tensor &in = b[x], &dy = b.grad(), out = b[y];
      Tensor slope = divide(dy, where(equal(out, constant(0, out)), constant(INFINITY, out), out));
      b.give(0, multiply(in, expand(slope, in.shape(), axes)));
    });
  return y;
}

}  // namespace pydl
