#include "ops/random.h"

#include "bindings/python.h"

namespace pydl {

void bind_random(py::module_& module) {
  py::class_<Generator, std::shared_ptr<Generator>>(module, "Generator")
      .def(py::init<uint64_t>(), py::arg("seed"))
      .def_property(
          "state",
          [](const Generator& generator) {
            PydlRandomState state = generator.state();
            return py::make_tuple(state.seed, state.offset);
          },
          [](Generator& generator, std::pair<uint64_t, uint64_t> state) {
            generator.set_state({state.first, state.second});
          })
      .def(
          "take",
          [](Generator& generator, int64_t words) {
            PydlRandomState state = generator.take(words);
            return py::make_tuple(state.seed, state.offset);
          },
          py::arg("words"));
  module.def("default_generator", [] {
    return std::shared_ptr<Generator>(&default_generator(), [](Generator*) {});  // never deleted
  });
  module.def("uniform", &uniform, py::arg("shape"), py::arg("minval"), py::arg("maxval"),
             py::arg("dtype"), py::arg("generator"), WithoutGil());
  module.def("normal", &normal, py::arg("shape"), py::arg("mean"), py::arg("stddev"),
             py::arg("dtype"), py::arg("generator"), WithoutGil());
  module.def("truncated_normal", &truncated_normal, py::arg("shape"), py::arg("mean"),
             py::arg("stddev"), py::arg("dtype"), py::arg("generator"), WithoutGil());
  module.def("randint", &randint, py::arg("shape"), py::arg("minval"), py::arg("maxval"),
             py::arg("dtype"), py::arg("generator"), WithoutGil());
  module.def("bernoulli", &bernoulli, py::arg("shape"), py::arg("p"), py::arg("dtype"),
             py::arg("generator"), WithoutGil());
  module.def("permutation", &permutation, py::arg("n"), py::arg("generator"), WithoutGil());
  module.def("categorical", &categorical, py::arg("logits"), py::arg("num_samples"),
             py::arg("dtype"), py::arg("generator"), WithoutGil());
  module.def("dropout", py::overload_cast<const Tensor&, double, Generator&>(&dropout),
             py::arg("x"), py::arg("rate"), py::arg("generator"), WithoutGil());
}

}  // namespace pydl
