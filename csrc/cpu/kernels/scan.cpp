// Cumulative sums and products and first-order recurrences. Floating values accumulate in double.
#include "cpu/simd/dtype.h"
#include "pydl/kernels/scan.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kChunk = 16384;     // elements of a long row that one task scans
constexpr int64_t kManyRows = 64;     // with so many rows, rows stay whole
constexpr int64_t kTile = 1024;       // columns that one task scans side by side
constexpr int64_t kTaskWork = 32768;  // elements worth a thread

// Integers wrap around.
template <class T>
struct AccumulatorOf {
  using type = double;
};
template <>
struct AccumulatorOf<int32_t> {
  using type = uint32_t;
};
template <>
struct AccumulatorOf<int64_t> {
  using type = uint64_t;
};
template <class T>
using Accumulator = typename AccumulatorOf<T>::type;

template <class T>
Accumulator<T> widen(T x) {
  return static_cast<Accumulator<T>>(to_compute(x));
}
template <class T>
T narrow(Accumulator<T> x) {
  return from_compute<T>(static_cast<Compute<T>>(x));
}

struct CumulativeSum {
  static constexpr int initial = 0;
  template <class A>
  static A next(A before, A x, A) {
    return before + x;
  }
};
struct CumulativeProduct {
  static constexpr int initial = 1;
  template <class A>
  static A next(A before, A x, A) {
    return before * x;
  }
};
struct Linear {
  static constexpr int initial = 0;
  template <class A>
  static A next(A before, A x, A factor) {
    return before * factor + x;
  }
};

// One row, or a part of one, after `before`.
template <class T>
struct Part {
  const T* x;
  const T* factors;
  T* out;
  Accumulator<T> before;
};

// `count` parts of n elements side by side: each sum waits for the one before it, so that a single one
// would leave the CPU idle. `step` is 1, or -1 when everything is read backwards.
template <int count, class S, class T>
__attribute__((always_inline)) inline void scan_parts(const Part<T>* parts, int64_t n,
                                                      int64_t step) {
  Part<T> p[count];
  for (int k = 0; k < count; ++k) p[k] = parts[k];
  for (int64_t i = 0; i < n; ++i)
#pragma GCC unroll 8
    for (int k = 0; k < count; ++k) {
      const T factor = std::is_same_v<S, Linear> ? p[k].factors[i * step] : T{};
      p[k].before = S::next(p[k].before, widen(p[k].x[i * step]), widen(factor));
      p[k].out[i * step] = narrow<T>(p[k].before);
    }
}

template <bool backwards, int step>
struct ShiftIndex {
  int64_t lanes[Vec<double>::size];
  constexpr ShiftIndex() : lanes() {
    constexpr int size = Vec<double>::size;
    for (int i = 0; i < size; ++i) {
      const int from = backwards ? i + step : i - step;
      lanes[i] = from >= 0 && from < size ? from : size;  // a lane of the second operand
    }
  }
};

// Of each lane and those before it.
template <bool backwards, int step = 1>
inline Vec<double> running_sums(Vec<double> x) {
  if constexpr (step >= Vec<double>::size) {
    return x;
  } else {
    static constexpr ShiftIndex<backwards, step> index;
    const auto lanes = Vec<int64_t>::load(index.lanes).v;
    const Vec<double> earlier = __builtin_shuffle(x.v, Vec<double>(0).v, lanes);
    return running_sums<backwards, 2 * step>(x + earlier);
  }
}

// Sums of floating values, of which a register waits for the one before it only with its last step.
template <int count, bool backwards, class T>
__attribute__((noinline)) void sum_parts(const Part<T>* parts, int64_t n) {
  using V = Vec<double>;
  typedef T Lanes __attribute__((vector_size(V::size * sizeof(T))));
  Part<T> p[count];
  V before[count];
  for (int k = 0; k < count; ++k) before[k] = V((p[k] = parts[k]).before);
  int64_t i = 0;
  for (; i + V::size <= n; i += V::size) {
    const int64_t at = backwards ? 1 - i - V::size : i;
#pragma GCC unroll 8
    for (int k = 0; k < count; ++k) {
      Lanes x;
      memcpy(&x, p[k].x + at, sizeof x);
      const V sums = running_sums<backwards>(V(__builtin_convertvector(x, V::Raw))) + before[k];
      x = __builtin_convertvector(sums.v, Lanes);
      memcpy(p[k].out + at, &x, sizeof x);
      before[k] = V(sums[backwards ? 0 : V::size - 1]);
    }
  }
  for (int k = 0; k < count; ++k) {
    const int64_t at = backwards ? -i : i;
    p[k] = {p[k].x + at, nullptr, p[k].out + at, before[k][0]};
  }
  scan_parts<count, CumulativeSum>(p, n - i, backwards ? -1 : 1);
}

