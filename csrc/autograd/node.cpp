#include "autograd/node.h"

#include "autograd/engine.h"

#include <pthread.h>

namespace pydl {
namespace {

thread_local bool grad_mode = true;
std::atomic<uint64_t> next_sequence{0};

}  // namespace

bool grad_enabled() { return grad_mode; }
void set_grad_enabled(bool enabled) { grad_mode = enabled; }

uint64_t graph_position() { return next_sequence.load(); }

Node::Node(const char* name) : name_(name), sequence_(next_sequence.fetch_add(1)) {}

void Node::destroy() {
  // Deleting a node drops its edges, which may delete their nodes, and so on down a graph as deep as
  // the program ran long. The outermost call deletes them one after another.
  thread_local std::vector<Node*> doomed;
  thread_local bool deleting = false;
  doomed.push_back(this);
  if (deleting) return;
  deleting = true;
  while (!doomed.empty()) {
    Node* node = doomed.back();
    doomed.pop_back();
    delete node;
  }
  deleting = false;
}

GradMeta* grad_meta(const Tensor& tensor) {
  return static_cast<GradMeta*>(tensor.impl()->autograd.get());
}

GradMeta& ensure_grad_meta(const Tensor& tensor) {
  auto& slot = tensor.impl()->autograd;
  if (!slot) slot = std::make_unique<GradMeta>();
  return static_cast<GradMeta&>(*slot);
}

void set_requires_grad(const Tensor& tensor, bool value) {
  if (value && !is_floating(tensor.dtype()))
    fail<DTypeError>("[requires_grad] expected a floating dtype, got ", tensor.dtype());
  if (!is_leaf(tensor))
    fail<AutogradError>("[requires_grad] expected a leaf tensor, got the result of an op. "
                        "Hint: detach() it first");
  if (value || grad_meta(tensor)) ensure_grad_meta(tensor).requires_grad = value;
}

namespace {

std::mutex& gradient_mutex() {
  static std::mutex* mutex = [] {
    // A child forked while another thread adds a gradient must not inherit a locked mutex.
    pthread_atfork([] { gradient_mutex().lock(); }, [] { gradient_mutex().unlock(); },
                   [] { gradient_mutex().unlock(); });
    return new std::mutex;
  }();
  return *mutex;
}

}  // namespace

std::unique_lock<std::mutex> lock_gradients() {
  return std::unique_lock<std::mutex>(gradient_mutex());
}

Tensor gradient_of(const Tensor& leaf) {
  auto lock = lock_gradients();
  const GradMeta* meta = grad_meta(leaf);
  return meta ? meta->grad : Tensor();
}

void set_gradient(const Tensor& leaf, Tensor gradient) {
  auto lock = lock_gradients();
  if (gradient.defined() || grad_meta(leaf)) std::swap(ensure_grad_meta(leaf).grad, gradient);
  lock.unlock();  // before the old gradient goes, which may belong to Python
}

Edge edge_to(const Tensor& tensor) {
  const GradMeta* meta = tensor.defined() ? grad_meta(tensor) : nullptr;
  if (!meta) return {};
  if (meta->node) return {meta->node, meta->output, nullptr};
  return {nullptr, 0, meta->requires_grad ? tensor.impl() : nullptr};
}

namespace {

void check_version(const Tensor& tensor, uint32_t version, const Backward& backward) {
  if (tensor.defined() && tensor.version() != version)
    fail<AutogradError>("[", backward.node().name(), "] expected a tensor of shape ", tensor.shape(),
                        " that the gradient needs to be as forward saw it, but it was changed in "
                        "place since. Hint: write to a copy()");
}

}  // namespace

const Tensor& Saved::get(const Backward& backward) const {
  check_version(tensor_, version_, backward);
  return tensor_;
}

Tensor SavedOutput::get(const Backward& backward) const {
  check_version(tensor_, version_, backward);
  Tensor tensor = tensor_.detach();
  if (grad_enabled()) {
    GradMeta& meta = ensure_grad_meta(tensor);
    meta.node = Ref<Node>(&backward.node());
    meta.output = output_;
  }
  return tensor;
}

namespace {

void attach(const Ref<Node>& node, const Tensor& output) {
  GradMeta& meta = ensure_grad_meta(output);
  meta.node = node;
  meta.output = static_cast<uint32_t>(node->outputs.size());
  node->outputs.push_back({output.shape(), output.dtype(), output.device()});
}

}  // namespace

void connect(const Ref<Node>& node, std::initializer_list<const Tensor*> outputs,
             std::initializer_list<const Tensor*> inputs) {
  node->edges.reserve(inputs.size());
  for (const Tensor* input : inputs) node->edges.push_back(edge_to(*input));
  for (const Tensor* output : outputs) attach(node, *output);
}

void connect(const Ref<Node>& node, const std::vector<Tensor>& outputs,
             const std::vector<Tensor>& inputs) {
  node->edges.reserve(inputs.size());
  for (const Tensor& input : inputs) node->edges.push_back(edge_to(input));
  for (const Tensor& output : outputs) attach(node, output);
}

}  // namespace pydl
