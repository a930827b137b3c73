#include "bindings/windows.h"
#include "ops/conv.h"

namespace pydl {
namespace {

using Text = std::optional<std::string>;

ConvOptions options_from_python(const char* op, const Dims& strides, const py::object& padding,
                                const std::string& data_format, const Dims& dilation_rate,
                                const Text& activation) {
  return {strides, padding_from_python(op, padding), dilation_rate,
          channels_first_from_python(op, data_format), activation.value_or("")};
}

}  // namespace

void bind_conv(py::module_& module) {
  using Optional = std::optional<Tensor>;
  module.def("conv",
             [](const Tensor& x, const Tensor& kernel, const Optional& bias, const Dims& strides,
                const py::object& padding, const Dims& dilation_rate, int64_t groups,
                const std::string& data_format, const Text& activation, const Optional& residual) {
               ConvOptions options =
                   options_from_python("conv", strides, padding, data_format, dilation_rate, activation);
               py::gil_scoped_release without_gil;
               return conv(x, kernel, bias.value_or(Tensor()), options, groups,
                           residual.value_or(Tensor()));
             },
             py::arg("x"), py::arg("kernel"), py::arg("bias"), py::arg("strides"), py::arg("padding"),
             py::arg("dilation_rate"), py::arg("groups"), py::arg("data_format"), py::arg("activation"),
             py::arg("residual"));
  module.def("depthwise_conv",
             [](const Tensor& x, const Tensor& kernel, const Optional& bias, const Dims& strides,
                const py::object& padding, const std::string& data_format, const Dims& dilation_rate,
                const Text& activation) {
               ConvOptions options = options_from_python("depthwise_conv", strides, padding, data_format,
                                                         dilation_rate, activation);
               py::gil_scoped_release without_gil;
               return depthwise_conv(x, kernel, bias.value_or(Tensor()), options);
             },
             py::arg("x"), py::arg("kernel"), py::arg("bias"), py::arg("strides"), py::arg("padding"),
             py::arg("data_format"), py::arg("dilation_rate"), py::arg("activation"));
  module.def("conv_transpose",
             [](const Tensor& x, const Tensor& kernel, const Optional& bias, const Dims& strides,
                const py::object& padding, const std::optional<Dims>& output_padding,
                const std::string& data_format, const Dims& dilation_rate, const Text& activation) {
               ConvOptions options = options_from_python("conv_transpose", strides, padding, data_format,
                                                         dilation_rate, activation);
               py::gil_scoped_release without_gil;
               return conv_transpose(x, kernel, bias.value_or(Tensor()), options, output_padding);
             },
             py::arg("x"), py::arg("kernel"), py::arg("bias"), py::arg("strides"), py::arg("padding"),
             py::arg("output_padding"), py::arg("data_format"), py::arg("dilation_rate"),
             py::arg("activation"));
}

}  // namespace pydl