// Calls part_at(i) for i in [begin, end) and scan(how many, parts).
constexpr int kTogether = 4;
template <class T, class PartAt, class Scan>
__attribute__((always_inline)) inline void for_parts(int64_t begin, int64_t end, PartAt part_at,
                                                     Scan scan) {
  for (; begin + kTogether <= end; begin += kTogether) {
    Part<T> parts[kTogether];
    for (int k = 0; k < kTogether; ++k) parts[k] = part_at(begin + k);
    scan(std::integral_constant<int, kTogether>(), parts);
  }
  for (; begin < end; ++begin) {
    const Part<T> part = part_at(begin);
    scan(std::integral_constant<int, 1>(), &part);
  }
}

template <class S, class T, class PartAt>
void scan_all_parts(int64_t begin, int64_t end, int64_t n, int64_t step, PartAt part_at) {
  if constexpr (std::is_same_v<S, CumulativeSum> && std::is_floating_point_v<T>) {
    constexpr int64_t kShort = 12 * Vec<double>::size;  // which takes longer to set up
    if (n >= kShort)
      return for_parts<T>(begin, end, part_at, [&](auto count, const Part<T>* parts) {
        step == 1 ? sum_parts<count, false>(parts, n) : sum_parts<count, true>(parts, n);
      });
  }
  for_parts<T>(begin, end, part_at, [&](auto count, const Part<T>* parts) {
    scan_parts<count, S>(parts, n, step);
  });
}

// What scanning all of x ends with, by several accumulators.
template <class S, class T>
Accumulator<T> total(const T* x, int64_t n) {
  using A = Accumulator<T>;
  constexpr int kParts = 16;
  A parts[kParts];
  for (A& part : parts) part = S::initial;
  int64_t i = 0;
  for (; i + kParts <= n; i += kParts)
    for (int k = 0; k < kParts; ++k) parts[k] = S::next(parts[k], widen(x[i + k]), A{});
  for (; i < n; ++i) parts[0] = S::next(parts[0], widen(x[i]), A{});
  for (int k = 1; k < kParts; ++k) parts[0] = S::next(parts[0], parts[k], A{});
  return parts[0];
}

template <class S, class T>
void scan_whole_rows(const PydlContext* context, const PydlScanArgs& a) {
  const T *x = static_cast<const T*>(a.x), *factors = static_cast<const T*>(a.factors);
  T* out = static_cast<T*>(a.out);
  const int64_t first = a.reverse ? a.n - 1 : 0, step = a.reverse ? -1 : 1;
  parallel_for(context, a.outer, kTaskWork / a.n + 1, [&](int64_t begin, int64_t end) {
    scan_all_parts<S, T>(begin, end, a.n, step, [&](int64_t row) {
      const int64_t at = row * a.n + first;
      return Part<T>{x + at, factors ? factors + at : factors, out + at, S::initial};
    });
  });
}

