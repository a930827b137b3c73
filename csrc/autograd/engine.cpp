#include "autograd/engine.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_map>

#include "autograd/arithmetic.h"
#include "autograd/node.h"

namespace pydl {

const Tensor& Backward::grad(int output) {
  Tensor& grad = grads_[output];
  if (!grad.defined()) {
    const OutputInfo& info = node_.outputs[output];
    grad = engine::filled(info.shape, 0, info.dtype, info.device);
  }
  return grad;
}

namespace {

// What has been computed so far of one node's output gradients.
struct Pending {
  Ref<Node> node;
  std::vector<Tensor> grads;
  bool wanted = true;
};

class Engine {
 public:
  Engine(bool retain_graph, bool create_graph, const std::vector<Tensor>* inputs,
         uint64_t since = 0)
      : retain_graph_(retain_graph || create_graph), create_graph_(create_graph), since_(since) {
    if (!inputs) return;
    targeted_ = true;
    results_.resize(inputs->size());
    for (const Tensor& input : *inputs) targets_.push_back(edge_to(input));
  }

  void run(const std::vector<Tensor>& outputs, const std::vector<Tensor>& grad_outputs) {
    GradModeScope mode(create_graph_);
    for (const Tensor& output : outputs)
      if (inside(edge_to(output))) collect(edge_to(output).node);
    std::vector<Pending*> order = sorted();
    if (targeted_) mark_wanted(order);
    for (size_t i = 0; i < outputs.size(); ++i)
      accumulate(edge_to(outputs[i]), seed(outputs[i], grad_outputs, i), "backward");
    for (auto it = order.rbegin(); it != order.rend(); ++it) visit(**it);
  }

  std::vector<Tensor>& results() { return results_; }

 private:
  static Tensor seed(const Tensor& output, const std::vector<Tensor>& grad_outputs, size_t i) {
    if (i < grad_outputs.size() && grad_outputs[i].defined()) {
      const Tensor& grad = grad_outputs[i];
      if (grad.shape() != output.shape())
        fail<ShapeError>("[backward] expected a gradient of the output's shape ", output.shape(),
                         ", got ", grad.shape());
      if (grad.dtype() != output.dtype())
        fail<DTypeError>("[backward] expected a gradient of the output's dtype ", output.dtype(),
                         ", got ", grad.dtype());
      return grad;
    }
    if (output.count() != 1)
      fail<ShapeError>("[backward] expected an output of one element, got shape ", output.shape(),
                       ". Hint: reduce it with sum() or mean(), or pass the gradient argument");
    return engine::filled(output.shape(), 1, output.dtype(), output.device());
  }

  void collect(const Ref<Node>& root) {
    std::vector<Node*> stack{root.get()};
    while (!stack.empty()) {
      Node* node = stack.back();
      stack.pop_back();
      auto [it, is_new] = pending_.try_emplace(node);
      if (!is_new) continue;
      it->second.node = Ref<Node>(node);
      it->second.grads.resize(node->outputs.size());
      for (const Edge& edge : node->edges)
        if (inside(edge)) stack.push_back(edge.node.get());
    }
  }

  bool inside(const Edge& edge) const { return edge.node && edge.node->sequence() >= since_; }

  std::vector<Pending*> sorted() {
    std::vector<Pending*> order;
    order.reserve(pending_.size());
    for (auto& [node, pending] : pending_) order.push_back(&pending);
    std::sort(order.begin(), order.end(), [](const Pending* a, const Pending* b) {
      return a->node->sequence() < b->node->sequence();
    });
    return order;
  }

  // Only nodes on a way to a target need to run. `order` lists producers before consumers.
  void mark_wanted(const std::vector<Pending*>& order) {
    for (Pending* pending : order) {
      const auto& edges = pending->node->edges;
      pending->wanted = std::any_of(edges.begin(), edges.end(), [&](const Edge& edge) {
        return target_of(edge) >= 0 || (inside(edge) && pending_.at(edge.node.get()).wanted);
      });
    }
  }

  int target_of(const Edge& edge) const {
    for (size_t i = 0; i < targets_.size(); ++i) {
      const Edge& target = targets_[i];
      if (edge.wanted() && edge.node == target.node && edge.leaf == target.leaf &&
          edge.output == target.output)
        return static_cast<int>(i);
    }
    return -1;
  }

  void visit(Pending& pending) {
    Node& node = *pending.node;
    bool any = std::any_of(pending.grads.begin(), pending.grads.end(),
                           [](const Tensor& grad) { return grad.defined(); });
    if (!any || !pending.wanted) return;
    if (node.released())
      fail<AutogradError>("[", node.name(), "] expected a graph that backward has not run through "
                          "yet. Hint: pass retain_graph=True to the first backward()");
    Backward context(node, pending.grads);
    node.run(context);
    if (!retain_graph_) node.release_saved();
    for (size_t i = 0; i < node.edges.size(); ++i)
      if (context.given()[i].defined())
        accumulate(node.edges[i], std::move(context.given()[i]), node.name());
    pending.grads.clear();
  }

