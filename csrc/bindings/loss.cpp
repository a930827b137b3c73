#include "bindings/python.h"
#include "ops/loss.h"

namespace pydl {

void bind_loss(py::module_& module) {
  module.def("softmax_cross_entropy", &softmax_cross_entropy, py::arg("logits"), py::arg("labels"),
             py::arg("label_smoothing"), py::arg("reduction"), WithoutGil());
  module.def("categorical_cross_entropy", &categorical_cross_entropy, py::arg("probabilities"),
             py::arg("labels"), py::arg("label_smoothing"), py::arg("epsilon"),
             py::arg("reduction"), WithoutGil());
  module.def("sigmoid_binary_cross_entropy", &sigmoid_binary_cross_entropy, py::arg("logits"),
             py::arg("labels"), py::arg("reduction"), WithoutGil());
  module.def("binary_cross_entropy", &binary_cross_entropy, py::arg("probabilities"),
             py::arg("labels"), py::arg("epsilon"), py::arg("reduction"), WithoutGil());
  module.def("squared_error", &squared_error, py::arg("y_pred"), py::arg("y_true"),
             py::arg("reduction"), WithoutGil());
  module.def("absolute_error", &absolute_error, py::arg("y_pred"), py::arg("y_true"),
             py::arg("reduction"), WithoutGil());
  module.def("huber", &huber, py::arg("y_pred"), py::arg("y_true"), py::arg("delta"),
             py::arg("reduction"), WithoutGil());
}

}  // namespace pydl
