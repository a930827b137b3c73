#include "ops/loss.h"

#include <utility>

#include "ops/creation.h"
#include "ops/elementwise.h"
#include "ops/op.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/softmax.h"
#include "pydl/kernels/loss.h"

namespace pydl {
namespace {

// How many losses become one number.
struct Reduction {
  bool fused;     // whether there is one result
  double factor;  // what the sum is multiplied with

  Reduction(const Op& op, const std::string& name, int64_t count)
      : fused(name != "none"), factor(name == "mean" ? 1.0 / static_cast<double>(count) : 1.0) {
    op.check(name == "none" || name == "mean" || name == "sum",
             "expected reduction none, mean or sum, got '", name, "'");
  }
};

// --- cross entropy over classes -----------------------------------------------------------------

struct CrossEntropy {
  const char* name;
  const char* backward_name;
  bool from_logits;
  double label_smoothing, epsilon;
};

// Labels as the kernel takes them: int32, int64, or the dtype of the scores.
Tensor checked_labels(const Op& op, const Tensor& scores, const Tensor& labels) {
  op.check<AutogradError>(!needs_grad(labels),
                          "expected labels without a gradient, got requires_grad=True. "
                          "Pass labels.detach()");
  if (is_floating(labels.dtype())) {
    op.check<ShapeError>(labels.shape() == scores.shape(),
                         "expected one distribution of labels for each row of scores ",
                         scores.shape(), ", got labels ", labels.shape());
    return contiguous(cast(labels, scores.dtype()));
  }
  Dims rows = scores.shape();
  rows.pop_back();
  op.check<ShapeError>(labels.shape() == rows, "expected integer labels of shape ", rows,
                       " for scores ", scores.shape(), ", got ", labels.shape());
  return contiguous(labels.dtype() == DType::int64 ? labels : cast(labels, DType::int32));
}

template <class Args>
void describe(Args& args, const CrossEntropy& loss, const Tensor& scores, const Tensor& labels) {
  args.dtype = static_cast<PydlDType>(scores.dtype());
  args.label_dtype = static_cast<PydlDType>(labels.dtype());
  args.columns = scores.shape().back();
  args.rows = scores.count() / args.columns;
  args.scores = scores.data();
  args.from_logits = loss.from_logits;
  args.labels = labels.data();
  args.label_smoothing = loss.label_smoothing;
  args.epsilon = loss.epsilon;
}

// The gradient by ops, for gradients of gradients.
Tensor recorded_backward(const CrossEntropy& loss, const Tensor& x, const Tensor& labels,
                         const Tensor& dy, Reduction reduction) {
  const Dims last{x.rank() - 1};
  const auto total = [&](const Tensor& values) { return sum(values, last, true); };
  int64_t classes = x.shape().back();
  Tensor t = is_floating(labels.dtype()) ? labels : one_hot(labels, classes, x.dtype());
  t = add(multiply(t, constant(1 - loss.label_smoothing, x)),
          constant(loss.label_smoothing / static_cast<double>(classes), x));
  Tensor slope;
  if (loss.from_logits) {
    slope = subtract(multiply(softmax(x, -1), total(t)), t);
  } else {
    Tensor size = total(x), q = divide(x, size), p = clip(q, loss.epsilon, 1 - loss.epsilon);
    Tensor u = where(equal(p, q), neg(divide(t, p)), constant(0, x));
    slope = divide(subtract(u, total(multiply(u, q))), size);
  }
  Dims rows = dy.shape();
  if (!reduction.fused) rows.push_back(1);
  return multiply(multiply(reshape(dy, rows), constant(reduction.factor, x)), slope);
}

Tensor cross_entropy_backward(const CrossEntropy& loss, const Tensor& given, const Tensor& labels,
                              const Tensor& normalizers, const Tensor& dy, Reduction reduction) {
  if (needs_grad(given, dy)) return recorded_backward(loss, given, labels, dy, reduction);
  Op op(loss.backward_name, given, dy);
  Tensor scores = contiguous(given), dlosses = contiguous(dy);
  Tensor dscores = Tensor::empty(scores.shape(), scores.dtype(), op.device());
  PydlCrossEntropyBackwardArgs args{};
  describe(args, loss, scores, labels);
  args.normalizers = data_or_null(normalizers);
  args.dlosses = dlosses.data();
  args.dlosses_stride = !reduction.fused;
  args.factor = reduction.factor;
  args.dscores = dscores.data();
  op.launch(&PydlKernelTable::cross_entropy_backward, args);
  return dscores;
}

// Where forward writes the gradient too, while it has a row in the cache; else nothing. Short rows gain
// nothing; and in 16 bits what is small would be lost before a scaled loss makes it larger.
Tensor room_for_gradient(const Op& op, const CrossEntropy& loss, const Tensor& x,
                         const Reduction& reduction) {
  bool precise = x.dtype() == DType::float32 || x.dtype() == DType::float64;
  bool wanted = needs_grad(x) && loss.from_logits && reduction.fused;
  bool here = op.device().type == DeviceType::cpu;
  if (!wanted || !precise || !here || x.shape().back() < 128) return {};
  return Tensor::empty(x.shape(), x.dtype(), op.device());
}

// Under a lock, as several threads may run backward() on one graph.
Tensor taken(Tensor& kept) {
  auto lock = lock_gradients();
  return std::exchange(kept, Tensor());
}

// The gradient that forward wrote for a dy of 1, which it becomes in place.
Tensor rescaled(const CrossEntropy& loss, Tensor dscores, const Tensor& dy) {
  Op op(loss.backward_name, dscores, dy);
  PydlCrossEntropyBackwardArgs args{};
  args.dtype = static_cast<PydlDType>(dscores.dtype());
  args.columns = dscores.shape().back();
  args.rows = dscores.count() / args.columns;
  args.dlosses = dy.data();
  args.dscores = dscores.data();
  op.launch(&PydlKernelTable::cross_entropy_backward, args);
  return dscores;
}

Tensor cross_entropy(const CrossEntropy& loss, const Tensor& given, const Tensor& given_labels,
                     const std::string& reduction_name) {
  Op op(loss.name, given, given_labels);
  op.check_floating(given);
  op.check<ShapeError>(given.rank() > 0 && given.shape().back() > 0,
                       "expected scores (..., classes) with at least one class, got shape ",
                       given.shape());
  Tensor scores = contiguous(given.detach()), labels = checked_labels(op, given, given_labels);
  Dims rows = given.shape();
  rows.pop_back();
  Reduction reduction(op, reduction_name, given.count() / given.shape().back());
  Tensor y = Tensor::empty(reduction.fused ? Dims{} : rows, given.dtype(), op.device());
  Tensor normalizers;
  if (loss.from_logits) {
    DType dtype = given.dtype() == DType::float64 ? DType::float64 : DType::float32;
    normalizers = Tensor::empty({2, given.count() / given.shape().back()}, dtype, op.device());
  }
  PydlCrossEntropyArgs args{};
  describe(args, loss, scores, labels);
  (reduction.fused ? args.total : args.losses) = y.data();
  args.factor = reduction.factor;
  args.normalizers = data_or_null(normalizers);
  Tensor dscores = room_for_gradient(op, loss, given, reduction);
  args.dscores = data_or_null(dscores);
  op.launch(&PydlKernelTable::cross_entropy, args);
  if (needs_grad(given))
    record(loss.name, {&y}, {&given},
           [loss, x = Saved(given), labels = Saved(labels), normalizers, reduction,
            dscores](Backward& b) mutable {
             // The first backward() takes what forward wrote; those after it compute anew.
             Tensor written;
             if (!needs_grad(b[x], b.grad())) written = taken(dscores);
             b.give(0, written.defined() ? rescaled(loss, written, b.grad())
                                         : cross_entropy_backward(loss, b[x], b[labels], normalizers,
                                                                  b.grad(), reduction));
           });
  return y;
}

// --- pairs of numbers ---------------------------------------------------------------------------

struct PairLoss {
  const char* name;
  const char* backward_name;
  PydlPairLoss kind;
  double parameter;
  bool symmetric;  // whether the gradient by the target is minus that by the prediction
};

template <class Args>
void describe(Args& args, const PairLoss& loss, const Tensor& x, const Tensor& t) {
  args.loss = loss.kind;
  args.dtype = static_cast<PydlDType>(x.dtype());
  args.count = x.count();
  args.x = x.data();
  args.t = t.data();
  args.parameter = loss.parameter;
}

// The derivative by x in ops, for gradients of gradients.
Tensor recorded_slope(const PairLoss& loss, const Tensor& x, const Tensor& t) {
  switch (loss.kind) {
    case PYDL_SQUARED_ERROR: return multiply(subtract(x, t), constant(2, x));
    case PYDL_ABSOLUTE_ERROR: return sign(subtract(x, t));
    case PYDL_HUBER: return clip(subtract(x, t), -loss.parameter, loss.parameter);
    case PYDL_SIGMOID_BINARY_CROSS_ENTROPY: return subtract(sigmoid(x), t);
    default: break;
  }
  Tensor p = clip(x, loss.parameter, 1 - loss.parameter);
  Tensor slope = divide(subtract(p, t), multiply(p, subtract(constant(1, x), p)));
  return where(equal(p, x), slope, constant(0, x));
}

Tensor pair_loss_backward(const PairLoss& loss, const Tensor& x, const Tensor& t, const Tensor& dy,
                          Reduction reduction) {
  if (needs_grad(x, t, dy))
    return multiply(multiply(dy, constant(reduction.factor, x)), recorded_slope(loss, x, t));
  Op op(loss.backward_name, x, t, dy);
  Tensor dense_x = contiguous(x), dense_t = contiguous(t), dlosses = contiguous(dy);
  Tensor dx = Tensor::empty(x.shape(), x.dtype(), op.device());
  PydlPairLossBackwardArgs args{};
  describe(args, loss, dense_x, dense_t);
  args.dlosses = dlosses.data();
  args.dlosses_stride = !reduction.fused;
  args.factor = reduction.factor;
  args.dx = dx.data();
  op.launch(&PydlKernelTable::pair_loss_backward, args);
  return dx;
}

Tensor pair_loss(const PairLoss& loss, const Tensor& x, const Tensor& given_t,
                 const std::string& reduction_name) {
  Op op(loss.name, x, given_t);
  op.check_floating(x);
  op.check<ShapeError>(x.shape() == given_t.shape(),
                       "expected predictions and targets of one shape, got ", x.shape(), " and ",
                       given_t.shape(), ". Reshape the targets");
  op.check<AutogradError>(loss.symmetric || !needs_grad(given_t),
                          "expected labels without a gradient, got requires_grad=True. "
                          "Pass labels.detach()");
  Reduction reduction(op, reduction_name, x.count());
  Tensor t = cast(given_t, x.dtype());
  Tensor dense_x = contiguous(x.detach()), dense_t = contiguous(t.detach());
  Tensor y = Tensor::empty(reduction.fused ? Dims{} : x.shape(), x.dtype(), op.device());
  PydlPairLossArgs args{};
  describe(args, loss, dense_x, dense_t);
  (reduction.fused ? args.total : args.losses) = y.data();
  args.factor = reduction.factor;
  op.launch(&PydlKernelTable::pair_loss, args);
  if (needs_grad(x, t))
    record(loss.name, {&y}, {&x, &t}, [loss, x = Saved(x), t = Saved(t), reduction](Backward& b) {
      Tensor dx = pair_loss_backward(loss, b[x], b[t], b.grad(), reduction);
      if (b.needs(1)) b.give(1, neg(dx));
      if (b.needs(0)) b.give(0, std::move(dx));
    });
  return y;
}

}  // namespace

Tensor softmax_cross_entropy(const Tensor& logits, const Tensor& labels, double label_smoothing,
                             const std::string& reduction) {
  return cross_entropy({"softmax_cross_entropy", "softmax_cross_entropy_backward", true,
                        label_smoothing, 0.0},
                       logits, labels, reduction);
}

Tensor categorical_cross_entropy(const Tensor& probabilities, const Tensor& labels,
                                 double label_smoothing, double epsilon,
                                 const std::string& reduction) {
  return cross_entropy({"categorical_cross_entropy", "categorical_cross_entropy_backward", false,
                        label_smoothing, epsilon},
                       probabilities, labels, reduction);
}

Tensor sigmoid_binary_cross_entropy(const Tensor& logits, const Tensor& labels,
                                    const std::string& reduction) {
  return pair_loss({"sigmoid_binary_cross_entropy", "sigmoid_binary_cross_entropy_backward",
                    PYDL_SIGMOID_BINARY_CROSS_ENTROPY, 0.0, false},
                   logits, labels, reduction);
}

Tensor binary_cross_entropy(const Tensor& probabilities, const Tensor& labels, double epsilon,
                            const std::string& reduction) {
  return pair_loss({"binary_cross_entropy", "binary_cross_entropy_backward",
                    PYDL_BINARY_CROSS_ENTROPY, epsilon, false},
                   probabilities, labels, reduction);
}

Tensor squared_error(const Tensor& y_pred, const Tensor& y_true, const std::string& reduction) {
  return pair_loss({"squared_error", "squared_error_backward", PYDL_SQUARED_ERROR, 0.0, true},
                   y_pred, y_true, reduction);
}

Tensor absolute_error(const Tensor& y_pred, const Tensor& y_true, const std::string& reduction) {
  return pair_loss({"absolute_error", "absolute_error_backward", PYDL_ABSOLUTE_ERROR, 0.0, true},
                   y_pred, y_true, reduction);
}

Tensor huber(const Tensor& y_pred, const Tensor& y_true, double delta,
             const std::string& reduction) {
  return pair_loss({"huber", "huber_backward", PYDL_HUBER, delta, true}, y_pred, y_true, reduction);
}

}  // namespace pydl
