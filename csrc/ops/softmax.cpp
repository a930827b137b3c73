#include "ops/softmax.h"

#include "ops/axes.h"

namespace pydl {
namespace {

Tensor softmax_forward(const Op& op, const Tensor& x, int axis, bool log) {
  Tensor rows = to_rows(x.detach(), {axis});
  Tensor y = Tensor::empty(rows.shape(), x.dtype(), op.device());
  int64_t columns = rows.shape().back();
  op.launch(&PydlKernelTable::softmax_forward,
            PydlSoftmaxArgs{static_cast<PydlDType>(x.dtype()), columns ? y.count() / columns : 0,
                            columns, log, rows.data(), y.data()});
  return from_rows(y, {axis});
}

// dx = y (dy - sum(dy y)), or dy - exp(y) sum(dy) for log_softmax. While gradients of gradients are
// recorded it runs as separate ops, otherwise in one kernel.
Tensor softmax_backward(const Tensor& y, const Tensor& dy, int axis, bool log) {
  if (needs_grad(y, dy)) {
    if (log) return subtract(dy, multiply(exp(y), sum(dy, Dims{axis}, true)));
    return multiply(y, subtract(dy, sum(multiply(dy, y), Dims{axis}, true)));
  }
  Op op(log ? "log_softmax_backward" : "softmax_backward", y, dy);
  Tensor y_rows = to_rows(y, {axis}), dy_rows = to_rows(dy, {axis});
  Tensor dx = Tensor::empty(y_rows.shape(), y.dtype(), op.device());
  int64_t columns = dx.shape().back();
  op.launch(&PydlKernelTable::softmax_backward,
            PydlSoftmaxBackwardArgs{static_cast<PydlDType>(y.dtype()),
                                    columns ? dx.count() / columns : 0, columns, log,
                                    y_rows.data(), dy_rows.data(), dx.data()});
  return from_rows(dx, {axis});
}

Tensor softmax_of(const char* name, const Tensor& x, int64_t wanted, bool log) {
  Op op(name, x);
  op.check_floating(x);
  int axis = op.axis(wanted, x.rank());
  Tensor y = softmax_forward(op, x, axis, log);
  if (needs_grad(x))
    record(name, {&y}, {&x}, [y = SavedOutput(y), axis, log](Backward& b) {
      b.give(0, softmax_backward(b[y], b.grad(), axis, log));
    });
  return y;
}

}  // namespace

Tensor softmax(const Tensor& x, int64_t axis) { return softmax_of("softmax", x, axis, false); }
Tensor log_softmax(const Tensor& x, int64_t axis) { return softmax_of("log_softmax", x, axis, true); }

}  // namespace pydl
