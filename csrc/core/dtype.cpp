#include "core/dtype.h"

#include "core/error.h"

namespace pydl {
namespace {

struct Info {
  const char* name;
  size_t size;
  int level;  // of promotion
};

// In the order of PydlDType.
constexpr Info kInfo[PYDL_DTYPE_COUNT] = {
    {"float32", 4, 5}, {"float64", 8, 6}, {"float16", 2, 4}, {"bfloat16", 2, 4}, {"int8", 1, 1},
    {"uint8", 1, 1},   {"int32", 4, 2},   {"int64", 8, 3},   {"bool", 1, 0},
};

const Info& info(DType dtype) { return kInfo[static_cast<int>(dtype)]; }

}  // namespace

size_t item_size(DType dtype) { return info(dtype).size; }

const char* name(DType dtype) { return info(dtype).name; }

DType dtype_from_name(std::string_view wanted) {
  for (int i = 0; i < PYDL_DTYPE_COUNT; ++i)
    if (wanted == kInfo[i].name) return static_cast<DType>(i);
  fail<DTypeError>("[dtype] expected one of float32, float64, float16, bfloat16, int8, uint8, int32, "
                   "int64, bool, got '", wanted, "'");
}

DType promote(DType a, DType b) {
  if (a == b) return a;
  if (info(a).level == info(b).level) return is_floating(a) ? DType::float32 : DType::int32;
  return info(a).level > info(b).level ? a : b;
}

}  // namespace pydl
