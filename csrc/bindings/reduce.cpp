#include "bindings/python.h"
#include "ops/reduce.h"

namespace pydl {

void bind_reduce(py::module_& module) {
  auto bind = [&](const char* name, Tensor (*function)(const Tensor&, const std::optional<Dims>&, bool)) {
    module.def(name, function, py::arg("x"), py::arg("axis") = py::none(), py::arg("keepdims") = false,
               WithoutGil());
  };
  bind("sum", &sum);
  bind("mean", &mean);
}

}  // namespace pydl