// Chunks of long rows: their totals first, then each chunk after the total of those before it. The
// first chunk in the order of the scan takes what is over, so that all others have one size.
template <class S, class T>
PydlStatus scan_chunks(const PydlContext* context, const PydlScanArgs& a) {
  using A = Accumulator<T>;
  const T* x = static_cast<const T*>(a.x);
  T* out = static_cast<T*>(a.out);
  const int64_t chunks = (a.n + kChunk - 1) / kChunk, first_size = a.n - (chunks - 1) * kChunk;
  const int64_t step = a.reverse ? -1 : 1;
  Scratch<A> before(context, a.outer * chunks);
  if (!before) return PYDL_ERROR_MEMORY;
  // Where chunk i of all rows begins, in the order of the scan.
  const auto start = [&](int64_t i) {
    const int64_t skipped = i % chunks ? first_size + (i % chunks - 1) * kChunk : 0;
    return i / chunks * a.n + (a.reverse ? a.n - 1 - skipped : skipped);
  };
  const auto size = [&](int64_t i) { return i % chunks ? kChunk : first_size; };
  parallel_for(context, a.outer * chunks, 2, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      before[i] = total<S>(x + start(i) - (a.reverse ? size(i) - 1 : 0), size(i));
  });
  for (int64_t row = 0; row < a.outer; ++row) {
    A sum = S::initial;
    for (int64_t i = row * chunks; i < (row + 1) * chunks; ++i) {
      const A here = before[i];
      before[i] = sum;
      sum = S::next(sum, here, A{});
    }
  }
  const auto part_at = [&](int64_t i) {
    return Part<T>{x + start(i), nullptr, out + start(i), before[i]};
  };
  parallel_for(context, a.outer * chunks, 2, [&](int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t row_end = (begin / chunks + 1) * chunks < end ? (begin / chunks + 1) * chunks : end;
      if (begin % chunks == 0) {
        scan_all_parts<S, T>(begin, begin + 1, first_size, step, part_at);
        ++begin;
      }
      scan_all_parts<S, T>(begin, row_end, kChunk, step, part_at);
      begin = row_end;
    }
  });
  return PYDL_OK;
}

template <class S, class T>
void scan_columns(const PydlContext* context, const PydlScanArgs& a) {
  const int64_t tiles = (a.inner + kTile - 1) / kTile;
  const int64_t work = a.n * (a.inner / tiles + 8);
  parallel_for(context, a.outer * tiles, kTaskWork / work + 1, [&](int64_t begin, int64_t end) {
    Accumulator<T> running[kTile];
    for (int64_t i = begin; i < end; ++i) {
      const int64_t tile = i % tiles * kTile;
      const int64_t width = a.inner - tile < kTile ? a.inner - tile : kTile;
      for (int64_t j = 0; j < width; ++j) running[j] = S::initial;
      for (int64_t r = 0; r < a.n; ++r) {
        const int64_t row = i / tiles * a.n + (a.reverse ? a.n - 1 - r : r);
        const T* x = static_cast<const T*>(a.x) + row * a.inner + tile;
        const T* factors = static_cast<const T*>(a.factors) + row * a.inner + tile;
        T* out = static_cast<T*>(a.out) + row * a.inner + tile;
        for (int64_t j = 0; j < width; ++j) {
          const T factor = std::is_same_v<S, Linear> ? factors[j] : T{};
          running[j] = S::next(running[j], widen(x[j]), widen(factor));
          out[j] = narrow<T>(running[j]);
        }
      }
    }
  });
}

template <class S, class T>
PydlStatus scan_as(const PydlContext* context, const PydlScanArgs& a) {
  if (a.outer * a.n * a.inner == 0) return PYDL_OK;
  const bool chunked = a.n > kChunk && a.outer < kManyRows && !std::is_same_v<S, Linear>;
  if (a.inner > 1) scan_columns<S, T>(context, a);
  else if (chunked) return scan_chunks<S, T>(context, a);
  else scan_whole_rows<S, T>(context, a);
  return PYDL_OK;
}

template <class T>
PydlStatus scan_dtype(const PydlContext* context, const PydlScanArgs& a) {
  switch (a.op) {
    case PYDL_SCAN_sum: return scan_as<CumulativeSum, T>(context, a);
    case PYDL_SCAN_prod: return scan_as<CumulativeProduct, T>(context, a);
    case PYDL_SCAN_linear: return scan_as<Linear, T>(context, a);
    default: return context->fail(context, PYDL_ERROR_VALUE, "[scan] unknown operation");
  }
}

}  // namespace

PydlStatus scan(const PydlContext* context, const PydlScanArgs* args) {
  if (args->dtype == PYDL_INT32) return scan_dtype<int32_t>(context, *args);
  if (args->dtype == PYDL_INT64) return scan_dtype<int64_t>(context, *args);
  return visit_floating(context, "scan", args->dtype, [&](auto zero) {
    return scan_dtype<decltype(zero)>(context, *args);
  });
}

}  // namespace pydl::cpu::PYDL_ISA
