// The graph that backward walks: a node for each recorded op, an edge for each of its inputs.
#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "autograd/grad_mode.h"
#include "core/tensor.h"

namespace pydl {

class Backward;
class Node;

// Where an input came from: output `output` of `node`, or a leaf that wants a gradient, or neither.
struct Edge {
  Ref<Node> node;
  uint32_t output = 0;
  Ref<TensorImpl> leaf;

  bool wanted() const { return node || leaf; }
};

struct OutputInfo {
  Dims shape;
  DType dtype;
  Device device;
};

class Node : public RefCounted {
 public:
  explicit Node(const char* name);

  // Computes the gradients of the inputs from those of the outputs.
  virtual void run(Backward& backward) = 0;
  // Drops what forward saved; the node cannot run again.
  virtual void release_saved() = 0;
  virtual bool released() const = 0;

  const char* name() const { return name_; }
  // Nodes are numbered as they are made: every consumer of a node has a higher number.
  uint64_t sequence() const { return sequence_; }

  std::vector<Edge> edges;
  std::vector<OutputInfo> outputs;

 protected:
  void destroy() override;  // without recursion, however long the chain of nodes

 private:
  const char* name_;
  uint64_t sequence_;
};

// What autograd keeps with a tensor.
struct GradMeta final : TensorExtension {
  bool requires_grad = false;  // set by the user, on a leaf
  Ref<Node> node;              // what computed this tensor
  uint32_t output = 0;
  Tensor grad;                 // of a leaf
};

GradMeta* grad_meta(const Tensor& tensor);           // NULL when it has none
GradMeta& ensure_grad_meta(const Tensor& tensor);

inline bool requires_grad(const Tensor& tensor) {
  const GradMeta* meta = tensor.defined() ? grad_meta(tensor) : nullptr;
  return meta && (meta->requires_grad || meta->node);
}
inline bool is_leaf(const Tensor& tensor) {
  const GradMeta* meta = grad_meta(tensor);
  return !meta || !meta->node;
}
void set_requires_grad(const Tensor& tensor, bool value);
Edge edge_to(const Tensor& tensor);

// The gradient of a leaf is read and written under this lock, because backward() of several threads
// may add to it.
std::unique_lock<std::mutex> lock_gradients();
Tensor gradient_of(const Tensor& leaf);  // undefined when there is none
void set_gradient(const Tensor& leaf, Tensor gradient);

// Whether an op on these inputs must be recorded.
template <class... Tensors>
bool needs_grad(const Tensors&... inputs) {
  return grad_enabled() && (requires_grad(inputs) || ...);
}

// An input kept for backward. Reading it checks that nobody wrote to its memory since.
class Saved {
 public:
  Saved(const Tensor& tensor) : tensor_(tensor), version_(tensor.defined() ? tensor.version() : 0) {}
  const Tensor& get(const Backward& backward) const;

 private:
  Tensor tensor_;
  uint32_t version_;
};

// An output kept for backward. It does not own the node that owns it, so there is no cycle.
class SavedOutput {
 public:
  explicit SavedOutput(const Tensor& tensor, uint32_t output = 0)
      : tensor_(tensor.detach()), version_(tensor.version()), output_(output) {}
  Tensor get(const Backward& backward) const;

 private:
  Tensor tensor_;
  uint32_t version_;
  uint32_t output_;
};

// What a node's gradient function sees.
class Backward {
 public:
  Backward(Node& node, std::vector<Tensor>& grads) : node_(node), grads_(grads) {
    given_.resize(node.edges.size());
  }

  bool needs(int input) const { return node_.edges[input].wanted(); }
  bool has_grad(int output) const { return grads_[output].defined(); }
  // The gradient of an output; zeros where nothing depends on it.
  const Tensor& grad(int output = 0);
  void give(int input, Tensor grad) { given_[input] = std::move(grad); }

  const Tensor& operator[](const Saved& saved) const { return saved.get(*this); }
  Tensor operator[](const SavedOutput& saved) const { return saved.get(*this); }

  Node& node() const { return node_; }
  std::vector<Tensor>& given() { return given_; }

 private:
  Node& node_;
  std::vector<Tensor>& grads_;
  std::vector<Tensor> given_;
};

// A node around a function object, whose captures are what forward saved.
template <class Function>
class FunctionNode final : public Node {
 public:
  FunctionNode(const char* name, Function function)
      : Node(name), function_(std::move(function)) {}
  void run(Backward& backward) override { (*function_)(backward); }
  void release_saved() override { function_.reset(); }
  bool released() const override { return !function_.has_value(); }

 private:
  std::optional<Function> function_;
};

// Makes `outputs` the results of `node`, computed from `inputs`.
void connect(const Ref<Node>& node, std::initializer_list<const Tensor*> outputs,
             std::initializer_list<const Tensor*> inputs);
void connect(const Ref<Node>& node, const std::vector<Tensor>& outputs,
             const std::vector<Tensor>& inputs);

// record("exp", {&y}, {&x}, [y = SavedOutput(y)](Backward& b) {
//   b.give(0, multiply(b.grad(), b[y]));
// });
template <class Function, class Outputs, class Inputs>
void record_on(const char* name, const Outputs& outputs, const Inputs& inputs, Function function) {
  connect(Ref<Node>(new FunctionNode<Function>(name, std::move(function))), outputs, inputs);
}
template <class Function>
void record(const char* name, std::initializer_list<const Tensor*> outputs,
            std::initializer_list<const Tensor*> inputs, Function function) {
  record_on(name, outputs, inputs, std::move(function));
}
template <class Function>
void record(const char* name, const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
            Function function) {
  record_on(name, outputs, inputs, std::move(function));
}

}  // namespace pydl
