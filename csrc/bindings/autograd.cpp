#include "autograd/engine.h"
#include "autograd/node.h"
#include "bindings/python.h"

namespace pydl {
namespace {

// A node whose gradient is a Python callable: one gradient (or None) in per output, one out per input.
class PythonNode final : public Node {
 public:
  explicit PythonNode(py::function backward) : Node("Function"), backward_(std::move(backward)) {}
  ~PythonNode() override {
    py::gil_scoped_acquire with_gil;
    backward_ = py::object();
  }

  void run(Backward& context) override {
    py::gil_scoped_acquire with_gil;
    py::tuple grads(outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i)
      grads[i] = py::cast(context.grad(static_cast<int>(i)));
    py::object result = backward_(*grads);
    if (!py::isinstance<py::tuple>(result) && !py::isinstance<py::list>(result))
      result = py::make_tuple(result);
    size_t count = py::len(result);
    if (count != edges.size())
      fail<AutogradError>("[autograd.Function] expected backward to return ", edges.size(),
                          " gradients, one for each input of forward, got ", count);
    for (size_t i = 0; i < count; ++i) {
      py::object item = result[py::int_(i)];
      if (!item.is_none()) context.give(static_cast<int>(i), py::cast<Tensor>(item));
    }
  }
  void release_saved() override {
    py::gil_scoped_acquire with_gil;
    backward_ = py::object();
  }
  bool released() const override { return !backward_; }

 private:
  py::object backward_;
};

}  // namespace

void bind_autograd(py::module_& module) {
  module.def("is_grad_enabled", &grad_enabled);
  module.def("set_grad_enabled", &set_grad_enabled, py::arg("enabled"));
  module.def("backward", &backward, py::arg("outputs"), py::arg("grad_outputs"), py::arg("retain_graph"),
             py::arg("create_graph"), WithoutGil());
  module.def("grad", &grad, py::arg("outputs"), py::arg("inputs"), py::arg("grad_outputs"),
             py::arg("retain_graph"), py::arg("create_graph"), py::arg("allow_unused"), py::arg("since") = 0,
             WithoutGil());
  module.def("graph_position", &graph_position);
  module.def("graph_sources", &graph_sources, py::arg("outputs"), py::arg("known"), py::arg("since"));
  // Makes `outputs`, computed outside the graph, the results of a Python function of `inputs`.
  module.def("record_function",
             [](const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                py::function backward) {
               bool wanted = false;
               for (const Tensor& input : inputs) wanted |= needs_grad(input);
               if (wanted) connect(Ref<Node>(new PythonNode(std::move(backward))), outputs, inputs);
             },
             py::arg("outputs"), py::arg("inputs"), py::arg("backward"));
}

}  // namespace pydl
