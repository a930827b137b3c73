// Arguments that pooling and convolution share.
#pragma once

#include "bindings/python.h"
#include "ops/window.h"

namespace pydl {

// "valid", "same", "causal", or a (before, after) pair for each spatial axis.
inline Padding padding_from_python(const char* op, const py::object& padding) {
  Padding result;
  if (py::isinstance<py::str>(padding)) {
    std::string mode = py::cast<std::string>(padding);
    result.mode = mode == "valid"    ? Padding::Mode::valid
                  : mode == "same"   ? Padding::Mode::same
                  : mode == "causal" ? Padding::Mode::causal
                                     : Padding::Mode::pairs;
    if (result.mode != Padding::Mode::pairs) return result;
  } else if (py::isinstance<py::sequence>(padding)) {
    result.mode = Padding::Mode::pairs;
    for (py::handle item : padding) {
      Dims pair = dims_from_python(item);
      if (pair.size() != 2 || pair[0] < 0 || pair[1] < 0) break;
      result.before.push_back(pair[0]);
      result.after.push_back(pair[1]);
    }
    if (result.before.size() == static_cast<int>(py::len(padding))) return result;
  }
  fail<ValueError>(
      "[", op, "] expected padding to be \"valid\", \"same\" or pairs of integers of at least 0, ",
      "one for each spatial axis, got ", py::cast<std::string>(py::repr(padding)));
}

inline bool channels_first_from_python(const char* op, const std::string& data_format) {
  if (data_format != "channels_last" && data_format != "channels_first")
    fail<ValueError>("[", op,
                     "] expected data_format to be \"channels_last\" or \"channels_first\", got \"",
                     data_format, "\"");
  return data_format == "channels_first";
}

}  // namespace pydl
