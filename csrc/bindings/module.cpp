#include "bindings/errors.h"
#include "bindings/python.h"

PYBIND11_MODULE(_core, module) {
  module.doc() = "The C++ core of pydl.";
  module.attr("__version__") = PYDL_VERSION;
  pydl::bind_errors(module);
  pydl::bind_tensor(module);
  pydl::bind_config(module);
  pydl::bind_dlpack(module);
  pydl::bind_autograd(module);
  pydl::bind_creation(module);
  pydl::bind_elementwise(module);
  pydl::bind_reduce(module);
  pydl::bind_shape(module);
  pydl::bind_linalg(module);
  pydl::bind_nn(module);
}
