#include "ops/norm.h"

#include "bindings/python.h"

namespace pydl {
namespace {

using Optional = std::optional<Tensor>;

Tensor or_undefined(const Optional& tensor) { return tensor ? *tensor : Tensor(); }

}  // namespace

void bind_norm(py::module_& module) {
  module.def(
      "layer_norm",
      [](const Tensor& x, const Optional& gamma, const Optional& beta, const Dims& axis,
         double epsilon) {
        return layer_norm(x, or_undefined(gamma), or_undefined(beta), axis, epsilon);
      },
      py::arg("x"), py::arg("gamma"), py::arg("beta"), py::arg("axis"), py::arg("epsilon"),
      WithoutGil());
  module.def(
      "rms_norm",
      [](const Tensor& x, const Optional& gamma, const Dims& axis, double epsilon) {
        return rms_norm(x, or_undefined(gamma), axis, epsilon);
      },
      py::arg("x"), py::arg("gamma"), py::arg("axis"), py::arg("epsilon"), WithoutGil());
  module.def(
      "group_norm",
      [](const Tensor& x, int64_t groups, const Optional& gamma, const Optional& beta, int64_t axis,
         double epsilon) {
        return group_norm(x, groups, or_undefined(gamma), or_undefined(beta), axis, epsilon);
      },
      py::arg("x"), py::arg("groups"), py::arg("gamma"), py::arg("beta"), py::arg("axis"),
      py::arg("epsilon"), WithoutGil());
  module.def(
      "batch_norm",
      [](const Tensor& x, const Optional& gamma, const Optional& beta, const Tensor& moving_mean,
         const Tensor& moving_variance, int64_t axis, double momentum, double epsilon,
         bool training) {
        return batch_norm(x, or_undefined(gamma), or_undefined(beta), moving_mean, moving_variance,
                          axis, momentum, epsilon, training);
      },
      py::arg("x"), py::arg("gamma"), py::arg("beta"), py::arg("moving_mean"),
      py::arg("moving_variance"), py::arg("axis"), py::arg("momentum"), py::arg("epsilon"),
      py::arg("training"), WithoutGil());
}

}  // namespace pydl
