// What the normalisation kernels share: parameters that may be absent, and sums over rows that do
// not depend on the number of threads.
#pragma once

#include "cpu/kernel.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// gamma or beta; the neutral value everywhere when the caller passed none.
template <class T>
class Parameter {
 public:
  Parameter(const PydlContext* context, const void* given, int64_t count, T neutral)
      : given_(static_cast<const T*>(given)), own_(context, given ? 1 : count) {
    if (!given && own_) {
      for (int64_t i = 0; i < count; ++i) own_[i] = neutral;
    }
  }
  explicit operator bool() const { return given_ || own_; }
  const T* data() const { return given_ ? given_ : own_.data(); }

 private:
  const T* given_;
  Scratch<T> own_;
};

// Rows in at most `most` parts of at least `smallest` rows, each of which one thread sums.
struct Parts {
  int64_t rows, count;

  Parts(int64_t row_count, int64_t smallest, int64_t most)
      : rows(row_count), count(row_count / smallest) {
    if (count > most) count = most;
    if (count < 1) count = 1;
  }
  int64_t begin(int64_t part) const { return part * rows / count; }
  int64_t longest() const { return (rows + count - 1) / count; }
};

// out[i] = the sum over parts of parts[part * stride + i], in order; out may be NULL.
template <class T>
inline void add_parts(const T* parts, int64_t count, int64_t stride, int64_t n, T* out) {
  if (!out) return;
  for (int64_t i = 0; i < n; ++i) out[i] = parts[i];
  for (int64_t part = 1; part < count; ++part) {
    for (int64_t i = 0; i < n; ++i) out[i] += parts[part * stride + i];
  }
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
