// C++ sugar over abi.h for kernel authors. Everything here has internal linkage, so that no copy
// compiled for one instruction set can be linked into code meant for another.
#pragma once

#include <type_traits>

#include "pydl/abi.h"

namespace pydl {
namespace {

// parallel_for(context, rows, grain, [&](int64_t begin, int64_t end) { ... });
template <class Body>
inline void parallel_for(const PydlContext* context, int64_t count, int64_t grain, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  context->parallel_for(
      context, count, grain,
      [](void* arg, int64_t begin, int64_t end) { (*static_cast<Plain*>(arg))(begin, end); }, &body);
}

// Scratch memory that is given back at the end of the scope.
template <class T>
class Scratch {
 public:
  Scratch(const PydlContext* context, int64_t count)
      : context_(context),
        data_(static_cast<T*>(context->allocate(context, static_cast<size_t>(count) * sizeof(T)))) {}
  ~Scratch() {
    if (data_) context_->release(context_, data_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  explicit operator bool() const { return data_ != nullptr; }
  T* data() const { return data_; }
  T& operator[](int64_t i) const { return data_[i]; }

 private:
  const PydlContext* context_;
  T* data_;
};

}  // namespace
}  // namespace pydl
