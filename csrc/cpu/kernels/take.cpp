// Reading, writing and summing whole rows at given positions: embeddings and their gradients.
#include <string.h>

#include "cpu/elementwise.h"
#include "pydl/kernels/indexing.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kGrainBytes = 1 << 17;  // that make a thread worth waking

template <int bytes>
struct Fixed {
  static void copy(char* to, const char* from, int64_t) { memcpy(to, from, bytes); }
};
struct Any {
  static void copy(char* to, const char* from, int64_t bytes) { memcpy(to, from, bytes); }
};

// Rows of common small sizes are moved by an instruction instead of a call.
template <class Visitor>
inline void visit_row_size(int64_t bytes, Visitor&& visitor) {
  switch (bytes) {
    case 1:
      return visitor(Fixed<1>{});
    case 2:
      return visitor(Fixed<2>{});
    case 4:
      return visitor(Fixed<4>{});
    case 8:
      return visitor(Fixed<8>{});
    case 16:
      return visitor(Fixed<16>{});
    default:
      return visitor(Any{});
  }
}

// Which no prefetching by itself could know.
inline void ask_for_row(const char* row, int64_t bytes) {
  constexpr int64_t kMost = 1024;  // the rest follows by itself
  for (int64_t i = 0; i < bytes && i < kMost; i += 64) __builtin_prefetch(row + i);
}

inline int64_t grain_of(int64_t bytes) { return 1 + kGrainBytes / (bytes + 1); }

inline void zero_bytes(char* out, int64_t bytes, bool streams) {
  if (!streams) {
    memset(out, 0, bytes);
    return;
  }
  const int64_t head = -reinterpret_cast<uintptr_t>(out) % isa::kVectorBytes;
  int64_t i = head < bytes ? head : bytes;
  memset(out, 0, i);
  for (; i + isa::kVectorBytes <= bytes; i += isa::kVectorBytes)
    Vec<int8_t>(0).stream(reinterpret_cast<int8_t*>(out + i));
  memset(out + i, 0, bytes - i);
}

// The indices sorted by the row that they name: those of row e are order[starts[e] .. starts[e +
// 1]), ascending.
struct RowOrder {
  Scratch<int64_t> starts, order;

  RowOrder(const PydlContext* context, const int64_t* indices, int64_t count, int64_t extent)
      : starts(context, extent + 2), order(context, count) {
    if (!ready()) return;
    memset(starts.data(), 0, (extent + 2) * sizeof(int64_t));
    // One entry further on, so that filling advances each start to its row's end.
    for (int64_t j = 0; j < count; ++j) ++starts[indices[j] + 2];
    for (int64_t e = 1; e <= extent; ++e) starts[e + 1] += starts[e];
    for (int64_t j = 0; j < count; ++j) order[starts[indices[j] + 1]++] = j;
  }
  bool ready() const { return starts && order; }
};

// out = the sum of `hits` rows of dy, in order.
template <class T>
inline void sum_rows(const T* dy, const int64_t* hits, int64_t count, int64_t inner, T* out) {
  using C = Compute<T>;
  constexpr int kColumns = 512;
  alignas(64) C sums[kColumns];
  for (int64_t begin = 0; begin < inner; begin += kColumns) {
    const int n = static_cast<int>(inner - begin < kColumns ? inner - begin : kColumns);
    memset(sums, 0, sizeof sums);
    for (int64_t h = 0; h < count; ++h) {
      const T* row = dy + hits[h] * inner + begin;
      int i = 0;
      for (; i + Vec<C>::size <= n; i += Vec<C>::size)
        (Vec<C>::load(sums + i) + load(row + i)).store(sums + i);
      if (i < n) (Vec<C>::load(sums + i) + load(row + i, n - i)).store(sums + i);
    }
    int i = 0;
    for (; i + Vec<C>::size <= n; i += Vec<C>::size) store(Vec<C>::load(sums + i), out + begin + i);
    if (i < n) store(Vec<C>::load(sums + i), out + begin + i, n - i);
  }
}

