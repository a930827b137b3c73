#include "ops/pool.h"

#include "bindings/windows.h"

namespace pydl {
namespace {

using Pool = Tensor (*)(const Tensor&, const Dims&, const Dims&, const Padding&, bool);
using GlobalPool = Tensor (*)(const Tensor&, bool, bool);

void bind_pool(py::module_& module, const char* name, Pool pool) {
  module.def(
      name,
      [name, pool](const Tensor& x, const Dims& pool_size, const std::optional<Dims>& strides,
                   const py::object& padding, const std::string& data_format) {
        Padding parsed = padding_from_python(name, padding);
        if (parsed.mode == Padding::Mode::causal)
          fail<ValueError>("[", name, "] expected padding to be \"valid\", \"same\" or pairs, got ",
                           "\"causal\"");
        bool channels_first = channels_first_from_python(name, data_format);
        py::gil_scoped_release without_gil;
        return pool(x, pool_size, strides.value_or(Dims()), parsed, channels_first);
      },
      py::arg("x"), py::arg("pool_size"), py::arg("strides"), py::arg("padding"),
      py::arg("data_format"));
}

void bind_global_pool(py::module_& module, const char* name, GlobalPool pool) {
  module.def(
      name,
      [name, pool](const Tensor& x, const std::string& data_format, bool keepdims) {
        return pool(x, channels_first_from_python(name, data_format), keepdims);
      },
      py::arg("x"), py::arg("data_format"), py::arg("keepdims"), WithoutGil());
}

}  // namespace

void bind_pool(py::module_& module) {
  bind_pool(module, "max_pool", max_pool);
  bind_pool(module, "average_pool", average_pool);
  bind_global_pool(module, "global_max_pool", global_max_pool);
  bind_global_pool(module, "global_average_pool", global_average_pool);
}

}  // namespace pydl
