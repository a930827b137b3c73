// The extension module: each file of this folder adds its part.
#include <pybind11/pybind11.h>

#define PYDL_BINDINGS(X) \
  X(errors) \
  X(tensor) \
  X(config) \
  X(dlpack) \
  X(autograd) \
  X(creation) \
  X(elementwise) \
  X(random) \
  X(reduce) \
  X(shape) \
  X(take) \
  X(linalg) \
  X(conv) \
  X(machine) \
  X(nn) \
  X(attention) \
  X(norm) \
  X(pool) \
  X(recurrent) \
  X(loss) \
  X(optimizer) \
  X(text) \
  X(image) \
  X(extension) \
  X(gpu) \
  X(cuda_array) \
  X(capture) \
  X(recording)

namespace pydl {
#define PYDL_DECLARE(part) void bind_##part(pybind11::module_& module);
PYDL_BINDINGS(PYDL_DECLARE)
#undef PYDL_DECLARE
}  // namespace pydl

PYBIND11_MODULE(_core, module) {
  module.doc() = "The C++ core of pydl.";
  module.attr("__version__") = PYDL_VERSION;
#define PYDL_BIND(part) pydl::bind_##part(module);
  PYDL_BINDINGS(PYDL_BIND)
#undef PYDL_BIND
}
