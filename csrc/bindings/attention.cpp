#include "ops/attention.h"

#include "bindings/python.h"

namespace pydl {

void bind_attention(py::module_& module) {
  module.def(
      "scaled_dot_product_attention",
      [](const Tensor& query, const Tensor& key, const Tensor& value,
         const std::optional<Tensor>& mask, bool is_causal, std::optional<double> scale,
         double dropout, Generator& generator) {
        return scaled_dot_product_attention(query, key, value, mask.value_or(Tensor()),
                                            {is_causal, scale, dropout}, generator);
      },
      py::arg("query"), py::arg("key"), py::arg("value"), py::arg("mask"), py::arg("is_causal"),
      py::arg("scale"), py::arg("dropout"), py::arg("generator"), WithoutGil());
}

}  // namespace pydl
