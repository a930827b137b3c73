// Activations that a kernel applies to its result while it is in registers, as linear and conv do.
#pragma once

#include <optional>

#include "ops/op.h"
#include "pydl/kernels/activation.h"

namespace pydl {

struct FusedActivation {
  PydlActivation kind = PYDL_ACTIVATION_NONE;

  // Of the name that Python users give; empty for none.
  FusedActivation(const Op& op, const std::string& name);

  // As an op of its own.
  Tensor apply(const Tensor& x) const;

  bool none() const { return kind == PYDL_ACTIVATION_NONE; }
  // Whether the gradient follows from the result, or else from what the activation was applied to.
  bool gradient_from_result() const;
  Tensor gradient(const Tensor& saved, const Tensor& dy) const;
};

// What a fused kernel writes. `pre`, what the activation was applied to, is there when gradients will
// need it; in the graph it is the node's second output.
struct FusedResult {
  FusedActivation activation;
  Tensor y, pre;

  FusedResult(const Op& op, const Dims& shape, DType dtype, const FusedActivation& activation,
              bool recorded);

  // Fills in the members that fused kernels have for it, and for the bias.
  template <class Args>
  void fill(Args& args, const Tensor& bias) const {
    args.bias = bias.defined() ? bias.data() : nullptr;
    args.activation = activation.kind;
    args.pre_activation = pre.defined() ? pre.data() : nullptr;
  }
};

class SavedActivation {
 public:
  explicit SavedActivation(const FusedResult& result);
  // The gradient of what the activation was applied to.
  Tensor gradient(Backward& b) const;

 private:
  FusedActivation activation_;
  bool has_pre_;
  std::optional<SavedOutput> saved_;
};

// As record(); function(b, d) gets the gradient d of what the activation was applied to.
template <class Function>
void record_fused(const char* name, const FusedResult& result,
                  std::initializer_list<const Tensor*> inputs, Function function) {
  auto whole = [saved = SavedActivation(result), function = std::move(function)](Backward& b) {
    function(b, saved.gradient(b));
  };
  if (result.pre.defined())
    record(name, {&result.y, &result.pre}, inputs, std::move(whole));
  else
    record(name, {&result.y}, inputs, std::move(whole));
}

// The gradient of a bias along the last axis.
Tensor bias_gradient(const Tensor& d, DType dtype);

// Kernels take a bias dense and in the dtype of their result; absent stays absent.
Tensor checked_bias(const Op& op, const Tensor& bias, int64_t size, DType dtype);

}  // namespace pydl
