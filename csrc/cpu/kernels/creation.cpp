// Sequences, one-hot rows and triangles.
#include "pydl/kernels/creation.h"

#include <string.h>

#include "cpu/simd/dtype.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kGrain = 1 << 15;  // elements that make a thread worth waking

template <class T, class Step>
PydlStatus fill_sequence(const PydlContext* context, const PydlArangeArgs* args, Step start,
                         Step step) {
  T* out = static_cast<T*>(args->out);
  parallel_for(context, args->count, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      out[i] = static_cast<T>(start + static_cast<Step>(i) * step);
  });
  return PYDL_OK;
}

template <class T>
PydlStatus fill_one_hot(const PydlContext* context, const PydlOneHotArgs* args) {
  T one;
  memcpy(&one, &args->one, sizeof one);
  const int64_t classes = args->classes;
  PydlStatus status = PYDL_OK;
  parallel_for(context, args->count, 1 + kGrain / (classes + 1), [&](int64_t begin, int64_t end) {
    T* out = static_cast<T*>(args->out);
    memset(out + begin * classes, 0, (end - begin) * classes * sizeof(T));
    for (int64_t j = begin; j < end; ++j) {
      const int64_t index = args->indices[j];
      if (index < 0) continue;
      if (index < classes) {
        out[j * classes + index] = one;
        continue;
      }
      char message[120];
      snprintf(message, sizeof message, "expected indices below %lld classes, got %lld",
               static_cast<long long>(classes), static_cast<long long>(index));
      __atomic_store_n(&status, context->fail(context, PYDL_ERROR_INDEX, message),
                       __ATOMIC_RELAXED);
      return;
    }
  });
  return status;
}

}  // namespace

PydlStatus arange(const PydlContext* context, const PydlArangeArgs* args) {
  const uint64_t start = static_cast<uint64_t>(args->integer_start);
  const uint64_t step = static_cast<uint64_t>(args->integer_step);
  switch (args->dtype) {
    case PYDL_FLOAT32:
      return fill_sequence<float>(context, args, args->start, args->step);
    case PYDL_FLOAT64:
      return fill_sequence<double>(context, args, args->start, args->step);
    case PYDL_INT32:
      return fill_sequence<int32_t>(context, args, start, step);
    case PYDL_INT64:
      return fill_sequence<int64_t>(context, args, start, step);
    default:
      return fail_dtype(context, "arange", "float32, float64, int32 or int64", args->dtype);
  }
}

PydlStatus one_hot(const PydlContext* context, const PydlOneHotArgs* args) {
  return visit_item_size(context, "one_hot", args->item_size, [&](auto zero) -> PydlStatus {
    return fill_one_hot<decltype(zero)>(context, args);
  });
}

PydlStatus triangle(const PydlContext* context, const PydlTriangleArgs* args) {
  const int64_t columns = args->columns, item = args->item_size;
  const int64_t rows = args->matrices * args->rows;
  parallel_for(context, rows, 1 + kGrain / (columns + 1), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      // Columns [first, last) are kept.
      int64_t cut = r % args->rows + args->diagonal + (args->upper ? 0 : 1);
      cut = cut < 0 ? 0 : cut > columns ? columns : cut;
      const int64_t first = args->upper ? cut : 0, last = args->upper ? columns : cut;
      const char* x = static_cast<const char*>(args->x) + r * columns * item;
      char* out = static_cast<char*>(args->out) + r * columns * item;
      memset(out, 0, first * item);
      memcpy(out + first * item, x + first * item, (last - first) * item);
      memset(out + last * item, 0, (columns - last) * item);
    }
  });
  return PYDL_OK;
}

}  // namespace pydl::cpu::PYDL_ISA
