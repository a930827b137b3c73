// Positions from index arrays and masks, and what is read and written at single positions.
#include "pydl/kernels/indexing.h"

#include "cpu/simd/dtype.h"
#include "cpu/strided.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kGrain = 1 << 15;  // elements that make a thread worth waking

PydlStatus fail_range(const PydlContext* context, const PydlRavelIndexArgs* args, int operand,
                      int64_t index) {
  const long long extent = args->extents[operand];
  char message[160];
  snprintf(message, sizeof message,
           "expected indices in [%lld, %lld) for axis %d of extent %lld, got %lld",
           args->wrap ? -extent : 0LL, extent, static_cast<int>(args->axes[operand]), extent,
           static_cast<long long>(index));
  return context->fail(context, PYDL_ERROR_INDEX, message);
}

// out = out * extent + index, over one operand.
template <class I>
PydlStatus add_operand(const PydlContext* context, const PydlRavelIndexArgs* args, int operand) {
  int64_t out_strides[PYDL_MAX_RANK], step = 1;
  for (int d = args->rank - 1; d >= 0; --d) {
    out_strides[d] = step;
    step *= args->shape[d];
  }
  const StridedSpace<2> space{args->rank, args->shape, {args->strides[operand], out_strides}};
  const int64_t stride = space.column_stride(0);
  const int64_t extent = args->extents[operand], lowest = args->wrap ? -extent : 0;
  PydlStatus status = PYDL_OK;
  for_each_row(context, space, kGrain, [&](const int64_t* offsets, int64_t n) {
    const I* indices = static_cast<const I*>(args->indices[operand]) + offsets[0];
    int64_t* out = args->out + offsets[1];
    int64_t bad = 0;
    const auto combine = [&](auto step) {
      for (int64_t i = 0; i < n; ++i) {
        const int64_t index = indices[i * step];
        bad |= (index < lowest) | (index >= extent);
        out[i] = (operand ? out[i] * extent : 0) + index + (index < 0 ? extent : 0);
      }
    };
    stride == 1 ? combine(std::integral_constant<int64_t, 1>()) : combine(stride);
    if (!bad) return;
    for (int64_t i = 0; i < n; ++i) {
      const int64_t index = indices[i * stride];
      if (index >= lowest && index < extent) continue;
      __atomic_store_n(&status, fail_range(context, args, operand, index), __ATOMIC_RELAXED);
      return;
    }
  });
  return status;
}

// Calls body(position) for the true elements of mask[begin .. end).
template <class Body>
inline void for_each_true(const uint8_t* mask, int64_t begin, int64_t end, Body&& body) {
  int64_t i = begin;
  for (; i + 8 <= end; i += 8) {
    uint64_t eight;
    memcpy(&eight, mask + i, 8);
    eight |= eight >> 4;  // bools of other libraries may have several bits
    eight |= eight >> 2;
    eight |= eight >> 1;
    eight &= 0x0101010101010101;
    for (; eight; eight &= eight - 1) body(i + __builtin_ctzll(eight) / 8);  // one bit each
  }
  for (; i < end; ++i) {
    if (mask[i]) body(i);
  }
}

inline int64_t count_true(const uint8_t* mask, int64_t begin, int64_t end) {
  int64_t total = 0;
  for (int64_t i = begin; i < end; ++i) total += mask[i] != 0;
  return total;
}

// Rows [begin, end) of one outer slice.
template <class T>
inline void gather_rows(const PydlGatherArgs* args, int64_t outer, int64_t begin, int64_t end) {
  const int64_t inner = args->inner, first = (outer * args->count + begin) * inner;
  const T* x = static_cast<const T*>(args->x) + outer * args->extent * inner;
  T* out = static_cast<T*>(args->out) + first;
  const int64_t* indices = args->indices + first;
  if (inner == 1) {
    for (int64_t j = 0; j < end - begin; ++j) out[j] = x[indices[j]];
    return;
  }
  for (int64_t j = begin; j < end; ++j, out += inner, indices += inner) {
    for (int64_t i = 0; i < inner; ++i) out[i] = x[indices[i] * inner + i];
  }
}

