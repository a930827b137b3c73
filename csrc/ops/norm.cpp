#include "ops/norm.h"

#include <algorithm>

#include "ops/op.h"
#include "ops/ops.h"

namespace pydl {
namespace {

// Statistics and parameters are computed in float64 for float64 inputs, in float32 for all others.
DType statistics_dtype(const Tensor& x) {
  return x.dtype() == DType::float64 ? DType::float64 : DType::float32;
}

// How an input is brought before the kernels, and what they do with it.
struct NormLayout {
  Dims order;            // the input's axes as the kernel takes them
  Dims shape;            // its extents then
  Dims reduced;          // the axes of `shape` that statistics run over
  Dims parameter_shape;  // of gamma and beta
  Dims aligned_shape;    // the same elements as they broadcast with `shape`
  double epsilon;
  bool centred = true;
  bool constant_statistics = false;

  Tensor to_kernel(const Tensor& x) const {
    return contiguous(reshape(in_order() ? x : permute(x, order), shape));
  }
  Tensor from_kernel(const Tensor& y, const Dims& x_shape) const {
    if (in_order()) return reshape(y, x_shape);
    Dims permuted, inverse = order;
    for (int i = 0; i < order.size(); ++i) {
      permuted.push_back(x_shape[static_cast<int>(order[i])]);
      inverse[static_cast<int>(order[i])] = i;
    }
    return permute(reshape(y, permuted), inverse);
  }

 private:
  bool in_order() const { return std::is_sorted(order.begin(), order.end()); }
};

// `last` goes behind the other axes, which keep their order.
Dims order_with_last(int rank, const Dims& last) {
  Dims order;
  for (int i = 0; i < rank; ++i)
    if (!last.contains(i)) order.push_back(i);
  for (int64_t axis : last) order.push_back(axis);
  return order;
}

// gamma, beta or a moving statistic, dense and in the dtype of the statistics.
Tensor parameter(const Op& op, const char* name, const Tensor& given, const Dims& shape,
                 const Tensor& x) {
  if (!given.defined()) return given;
  DType dtype = statistics_dtype(x);
  op.check<ShapeError>(given.shape() == shape, "expected ", name, " of shape ", shape,
                       " for an input of shape ", x.shape(), ", got ", given.shape());
  op.check<DTypeError>(is_floating(given.dtype()) && promote(given.dtype(), dtype) == dtype,
                       "expected ", name, " to be ", dtype,
                       " or a narrower floating dtype for an input of ", x.dtype(), ", got ",
                       given.dtype());
  return contiguous(cast(given.detach(), dtype));
}

// The kernel's inputs and outputs, all dense and in its layout.
struct NormForward {
  Tensor x, gamma, beta, y, mean, inverse_std;

  NormForward(const Op& op, const NormLayout& layout, const Tensor& input, const Tensor& scale,
              const Tensor& shift, const Dims& statistics)
      : x(layout.to_kernel(input.detach())),
        gamma(parameter(op, "gamma", scale, layout.parameter_shape, input)),
        beta(parameter(op, "beta", shift, layout.parameter_shape, input)),
        y(Tensor::empty(layout.shape, input.dtype(), op.device())),
        mean(layout.centred ? Tensor::empty(statistics, statistics_dtype(input), op.device())
                            : Tensor()),
        inverse_std(Tensor::empty(statistics, statistics_dtype(input), op.device())) {}

  template <class Args>
  void fill(Args& args) const {
    args.x = x.data();
    args.gamma = data_or_null(gamma);
    args.beta = data_or_null(beta);
    args.y = y.data();
    args.mean = data_or_null(mean);
    args.inverse_std = inverse_std.data();
  }
};

struct NormGradients {
  Tensor x, gamma, beta;
};

// What forward keeps for backward.
template <class Args>
struct NormBackward {
  const char* name;
  Kernel<Args> PydlKernelTable::* kernel;
  Args args;  // with its sizes set
  NormLayout layout;
  Saved x, gamma;
  Tensor mean, inverse_std;
  DType beta_dtype;

  // dx = inverse_std (g - mean(g) - x^ mean(g x^)), with x^ the normalised input and g = dy gamma.
  NormGradients by_kernel(const Backward& b, const Tensor& x, const Tensor& gamma,
                          const Tensor& dy) {
    Op op(name, x, gamma, dy);
    DType dtype = statistics_dtype(x);
    Tensor rows = layout.to_kernel(x), d = layout.to_kernel(dy);
    Tensor scale = gamma.defined() ? contiguous(cast(gamma, dtype)) : gamma;
    NormGradients result;
    if (x.count() == 0) {
      result.gamma = result.beta = full(layout.parameter_shape, 0, dtype, op.device());
      result.x = dy;
      return result;
    }
    if (b.needs(0)) result.x = Tensor::empty(layout.shape, x.dtype(), op.device());
    if (b.needs(1)) result.gamma = Tensor::empty(layout.parameter_shape, dtype, op.device());
    if (b.needs(2)) result.beta = Tensor::empty(layout.parameter_shape, dtype, op.device());
    args.x = rows.data();
    args.gamma = data_or_null(scale);
    args.mean = data_or_null(mean);
    args.inverse_std = inverse_std.data();
    args.dy = d.data();
    args.dx = data_or_null(result.x);
    args.dgamma = data_or_null(result.gamma);
    args.dbeta = data_or_null(result.beta);
    op.launch(kernel, args);
    if (b.needs(0)) result.x = layout.from_kernel(result.x, x.shape());
    return result;
  }

