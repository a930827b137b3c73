// Steps captured as graphs.
#include "dispatch/capture.h"

#include "bindings/python.h"

namespace pydl {
namespace {

// The graph with the generators that it draws from, as Python objects that keep them alive.
struct PyGraph {
  explicit PyGraph(int32_t index) : graph({DeviceType::gpu, index}) {}
  Graph graph;
  std::vector<py::object> owners;
  std::vector<Generator*> generators;

  void hold_generators() {
    const auto* type = py::detail::get_type_info(typeid(Generator));
    for (Generator* generator : graph.generators()) {
      py::handle owner = py::detail::get_object_handle(generator, type);
      if (!owner && generator != &default_generator()) continue;  // it was of use to that call only
      if (owner) owners.push_back(py::reinterpret_borrow<py::object>(owner));
      generators.push_back(generator);
    }
  }
};

}  // namespace

void bind_capture(py::module_& module) {
  py::class_<PyGraph>(module, "Graph")
      .def(py::init<int32_t>(), py::arg("device"))
      .def_property_readonly(
          "stream",
          [](const PyGraph& self) { return reinterpret_cast<uintptr_t>(self.graph.stream()); })
      .def("begin", [](PyGraph& self) { self.graph.begin(); })
      .def("end",
           [](PyGraph& self) {
             self.graph.end();
             self.hold_generators();
           })
      .def("abandon", [](PyGraph& self) { self.graph.abandon(); })
      .def("launch",
           [](PyGraph& self, int64_t step, double learning_rate) {
             self.graph.launch(self.generators, step, learning_rate);
           },
           py::arg("step"), py::arg("learning_rate"));
  module.def("is_capturing", [] { return current_replay() != nullptr; });
}

}  // namespace pydl
