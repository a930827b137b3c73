// An op that an extension registered, and how it is called.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "extension/signature.h"

namespace pydl {

struct OpEntry;

constexpr int kMaxArguments = 16;  // tensors, results and other arguments of an op: of each

// Where a parameter of a gradient comes from.
struct GradientSource {
  enum Kind { input, attribute, output, output_gradient } kind;
  int index;
};

// One argument of a gradient: a tensor, or the attribute it points to.
struct GradientArgument {
  Tensor tensor;
  const Attribute* attribute = nullptr;
};

// Computes the gradients of an op's inputs; undefined where there is none. It gets an argument for
// each source, and gives a tensor for each input of the op.
struct Gradient {
  std::vector<GradientSource> sources;
  std::function<std::vector<Tensor>(const std::vector<GradientArgument>&)> run;
};

struct OpEntry {
  std::string name;  // "mine.scale"
  std::string doc;
  Signature signature;
  PydlOpFunction shapes = nullptr;
  std::string gradient_op;  // its name in the same extension; or empty
  std::vector<PydlOpKernel> kernels;
  std::shared_ptr<const Gradient> gradient;

  int tensors = 0, attributes = 0;  // how many the signature has
};

// Runs the op and records its gradient. An optional tensor that was left out is undefined.
std::vector<Tensor> call_op(const std::shared_ptr<const OpEntry>& entry,
                            const std::vector<Tensor>& inputs,
                            const std::vector<Attribute>& attributes);

// What a gradient whose parameters have these names is given; ValueError where a name has no
// meaning.
std::vector<GradientSource> gradient_sources(const OpEntry& op, const std::string& gradient,
                                             const std::vector<std::string>& names);
// The gradient that is an op itself.
std::shared_ptr<const Gradient> gradient_from_op(const OpEntry& op,
                                                 const std::shared_ptr<const OpEntry>& gradient);

}  // namespace pydl