  // The same as separate ops, which can be differentiated.
  NormGradients by_ops(const Tensor& x, const Tensor& gamma, const Tensor& dy) const {
    DType dtype = statistics_dtype(x);
    auto mean_of = [&](const Tensor& t) { return pydl::mean(t, layout.reduced, true); };
    Tensor rows = cast(layout.to_kernel(x), dtype), d = cast(layout.to_kernel(dy), dtype);
    Tensor scale = inverse_std;
    if (layout.constant_statistics) {
      rows = subtract(rows, mean);
    } else {
      if (layout.centred) rows = subtract(rows, mean_of(rows));
      Tensor epsilon = full({}, layout.epsilon, dtype, x.device());
      scale = rsqrt(add(mean_of(multiply(rows, rows)), epsilon));
    }
    Tensor normal = multiply(rows, scale);
    Tensor g = gamma.defined() ? multiply(d, reshape(gamma, layout.aligned_shape)) : d;
    Tensor dx = g;
    if (!layout.constant_statistics) {
      if (layout.centred) dx = subtract(dx, mean_of(g));
      dx = subtract(dx, multiply(normal, mean_of(multiply(g, normal))));
    }
    auto summed = [&](const Tensor& t) {
      return reshape(gradient_for(t, layout.aligned_shape, dtype), layout.parameter_shape);
    };
    return {layout.from_kernel(multiply(dx, scale), x.shape()), summed(multiply(d, normal)),
            summed(d)};
  }

  void operator()(Backward& b) {
    const Tensor &x_in = b[x], &gamma_in = b[gamma], &dy = b.grad();
    NormGradients result = needs_grad(x_in, gamma_in, dy) ? by_ops(x_in, gamma_in, dy)
                                                          : by_kernel(b, x_in, gamma_in, dy);
    if (b.needs(0)) b.give(0, cast(result.x, x_in.dtype()));
    if (b.needs(1)) b.give(1, cast(result.gamma, gamma_in.dtype()));
    if (b.needs(2)) b.give(2, cast(result.beta, beta_dtype));
  }
};

// Brings y back to the layout of x, and records the gradient.
template <class Args>
Tensor finish(const Op& op, const NormForward& forward, const NormLayout& layout, const Tensor& x,
              const Tensor& gamma, const Tensor& beta, Kernel<Args> PydlKernelTable::* kernel,
              const Args& sizes) {
  Tensor y = layout.from_kernel(forward.y, x.shape());
  if (needs_grad(x, gamma, beta)) {
    DType beta_dtype = beta.defined() ? beta.dtype() : x.dtype();
    record(op.name(), {&y}, {&x, &gamma, &beta},
           NormBackward<Args>{op.name(), kernel, sizes, layout, x, gamma, forward.mean,
                              forward.inverse_std, beta_dtype});
  }
  return y;
}

// layer_norm, or rms_norm when not `centred`.
Tensor norm_of_rows(const char* name, const Tensor& x, const Tensor& gamma, const Tensor& beta,
                    const Dims& wanted, double epsilon, bool centred) {
  Op op(name, x, gamma, beta);
  op.check_floating(x);
  op.check(!wanted.empty(), "expected at least one axis, got ()");
  Dims axes = op.axes(wanted, x.rank());
  NormLayout layout;
  layout.order = order_with_last(x.rank(), axes);
  for (int64_t axis : axes) layout.parameter_shape.push_back(x.size(static_cast<int>(axis)));
  int64_t columns = count_elements(layout.parameter_shape),
          rows = columns ? x.count() / columns : 0;
  layout.shape = {rows, columns};
  layout.reduced = {1};
  layout.aligned_shape = {columns};
  layout.epsilon = epsilon;
  layout.centred = centred;

  NormForward forward(op, layout, x, gamma, beta, {rows});
  PydlLayerNormArgs args = {};
  args.dtype = static_cast<PydlDType>(x.dtype());
  args.rows = rows;
  args.columns = columns;
  args.rms = !centred;
  args.epsilon = epsilon;
  forward.fill(args);
  if (x.count() > 0) op.launch(&PydlKernelTable::layer_norm_forward, args);

  PydlLayerNormBackwardArgs sizes = {};
  sizes.dtype = args.dtype;
  sizes.rows = rows;
  sizes.columns = columns;
  sizes.rms = args.rms;
  return finish(op, forward, layout, x, gamma, beta, &PydlKernelTable::layer_norm_backward, sizes);
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, const Dims& axes,
                  double epsilon) {
  return norm_of_rows("layer_norm", x, gamma, beta, axes, epsilon, true);
}

Tensor rms_norm(const Tensor& x, const Tensor& gamma, const Dims& axes, double epsilon) {
  return norm_of_rows("rms_norm", x, gamma, Tensor(), axes, epsilon, false);
}

Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& gamma, const Tensor& beta,
                  int64_t wanted, double epsilon) {
  Op op("group_norm", x, gamma, beta);
  op.check_floating(x);
  op.check<ShapeError>(x.rank() >= 2, "expected a batch of at least 2 dimensions, got shape ",
                       x.shape());
  int axis = op.axis(wanted, x.rank());
  op.check(axis != 0, "expected the axis of channels, got 0, the axis of the batch");
  int64_t channels = x.size(axis), batch = x.size(0);
  op.check(groups >= 1 && channels % groups == 0, "expected a number of groups that divides the ",
           channels, " channels of axis ", axis, ", got ", groups);
  int64_t rows = x.count() > 0 ? x.count() / (batch * channels) : 0;
  NormLayout layout;
  layout.order = order_with_last(x.rank(), {axis});
  layout.shape = {batch, rows, groups, channels / groups};
  layout.reduced = {1, 3};
  layout.parameter_shape = {channels};
  layout.aligned_shape = {groups, channels / groups};
  layout.epsilon = epsilon;

  NormForward forward(op, layout, x, gamma, beta, {batch, groups});
  PydlGroupNormArgs args = {};
  args.dtype = static_cast<PydlDType>(x.dtype());
  args.batch = batch;
  args.rows = rows;
  args.channels = channels;
  args.groups = groups;
  args.epsilon = epsilon;
  forward.fill(args);
  if (x.count() > 0) op.launch(&PydlKernelTable::group_norm_forward, args);

  PydlGroupNormBackwardArgs sizes = {};
  sizes.dtype = args.dtype;
  sizes.batch = batch;
  sizes.rows = rows;
  sizes.channels = channels;
  sizes.groups = groups;
  return finish(op, forward, layout, x, gamma, beta, &PydlKernelTable::group_norm_backward, sizes);
}

namespace {

// A moving statistic as the kernel takes it. What the kernel writes to a converted copy goes back.
class MovingStatistic {
 public:
  MovingStatistic(const Op& op, const char* name, const Tensor& given, const Dims& shape,
                  const Tensor& x)
      : given_(given), used_(parameter(op, name, given, shape, x)) {
    op.check(given.defined(), "expected ", name, ", got None");
    op.check<AutogradError>(!requires_grad(given), "expected ", name,
                            " to be a constant, got a tensor ", "with requires_grad=True");
  }
  void* data() const { return used_.data(); }
  void commit() const {
    if (used_.data() == given_.data())
      given_.impl()->storage->bump_version();
    else
      assign(given_.detach(), used_);
  }

