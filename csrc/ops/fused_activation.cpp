#include "ops/fused_activation.h"

#include <algorithm>

#include "ops/unary.h"

namespace pydl {
namespace {

struct Fusable {
  const char* name;
  PydlActivation kind;
  PydlUnaryOp op;
};
const Fusable kFusable[] = {
    {"relu", PYDL_ACTIVATION_RELU, PYDL_UNARY_relu},
    {"relu6", PYDL_ACTIVATION_RELU6, PYDL_UNARY_relu6},
    {"sigmoid", PYDL_ACTIVATION_SIGMOID, PYDL_UNARY_sigmoid},
    {"tanh", PYDL_ACTIVATION_TANH, PYDL_UNARY_tanh},
    {"silu", PYDL_ACTIVATION_SILU, PYDL_UNARY_silu},
    {"gelu", PYDL_ACTIVATION_GELU, PYDL_UNARY_gelu},
    {"gelu_tanh", PYDL_ACTIVATION_GELU_TANH, PYDL_UNARY_gelu_tanh},
};

const Fusable& fusable(PydlActivation kind) {
  return *std::find_if(std::begin(kFusable), std::end(kFusable),
                       [kind](const Fusable& each) { return each.kind == kind; });
}

}  // namespace

FusedActivation::FusedActivation(const Op& op, const std::string& name) {
  if (name.empty()) return;
  for (const Fusable& each : kFusable)
    if (name == each.name) kind = each.kind;
  op.check(!none(), "expected activation None, relu, relu6, sigmoid, tanh, silu, gelu or gelu_tanh, ",
           "got '", name, "'. Hint: apply other activations to the result");
}

bool FusedActivation::gradient_from_result() const {
  return kind == PYDL_ACTIVATION_RELU || kind == PYDL_ACTIVATION_RELU6 ||
         kind == PYDL_ACTIVATION_SIGMOID || kind == PYDL_ACTIVATION_TANH;
}

Tensor FusedActivation::apply(const Tensor& x) const {
  if (none()) return x;
  const Fusable& each = fusable(kind);
  return real_op(each.name, each.op, x, fusable_slope(each.op));
}

Tensor FusedActivation::gradient(const Tensor& saved, const Tensor& dy) const {
  const Fusable& each = fusable(kind);
  return unary_gradient(each.name, each.op, saved, dy, fusable_slope(each.op));
}

FusedResult::FusedResult(const Op& op, const Dims& shape, DType dtype,
                         const FusedActivation& activation, bool recorded)
    : activation(activation), y(Tensor::empty(shape, dtype, op.device())) {
  if (recorded && !activation.none() && !activation.gradient_from_result())
    pre = Tensor::empty(shape, dtype, op.device());
}

SavedActivation::SavedActivation(const FusedResult& result)
    : activation_(result.activation), has_pre_(result.pre.defined()) {
  if (has_pre_)
    saved_.emplace(result.pre, 1);
  else if (!activation_.none())
    saved_.emplace(result.y);
}

Tensor SavedActivation::gradient(Backward& b) const {
  if (activation_.none()) return b.grad();
  if (!has_pre_) return activation_.gradient(b[*saved_], b.grad());
  Tensor d = b.has_grad(1) ? b.grad(1) : Tensor();
  if (!b.has_grad(0)) return d;
  Tensor through = activation_.gradient(b[*saved_], b.grad());
  return d.defined() ? add(d, through) : through;
}

Tensor bias_gradient(const Tensor& d, DType dtype) {
  Dims axes;
  for (int i = 0; i + 1 < d.rank(); ++i) axes.push_back(i);
  return cast(sum(d, axes), dtype);
}

Tensor checked_bias(const Op& op, const Tensor& bias, int64_t size, DType dtype) {
  if (!bias.defined()) return bias;
  op.check<ShapeError>(bias.shape() == Dims{size}, "expected a bias of shape ", Dims{size}, ", got ",
                       bias.shape());
  return contiguous(cast(bias.detach(), dtype));
}

}  // namespace pydl
