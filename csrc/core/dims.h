// A short list of extents, strides or axes, kept inline: no allocation for a shape.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <ostream>

#include "core/error.h"
#include "pydl/abi.h"

namespace pydl {

class Dims {
 public:
  static constexpr int kMaxRank = PYDL_MAX_RANK;

  Dims() = default;
  Dims(std::initializer_list<int64_t> values) {
    for (int64_t value : values) push_back(value);
  }
  template <class Iterator>
  Dims(Iterator first, Iterator last) {
    for (; first != last; ++first) push_back(*first);
  }
  static Dims filled(int rank, int64_t value) {
    Dims dims;
    for (int i = 0; i < rank; ++i) dims.push_back(value);
    return dims;
  }

  int size() const { return size_; }
  bool empty() const { return size_ == 0; }
  int64_t operator[](int i) const { return values_[i]; }
  int64_t& operator[](int i) { return values_[i]; }
  const int64_t* begin() const { return values_; }
  const int64_t* end() const { return values_ + size_; }
  int64_t* begin() { return values_; }
  int64_t* end() { return values_ + size_; }
  int64_t back() const { return values_[size_ - 1]; }
  int64_t& back() { return values_[size_ - 1]; }

  void push_back(int64_t value) {
    if (size_ == kMaxRank) fail<ValueError>("[tensor] expected at most ", kMaxRank, " dimensions");
    values_[size_++] = value;
  }
  void pop_back() { --size_; }
  void insert(int position, int64_t value) {
    push_back(value);
    std::rotate(begin() + position, end() - 1, end());
  }
  void erase(int position) {
    std::copy(begin() + position + 1, end(), begin() + position);
    --size_;
  }
  bool contains(int64_t value) const { return std::find(begin(), end(), value) != end(); }

  bool operator==(const Dims& other) const {
    return size_ == other.size_ && std::equal(begin(), end(), other.begin());
  }
  bool operator!=(const Dims& other) const { return !(*this == other); }

 private:
  int64_t values_[kMaxRank] = {};
  int size_ = 0;
};

// Printed as Python prints a tuple: (), (3,), (2, 3).
inline std::ostream& operator<<(std::ostream& out, const Dims& dims) {
  out << '(';
  for (int i = 0; i < dims.size(); ++i) out << (i ? ", " : "") << dims[i];
  return out << (dims.size() == 1 ? ",)" : ")");
}

// The number of elements of a shape; refuses negative extents and products that overflow.
inline int64_t count_elements(const Dims& shape) {
  int64_t count = 1;
  bool overflow = false;
  for (int64_t extent : shape) {
    if (extent < 0) fail<ValueError>("[tensor] expected extents of at least 0, got shape ", shape);
    overflow |= __builtin_mul_overflow(count, extent, &count);
  }
  if (overflow) {
    for (int64_t extent : shape)
      if (extent == 0) return 0;
    fail<ValueError>("[tensor] expected a shape with fewer than 2^63 elements, got ", shape);
  }
  return count;
}

inline Dims dense_strides(const Dims& shape) {
  Dims strides = shape;
  uint64_t step = 1;  // may wrap around in a shape without elements, whose strides lead nowhere
  for (int i = shape.size() - 1; i >= 0; --i) {
    strides[i] = static_cast<int64_t>(step);
    step *= static_cast<uint64_t>(std::max<int64_t>(shape[i], 1));
  }
  return strides;
}

// The first and the last element that strides reach, counted from where they begin.
struct Reach {
  int64_t first = 0, last = 0;
  Reach(const Dims& shape, const Dims& strides) {
    for (int i = 0; i < shape.size(); ++i)
      (strides[i] < 0 ? first : last) += strides[i] * std::max<int64_t>(shape[i] - 1, 0);
  }
  int64_t count() const { return last - first + 1; }
};

}  // namespace pydl
