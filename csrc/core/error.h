// Typed errors. Bindings turn each into the Python exception of the same name.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace pydl {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct ValueError : Error {
  using Error::Error;
};
struct ShapeError : ValueError {
  using ValueError::ValueError;
};
struct IndexError : Error {
  using Error::Error;
};
struct DTypeError : Error {
  using Error::Error;
};
struct DeviceError : Error {
  using Error::Error;
};
struct OutOfMemoryError : Error {
  using Error::Error;
};
struct AutogradError : Error {
  using Error::Error;
};

template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// fail<ShapeError>("[matmul] expected ..., got ", a.shape());
template <class E, class... Parts>
[[noreturn]] __attribute__((cold, noinline)) void fail(const Parts&... parts) {
  throw E(text(parts...));
}

}  // namespace pydl
