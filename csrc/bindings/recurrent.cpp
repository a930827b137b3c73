#include "ops/recurrent.h"

#include "bindings/python.h"

namespace pydl {
namespace {

using Optional = std::optional<Tensor>;

Recurrence recurrence(const Tensor& x, const Tensor& kernel, const Tensor& recurrent_kernel,
                      const Optional& bias, const std::vector<Tensor>& states, const Optional& mask,
                      bool go_backwards) {
  return {x,
          kernel,
          recurrent_kernel,
          bias.value_or(Tensor()),
          states,
          mask.value_or(Tensor()),
          go_backwards};
}

}  // namespace

void bind_recurrent(py::module_& module) {
  module.def(
      "lstm",
      [](const Tensor& x, const Tensor& kernel, const Tensor& recurrent_kernel,
         const Optional& bias, const std::vector<Tensor>& initial_state, const Optional& mask,
         bool go_backwards) {
        return lstm(
            recurrence(x, kernel, recurrent_kernel, bias, initial_state, mask, go_backwards));
      },
      py::arg("x"), py::arg("kernel"), py::arg("recurrent_kernel"), py::arg("bias"),
      py::arg("initial_state"), py::arg("mask"), py::arg("go_backwards"), WithoutGil());
  module.def(
      "gru",
      [](const Tensor& x, const Tensor& kernel, const Tensor& recurrent_kernel,
         const Optional& bias, const std::vector<Tensor>& initial_state, const Optional& mask,
         bool go_backwards, bool reset_after) {
        return gru(recurrence(x, kernel, recurrent_kernel, bias, initial_state, mask, go_backwards),
                   reset_after);
      },
      py::arg("x"), py::arg("kernel"), py::arg("recurrent_kernel"), py::arg("bias"),
      py::arg("initial_state"), py::arg("mask"), py::arg("go_backwards"), py::arg("reset_after"),
      WithoutGil());
  module.def(
      "simple_rnn",
      [](const Tensor& x, const Tensor& kernel, const Tensor& recurrent_kernel,
         const Optional& bias, const std::vector<Tensor>& initial_state, const Optional& mask,
         bool go_backwards, const std::optional<std::string>& activation) {
        return simple_rnn(
            recurrence(x, kernel, recurrent_kernel, bias, initial_state, mask, go_backwards),
            activation.value_or(""));
      },
      py::arg("x"), py::arg("kernel"), py::arg("recurrent_kernel"), py::arg("bias"),
      py::arg("initial_state"), py::arg("mask"), py::arg("go_backwards"), py::arg("activation"),
      WithoutGil());
}

}  // namespace pydl
