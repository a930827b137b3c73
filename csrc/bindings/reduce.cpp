#include "bindings/python.h"
#include "ops/reduce.h"
#include "ops/scan.h"
#include "ops/sort.h"
#include "ops/statistics.h"

namespace pydl {

void bind_reduce(py::module_& module) {
  auto bind = [&](const char* name, Tensor (*function)(const Tensor&, const Axes&, bool)) {
    module.def(name, function, py::arg("x"), py::arg("axis") = py::none(), py::arg("keepdims") = false,
               WithoutGil());
  };
  bind("sum", &sum);
  bind("mean", &mean);
  bind("prod", &prod);
  bind("sum_abs", &sum_abs);
  bind("sum_squares", &sum_squares);
  bind("max", &max);
  bind("min", &min);
  bind("any", &any);
  bind("all", &all);
  bind("count_nonzero", &count_nonzero);
  bind("var", &var);
  bind("std", &stddev);
  bind("logsumexp", &logsumexp);
  bind("norm", &norm);
  auto bind_arg = [&](const char* name, Tensor (*function)(const Tensor&, std::optional<int64_t>, bool)) {
    module.def(name, function, py::arg("x"), py::arg("axis") = py::none(), py::arg("keepdims") = false,
               WithoutGil());
  };
  bind_arg("argmax", &argmax);
  bind_arg("argmin", &argmin);
  auto bind_scan = [&](const char* name, Tensor (*function)(const Tensor&, int64_t, bool)) {
    module.def(name, function, py::arg("x"), py::arg("axis"), py::arg("reverse") = false, WithoutGil());
  };
  bind_scan("cumsum", &cumsum);
  bind_scan("cumprod", &cumprod);
  module.def("sort", &sort, py::arg("x"), py::arg("axis") = -1, WithoutGil());
  module.def("argsort", &argsort, py::arg("x"), py::arg("axis") = -1, WithoutGil());
  module.def("top_k", &top_k, py::arg("x"), py::arg("k"), WithoutGil());
}

}  // namespace pydl
