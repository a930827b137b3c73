// Element types: names, sizes, kinds and promotion.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string_view>

#include "pydl/abi.h"

namespace pydl {

enum class DType : PydlDType {
  float32 = PYDL_FLOAT32,
  float64 = PYDL_FLOAT64,
  float16 = PYDL_FLOAT16,
  bfloat16 = PYDL_BFLOAT16,
  int8 = PYDL_INT8,
  uint8 = PYDL_UINT8,
  int32 = PYDL_INT32,
  int64 = PYDL_INT64,
  boolean = PYDL_BOOL,
};

size_t item_size(DType dtype);
const char* name(DType dtype);
DType dtype_from_name(std::string_view name);  // throws DTypeError that lists the names

inline bool is_floating(DType dtype) { return static_cast<PydlDType>(dtype) <= PYDL_BFLOAT16; }
inline bool is_integer(DType dtype) { return !is_floating(dtype) && dtype != DType::boolean; }

// bool < uint8, int8 < int32 < int64 < float16, bfloat16 < float32 < float64; two different types of
// one level meet at the next level that holds both.
DType promote(DType a, DType b);

inline std::ostream& operator<<(std::ostream& out, DType dtype) { return out << name(dtype); }

}  // namespace pydl
