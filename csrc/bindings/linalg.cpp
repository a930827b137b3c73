#include "bindings/python.h"
#include "ops/linalg.h"
#include "ops/quantized_linear.h"

namespace pydl {

void bind_linalg(py::module_& module) {
  module.def("matmul", &matmul, py::arg("x1"), py::arg("x2"), WithoutGil());
  module.def("dot", &dot, py::arg("x1"), py::arg("x2"), WithoutGil());
  module.def("outer", &outer, py::arg("x1"), py::arg("x2"), WithoutGil());
  module.def("tensordot", &tensordot, py::arg("x1"), py::arg("x2"), py::arg("x1_axes"),
             py::arg("x2_axes"), WithoutGil());
  module.def("linear",
             [](const Tensor& x, const Tensor& kernel, const std::optional<Tensor>& bias,
                const std::optional<std::string>& activation, int64_t axes) {
               return linear(x, kernel, bias.value_or(Tensor()), activation.value_or(""), axes);
             },
             py::arg("x"), py::arg("kernel"), py::arg("bias"), py::arg("activation"),
             py::arg("axes"), WithoutGil());
  module.def("quantized_linear",
             [](const Tensor& x, const Tensor& kernel, const Tensor& kernel_scale,
                const std::optional<Tensor>& bias, const std::optional<std::string>& activation,
                const std::optional<Tensor>& x_scale) {
               return quantized_linear(x, kernel, kernel_scale, bias.value_or(Tensor()),
                                       activation.value_or(""), x_scale.value_or(Tensor()));
             },
             py::arg("x"), py::arg("kernel"), py::arg("kernel_scale"), py::arg("bias"),
             py::arg("activation"), py::arg("x_scale"), WithoutGil());
}

}  // namespace pydl
