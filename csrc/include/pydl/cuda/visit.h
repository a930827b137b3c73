// From a PydlDType to a C++ type: visit_floating(context, "softmax", dtype, [&](auto zero) {
//   using T = decltype(zero); return launch(context, ...); });
#pragma once

#include <stdio.h>

#include "pydl/abi.h"
#include "pydl/cuda/dtype.cuh"

namespace pydl::cuda {

inline const char* dtype_name(PydlDType dtype) {
  switch (dtype) {
    case PYDL_FLOAT32: return "float32";
    case PYDL_FLOAT64: return "float64";
    case PYDL_FLOAT16: return "float16";
    case PYDL_BFLOAT16: return "bfloat16";
    case PYDL_INT8: return "int8";
    case PYDL_UINT8: return "uint8";
    case PYDL_INT32: return "int32";
    case PYDL_INT64: return "int64";
    case PYDL_BOOL: return "bool";
    default: return "unknown";
  }
}

inline PydlStatus fail_dtype(const PydlContext* context, const char* op, const char* expected,
                             PydlDType dtype) {
  char message[160];
  snprintf(message, sizeof message, "[%s] expected %s, got %s. Hint: cast it with astype", op,
           expected, dtype_name(dtype));
  return context->fail(context, PYDL_ERROR_DTYPE, message);
}

inline bool is_floating(PydlDType dtype) { return dtype >= PYDL_FLOAT32 && dtype <= PYDL_BFLOAT16; }

template <class Visitor>
inline PydlStatus visit_floating(const PydlContext* context, const char* op, PydlDType dtype,
                                 Visitor&& visitor) {
  switch (dtype) {
    case PYDL_FLOAT32: return visitor(float{});
    case PYDL_FLOAT64: return visitor(double{});
    case PYDL_FLOAT16: return visitor(float16{});
    case PYDL_BFLOAT16: return visitor(bfloat16{});
    default: return fail_dtype(context, op, "a floating dtype", dtype);
  }
}

template <class Visitor>
inline PydlStatus visit_integer(const PydlContext* context, const char* op, PydlDType dtype,
                                Visitor&& visitor) {
  switch (dtype) {
    case PYDL_INT8: return visitor(int8_t{});
    case PYDL_UINT8: return visitor(uint8_t{});
    case PYDL_INT32: return visitor(int32_t{});
    case PYDL_INT64: return visitor(int64_t{});
    default: return fail_dtype(context, op, "an integer dtype", dtype);
  }
}

// Floating and integer dtypes.
template <class Visitor>
inline PydlStatus visit_number(const PydlContext* context, const char* op, PydlDType dtype,
                               Visitor&& visitor) {
  if (is_floating(dtype)) return visit_floating(context, op, dtype, visitor);
  return visit_integer(context, op, dtype, visitor);
}

// All dtypes; bool comes as C++ bool.
template <class Visitor>
inline PydlStatus visit_all(const PydlContext* context, const char* op, PydlDType dtype,
                            Visitor&& visitor) {
  if (dtype == PYDL_BOOL) return visitor(bool{});
  return visit_number(context, op, dtype, visitor);
}

// For kernels that only move elements: an unsigned integer of their size.
template <class Visitor>
inline PydlStatus visit_item_size(const PydlContext* context, const char* op, int32_t item_size,
                                  Visitor&& visitor) {
  switch (item_size) {
    case 1: return visitor(uint8_t{});
    case 2: return visitor(uint16_t{});
    case 4: return visitor(uint32_t{});
    case 8: return visitor(uint64_t{});
    default: break;
  }
  char message[80];
  snprintf(message, sizeof message, "[%s] expected elements of 1, 2, 4 or 8 bytes, got %d", op,
           static_cast<int>(item_size));
  return context->fail(context, PYDL_ERROR_DTYPE, message);
}

}  // namespace pydl::cuda