// Each row of dx is written once: with zeros, a copy or a sum.
template <class T>
PydlStatus sum_sorted(const PydlContext* context, const PydlTakeBackwardArgs* args) {
  const int64_t inner = args->inner, extent = args->extent, bytes = inner * sizeof(T);
  const RowOrder rows(context, args->indices, args->count, extent);
  if (!rows.ready()) return PYDL_ERROR_MEMORY;
  const bool streams = args->outer * extent * bytes >= kStreamBytes;
  parallel_for(context, args->outer * extent, grain_of(bytes), [&](int64_t begin, int64_t end) {
    T* dx = static_cast<T*>(args->dx);
    int64_t written = begin;
    for (int64_t r = begin; r < end; ++r) {
      const int64_t e = r % extent, first = rows.starts[e], hits = rows.starts[e + 1] - first;
      if (hits == 0) continue;
      zero_bytes(reinterpret_cast<char*>(dx + written * inner), (r - written) * bytes, streams);
      const T* dy = static_cast<const T*>(args->dy) + r / extent * args->count * inner;
      if (hits == 1)
        memcpy(dx + r * inner, dy + rows.order[first] * inner, bytes);
      else
        sum_rows(dy, rows.order.data() + first, hits, inner, dx + r * inner);
      written = r + 1;
    }
    zero_bytes(reinterpret_cast<char*>(dx + written * inner), (end - written) * bytes, streams);
    isa::stream_fence();
  });
  return PYDL_OK;
}

// For short rows, where sorting costs more than it saves.
template <class T>
PydlStatus sum_directly(const PydlContext* context, const PydlTakeBackwardArgs* args) {
  const int64_t inner = args->inner, slice = args->extent * inner;
  char* bytes = static_cast<char*>(args->dx);
  parallel_for(context, args->outer * slice * sizeof(T), kGrainBytes,
               [&](int64_t begin, int64_t end) { memset(bytes + begin, 0, end - begin); });
  const int64_t grain = grain_of(args->count * inner * sizeof(T));
  parallel_for(context, args->outer, grain, [&](int64_t begin, int64_t end) {
    for (int64_t outer = begin; outer < end; ++outer) {
      const T* dy = static_cast<const T*>(args->dy) + outer * args->count * inner;
      T* dx = static_cast<T*>(args->dx) + outer * slice;
      for (int64_t j = 0; j < args->count; ++j) {
        T* target = dx + args->indices[j] * inner;
        for (int64_t i = 0; i < inner; ++i) target[i] += dy[j * inner + i];
      }
    }
  });
  return PYDL_OK;
}

}  // namespace

PydlStatus take(const PydlContext* context, const PydlTakeArgs* args) {
  const int64_t bytes = args->inner * args->item_size, count = args->count;
  visit_row_size(bytes, [&](auto row) {
    parallel_for(context, args->outer * count, grain_of(bytes), [&](int64_t begin, int64_t end) {
      char* out = static_cast<char*>(args->out) + begin * bytes;
      while (begin < end) {
        const int64_t outer = begin / count, first = begin % count;
        const int64_t n = count - first < end - begin ? count - first : end - begin;
        const char* x = static_cast<const char*>(args->x) + outer * args->extent * bytes;
        const int64_t* indices = args->indices + first;
        for (int64_t j = 0; j < n; ++j, out += bytes) {
          if (j + 1 < n) ask_for_row(x + indices[j + 1] * bytes, bytes);
          row.copy(out, x + indices[j] * bytes, bytes);
        }
        begin += n;
      }
    });
  });
  return PYDL_OK;
}

PydlStatus take_backward(const PydlContext* context, const PydlTakeBackwardArgs* args) {
  constexpr int64_t kShortRow = 16;  // elements
  return visit_floating(context, "take_backward", args->dtype, [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, Compute<T>>) {
      if (args->inner < kShortRow) return sum_directly<T>(context, args);
    }
    return sum_sorted<T>(context, args);
  });
}

PydlStatus put(const PydlContext* context, const PydlPutArgs* args) {
  const int64_t bytes = args->inner * args->item_size, count = args->count;
  // A byte of a row belongs to one thread, so among equal indices the last one wins.
  const int64_t grain = 64 + kGrainBytes / (count + 1);
  parallel_for(context, args->outer * bytes, grain, [&](int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t outer = begin / bytes, first = begin % bytes;
      const int64_t n = bytes - first < end - begin ? bytes - first : end - begin;
      const char* values = static_cast<const char*>(args->values) + outer * count * bytes + first;
      char* out = static_cast<char*>(args->out) + outer * args->extent * bytes + first;
      visit_row_size(n, [&](auto part) {
        for (int64_t j = 0; j < count; ++j)
          part.copy(out + args->indices[j] * bytes, values + j * bytes, n);
      });
      begin += n;
    }
  });
  return PYDL_OK;
}

}  // namespace pydl::cpu::PYDL_ISA