 private:
  Tensor given_, used_;
};

}  // namespace

Tensor batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                  const Tensor& moving_mean, const Tensor& moving_variance, int64_t wanted,
                  double momentum, double epsilon, bool training) {
  Op op("batch_norm", x, gamma, beta, moving_mean, moving_variance);
  op.check_floating(x);
  op.check<ShapeError>(x.rank() >= 2, "expected a batch of at least 2 dimensions, got shape ",
                       x.shape());
  int axis = op.axis(wanted, x.rank());
  int64_t channels = x.size(axis), rows = channels ? x.count() / channels : 0;
  op.check<ShapeError>(!training || rows > 0 || channels == 0,
                       "expected a batch that is not empty for training, got shape ", x.shape());
  NormLayout layout;
  layout.order = order_with_last(x.rank(), {axis});
  layout.shape = {rows, channels};
  layout.reduced = {0};
  layout.parameter_shape = layout.aligned_shape = {channels};
  layout.epsilon = epsilon;
  layout.constant_statistics = !training;
  MovingStatistic mean(op, "moving_mean", moving_mean, {channels}, x);
  MovingStatistic variance(op, "moving_variance", moving_variance, {channels}, x);
  if (training) {
    op.check_writable(moving_mean);
    op.check_writable(moving_variance);
  }

  NormForward forward(op, layout, x, gamma, beta, {channels});
  PydlBatchNormArgs args = {};
  args.dtype = static_cast<PydlDType>(x.dtype());
  args.rows = rows;
  args.channels = channels;
  args.epsilon = epsilon;
  args.momentum = momentum;
  args.training = training;
  args.moving_mean = mean.data();
  args.moving_variance = variance.data();
  forward.fill(args);
  if (x.count() > 0) op.launch(&PydlKernelTable::batch_norm_forward, args);
  if (training) {
    mean.commit();
    variance.commit();
  }

  PydlBatchNormBackwardArgs sizes = {};
  sizes.dtype = args.dtype;
  sizes.rows = rows;
  sizes.channels = channels;
  sizes.training = training;
  return finish(op, forward, layout, x, gamma, beta, &PydlKernelTable::batch_norm_backward, sizes);
}

}  // namespace pydl
