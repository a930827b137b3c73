#pragma once

#include <pybind11/pybind11.h>

namespace pydl {

void bind_errors(pybind11::module_& module);

}  // namespace pydl
