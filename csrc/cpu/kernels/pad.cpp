// Padding: a row of the output is one end, a row of x and the other end.
#include <string.h>

#include "cpu/simd/dtype.h"
#include "pydl/kernels/indexing.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kGrain = 1 << 15;  // elements that make a thread worth waking

// The entry of axis d of x that an entry of the output comes from, or -1.
inline int64_t source_of(const PydlPadArgs* args, int d, int64_t at) {
  const int64_t inside = at - args->before[d];
  if (inside >= 0 && inside < args->x_shape[d]) return inside;
  if (!args->ends[d]) return -1;
  return args->ends[d][inside < 0 ? at : at - args->x_shape[d]];
}

// The row of x that a row of the output comes from, or -1. Rows run along the last axis.
inline int64_t source_row(const PydlPadArgs* args, int64_t row) {
  int64_t source = 0, step = 1;
  for (int d = args->rank - 2; d >= 0; --d) {
    const int64_t extent = args->before[d] + args->x_shape[d] + args->after[d];
    const int64_t at = source_of(args, d, row % extent);
    row /= extent;
    if (at < 0) return -1;
    source += at * step;
    step *= args->x_shape[d];
  }
  return source;
}

template <class T>
inline void fill(T* out, int64_t count, T value) {
  for (int64_t i = 0; i < count; ++i) out[i] = value;
}

template <class T>
PydlStatus pad_rows(const PydlContext* context, const PydlPadArgs* args) {
  T value;
  memcpy(&value, &args->value, sizeof value);
  const int last = args->rank - 1;
  const int64_t block = args->block, before = args->before[last], after = args->after[last];
  const int64_t middle = args->x_shape[last], columns = (before + middle + after) * block;
  const int64_t* ends = args->ends[last];
  int64_t rows = 1;
  for (int d = 0; d < last; ++d) rows *= args->before[d] + args->x_shape[d] + args->after[d];

  const auto pad_end = [&](T* out, const T* x, int64_t begin, int64_t end) {
    if (!ends) return fill(out, (end - begin) * block, value);
    for (int64_t i = begin; i < end; ++i, out += block)
      memcpy(out, x + ends[i] * block, block * sizeof(T));
  };
  parallel_for(context, rows, 1 + kGrain / (columns + 1), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      T* out = static_cast<T*>(args->out) + row * columns;
      const int64_t source = source_row(args, row);
      if (source < 0) {
        fill(out, columns, value);
        continue;
      }
      const T* x = static_cast<const T*>(args->x) + source * middle * block;
      pad_end(out, x, 0, before);
      memcpy(out + before * block, x, middle * block * sizeof(T));
      pad_end(out + (before + middle) * block, x, before, before + after);
    }
  });
  return PYDL_OK;
}

}  // namespace

PydlStatus pad(const PydlContext* context, const PydlPadArgs* args) {
  return visit_item_size(context, "pad", args->item_size, [&](auto zero) -> PydlStatus {
    return pad_rows<decltype(zero)>(context, args);
  });
}

}  // namespace pydl::cpu::PYDL_ISA