  void accumulate(const Edge& edge, Tensor grad, const char* from) {
    if (edge.leaf) check(edge.leaf->shape, edge.leaf->dtype, grad, from);
    if (edge.node) {
      const OutputInfo& output = edge.node->outputs[edge.output];
      check(output.shape, output.dtype, grad, from);
    }
    if (targeted_) {
      // One tensor may be asked for twice, so look at every target.
      for (size_t i = 0; i < targets_.size(); ++i)
        if (edge.wanted() && edge.node == targets_[i].node && edge.leaf == targets_[i].leaf &&
            edge.output == targets_[i].output)
          add_to(results_[i], grad);
    } else if (edge.leaf) {
      accumulate_leaf(Tensor(edge.leaf), grad);
    }
    if (inside(edge)) add_to(pending_.at(edge.node.get()).grads[edge.output], grad);
  }

  void accumulate_leaf(const Tensor& leaf, const Tensor& grad) {
    Tensor before;  // outlives the lock, as its memory may belong to Python
    auto lock = lock_gradients();
    Tensor& sum = ensure_grad_meta(leaf).grad;
    if (sum.defined()) {
      before = sum;
      sum = engine::sum_of(before, grad);
    } else if (create_graph_) {
      sum = grad;
    } else {
      // Users may write to .grad in place (clipping does), so it must not share memory.
      bool shared = grad.impl()->use_count() > 1 || grad.impl()->storage->use_count() > 1;
      sum = shared || !grad.is_contiguous() ? engine::copy_of(grad) : grad;
    }
  }

  static void add_to(Tensor& sum, const Tensor& grad) {
    sum = sum.defined() ? engine::sum_of(sum, grad) : grad;
  }

  static void check(const Dims& shape, DType dtype, const Tensor& grad, const char* from) {
    if (grad.shape() != shape)
      fail<ShapeError>("[", from, "] expected its gradient to have shape ", shape, ", got ",
                       grad.shape());
    if (grad.dtype() != dtype)
      fail<DTypeError>("[", from, "] expected its gradient to be ", dtype, ", got ", grad.dtype());
  }

  bool retain_graph_;
  bool create_graph_;
  uint64_t since_;
  bool targeted_ = false;
  std::vector<Edge> targets_;
  std::vector<Tensor> results_;
  std::unordered_map<Node*, Pending> pending_;
};

void check_outputs(const std::vector<Tensor>& outputs) {
  for (const Tensor& output : outputs)
    if (!requires_grad(output))
      fail<AutogradError>("[backward] expected a tensor computed from one with requires_grad=True, "
                          "got one of shape ", output.shape(), " that needs no gradient");
}

}  // namespace

void backward(const std::vector<Tensor>& outputs, const std::vector<Tensor>& grad_outputs,
              bool retain_graph, bool create_graph) {
  check_outputs(outputs);
  Engine(retain_graph, create_graph, nullptr).run(outputs, grad_outputs);
}

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& grad_outputs, bool retain_graph,
                         bool create_graph, bool allow_unused, uint64_t since) {
  check_outputs(outputs);
  for (const Tensor& input : inputs)
    if (!requires_grad(input))
      fail<AutogradError>("[grad] expected inputs with requires_grad=True, got one of shape ",
                          input.shape(), " without");
  Engine engine(retain_graph, create_graph, &inputs, since);
  engine.run(outputs, grad_outputs);
  for (const Tensor& result : engine.results())
    if (!result.defined() && !allow_unused)
      fail<AutogradError>("[grad] expected every input to be used by the outputs, but one is not. "
                          "Hint: pass allow_unused=True");
  return engine.results();
}

std::vector<Tensor> graph_sources(const std::vector<Tensor>& outputs,
                                  const std::vector<Tensor>& known, uint64_t since) {
  std::vector<Tensor> sources;
  std::set<std::tuple<const void*, uint32_t>> seen;
  for (const Tensor& tensor : known) seen.emplace(tensor.impl().get(), 0);
  std::vector<Edge> stack;
  for (const Tensor& output : outputs) stack.push_back(edge_to(output));
  while (!stack.empty()) {
    Edge edge = stack.back();
    stack.pop_back();
    if (edge.node && edge.node->sequence() >= since) {
      if (!seen.emplace(edge.node.get(), UINT32_MAX).second) continue;  // the node as a whole
      stack.insert(stack.end(), edge.node->edges.rbegin(), edge.node->edges.rend());
    } else if (edge.node && seen.emplace(edge.node.get(), edge.output).second) {
      const OutputInfo& output = edge.node->outputs[edge.output];
      sources.push_back(engine::filled({}, 0, output.dtype, output.device));
      GradMeta& meta = ensure_grad_meta(sources.back());
      meta.node = edge.node;
      meta.output = edge.output;
    } else if (edge.leaf && seen.emplace(edge.leaf.get(), 0).second) {
      sources.push_back(Tensor(edge.leaf));
    }
  }
  return sources;
}

}  // namespace pydl