template <class T>
inline void accumulate(T& target, T value) {
  if constexpr (std::is_integral_v<T>)  // wraps around, where signed addition would be undefined
    target = static_cast<T>(static_cast<uint64_t>(target) + static_cast<uint64_t>(value));
  else
    target += value;
}

// Of the columns [begin, end) of one outer slice.
template <class T>
inline void scatter_columns(const PydlScatterAddArgs* args, int64_t outer, int64_t begin,
                            int64_t end) {
  const int64_t inner = args->inner, first = outer * args->count * inner;
  const T* updates = static_cast<const T*>(args->updates) + first;
  const int64_t* indices = args->indices + first;
  T* out = static_cast<T*>(args->out) + outer * args->extent * inner;
  if (inner == 1) {
    for (int64_t j = 0; j < args->count; ++j) accumulate(out[indices[j]], updates[j]);
    return;
  }
  for (int64_t j = 0; j < args->count; ++j, updates += inner, indices += inner) {
    for (int64_t i = begin; i < end; ++i) accumulate(out[indices[i] * inner + i], updates[i]);
  }
}

}  // namespace

PydlStatus ravel_index(const PydlContext* context, const PydlRavelIndexArgs* args) {
  for (int operand = 0; operand < args->operands; ++operand) {
    const PydlStatus status = args->dtypes[operand] == PYDL_INT32
                                  ? add_operand<int32_t>(context, args, operand)
                                  : add_operand<int64_t>(context, args, operand);
    if (status != PYDL_OK) return status;
  }
  return PYDL_OK;
}

PydlStatus nonzero(const PydlContext* context, const PydlNonzeroArgs* args) {
  constexpr int64_t kChunk = 1 << 16;
  const int64_t chunks = (args->count + kChunk - 1) / kChunk;
  const Scratch<int64_t> starts(context, chunks + 1);  // where each chunk's results begin
  if (!starts) return PYDL_ERROR_MEMORY;
  const auto end_of = [&](int64_t chunk) {
    return chunk + 1 < chunks ? (chunk + 1) * kChunk : args->count;
  };
  parallel_for(context, chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c)
      starts[c + 1] = count_true(args->mask, c * kChunk, end_of(c));
  });
  starts[0] = 0;
  for (int64_t c = 0; c < chunks; ++c) starts[c + 1] += starts[c];
  *args->total = starts[chunks];
  if (!args->out) return PYDL_OK;
  parallel_for(context, chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      int64_t* out = args->out + starts[c];
      for_each_true(args->mask, c * kChunk, end_of(c), [&](int64_t i) { *out++ = i; });
    }
  });
  return PYDL_OK;
}

PydlStatus gather(const PydlContext* context, const PydlGatherArgs* args) {
  const int32_t item_size = static_cast<int32_t>(args->item_size);
  return visit_item_size(context, "gather", item_size, [&](auto zero) -> PydlStatus {
    const int64_t rows = args->outer * args->count, grain = 1 + kGrain / (args->inner + 1);
    parallel_for(context, rows, grain, [&](int64_t begin, int64_t end) {
      while (begin < end) {
        const int64_t outer = begin / args->count, j = begin % args->count;
        const int64_t n = args->count - j < end - begin ? args->count - j : end - begin;
        gather_rows<decltype(zero)>(args, outer, j, j + n);
        begin += n;
      }
    });
    return PYDL_OK;
  });
}

PydlStatus scatter_add(const PydlContext* context, const PydlScatterAddArgs* args) {
  // A column belongs to one thread, so its sums are taken in one order.
  return visit_all(context, "scatter_add", args->dtype, [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, Compute<T>> && !std::is_same_v<T, bool>) {
      const int64_t inner = args->inner, grain = 1 + kGrain / (args->count + 1);
      parallel_for(context, args->outer * inner, grain, [&](int64_t begin, int64_t end) {
        while (begin < end) {
          const int64_t outer = begin / inner, column = begin % inner;
          const int64_t n = inner - column < end - begin ? inner - column : end - begin;
          scatter_columns<T>(args, outer, column, column + n);
          begin += n;
        }
      });
      return PYDL_OK;
    } else {
      return fail_dtype(context, "scatter_add", "float32, float64 or an integer dtype",
                        args->dtype);
    }
  });
}

}  // namespace pydl::cpu::PYDL_ISA
