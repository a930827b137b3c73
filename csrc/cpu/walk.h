// Visits the elements of a strided index space in row-major order.
#pragma once

#include "pydl/abi.h"
#include "cpu/kernel.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

struct Walk {
  int rank = 0;
  const int64_t* shape = nullptr;
  const int64_t* strides = nullptr;
  int64_t offset = 0;  // of the current element
  int64_t index[PYDL_MAX_RANK] = {};

  Walk() = default;
  Walk(int rank, const int64_t* shape, const int64_t* strides)
      : rank(rank), shape(shape), strides(strides) {}

  int64_t count() const {
    int64_t count = 1;
    for (int i = 0; i < rank; ++i) count *= shape[i];
    return count;
  }
  void seek(int64_t position) {
    offset = 0;
    for (int i = rank - 1; i >= 0; --i) {
      index[i] = position % shape[i];
      position /= shape[i];
      offset += index[i] * strides[i];
    }
  }
  void next() {
    for (int i = rank - 1; i >= 0; --i) {
      offset += strides[i];
      if (++index[i] < shape[i]) return;
      offset -= shape[i] * strides[i];
      index[i] = 0;
    }
  }
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
