// Reductions. The work is cut into chunks of fixed size, each reduced to one partial result; partial
// results are reduced again in the same way until one is left. Within a chunk the number of running
// accumulators is fixed too, so that sums are accurate and bitwise the same for every number of
// threads and every vector width.
#include "cpu/simd/dtype.h"
#include "cpu/simd/reducers.h"
#include "cpu/walk.h"
#include "pydl/kernels/reduce.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kChunk = 4096;      // elements per partial result of a row
constexpr int64_t kChunkRows = 64;    // rows per partial result of a column
constexpr int64_t kTile = 1024;       // columns that one task accumulates in the cache
constexpr int64_t kTaskWork = 65536;  // elements worth a thread

// Running results of one row, kLanes of them whatever the vector width.
template <class R, class T>
class RowAccumulator {
 public:
  using A = typename R::Acc;
  using V = Vec<A>;
  static constexpr int kLanes = 256 / sizeof(A);
  static constexpr int kParts = kLanes / V::size;

  RowAccumulator() {
    for (V& part : parts_) part = R::identity;
  }
  void add(const T* x, int64_t n) {
    const int64_t whole = n / kLanes * kLanes;
    add_whole(x, whole);
    if (whole == n) return;
    T padded[kLanes];
    for (T& each : padded) each = neutral<R, T>();
    memcpy(padded, x + whole, (n - whole) * sizeof(T));
    add_whole(padded, kLanes);
  }
  void add_strided(const T* x, int64_t stride, int64_t n) {
    T dense[kLanes];
    for (; n > 0; n -= kLanes, x += kLanes * stride) {
      const int64_t count = n < kLanes ? n : kLanes;
      for (int64_t i = 0; i < count; ++i) dense[i] = x[i * stride];
      add(dense, count);
    }
  }
  A total() {
    for (int half = kParts / 2; half > 0; half /= 2)
      for (int k = 0; k < half; ++k) parts_[k] = R::combine(parts_[k], parts_[k + half]);
    return fold<V::size / 2>(parts_[0], [](V a, V b) { return R::combine(a, b); });
  }

 private:
  __attribute__((noinline)) void add_whole(const T* x, int64_t n) {
    V parts[kParts];
#pragma GCC unroll 16
    for (int k = 0; k < kParts; ++k) parts[k] = parts_[k];
    for (int64_t i = 0; i < n; i += kLanes)
#pragma GCC unroll 16
      for (int k = 0; k < kParts; ++k) parts[k] = R::combine(parts[k], take<R>(x + i + k * V::size));
#pragma GCC unroll 16
    for (int k = 0; k < kParts; ++k) parts_[k] = parts[k];
  }

  V parts_[kParts];
};

// The reduced positions of one result as runs along the last dimension, cut into chunks: pieces of a
// long run, or several short runs.
struct Chunks {
  int64_t run, stride;
  Walk runs;
  int64_t run_count, pieces, runs_per_chunk, count;

  explicit Chunks(const PydlReduceArgs& a) {
    const int last = a.reduced_rank - 1;
    run = last >= 0 ? a.reduced_shape[last] : 1;
    stride = last >= 0 ? a.reduced_strides[last] : 1;
    runs = Walk(last >= 0 ? last : 0, a.reduced_shape, a.reduced_strides);
    run_count = runs.count();
    pieces = run > kChunk ? (run + kChunk - 1) / kChunk : 1;
    runs_per_chunk = pieces > 1 || run == 0 ? 1 : kChunk / run;
    count = run == 0 ? 0 : (run_count * pieces + runs_per_chunk - 1) / runs_per_chunk;
  }
};

template <class R, class T>
typename R::Acc reduce_chunk(const Chunks& chunks, const T* x, int64_t chunk) {
  RowAccumulator<R, T> result;
  const int64_t first_run = chunk / chunks.pieces * chunks.runs_per_chunk;
  const int64_t runs_left = chunks.run_count - first_run;
  int64_t begin = chunk % chunks.pieces * kChunk;
  int64_t n = chunks.run - begin < kChunk ? chunks.run - begin : kChunk;
  Walk runs = chunks.runs;
  runs.seek(first_run);
  x += begin * chunks.stride;
  int64_t count = runs_left < chunks.runs_per_chunk ? runs_left : chunks.runs_per_chunk;
  for (; count > 0; --count, runs.next()) {
    if (chunks.stride == 1) result.add(x + runs.offset, n);
    else result.add_strided(x + runs.offset, chunks.stride, n);
  }
  return result.total();
}

// partials[kept][chunk]
template <class R, class T>
void reduce_rows(const PydlContext* context, const PydlReduceArgs& a, const Chunks& chunks,
                 typename R::Acc* partials) {
  const Walk kept(a.kept_rank, a.kept_shape, a.kept_strides);
  const int64_t work = chunks.run * chunks.run_count / chunks.count + 16;
  parallel_for(context, kept.count() * chunks.count, kTaskWork / work + 1,
               [&](int64_t begin, int64_t end) {
    Walk at = kept;
    at.seek(begin / chunks.count);
    int64_t chunk = begin % chunks.count;
    for (int64_t i = begin; i < end; ++i) {
      partials[i] = reduce_chunk<R>(chunks, static_cast<const T*>(a.x) + at.offset, chunk);
      if (++chunk < chunks.count) continue;
      chunk = 0;
      at.next();
    }
  });
}

// acc[j] = combine(acc[j], rows[0][j], ..., rows[7][j]); `columns` is whole vectors.
constexpr int kGroup = 8;
template <class R, class T>
__attribute__((noinline)) void add_group(const T* const* rows, typename R::Acc* acc, int64_t columns) {
  using V = Vec<typename R::Acc>;
  const T *r0 = rows[0], *r1 = rows[1], *r2 = rows[2], *r3 = rows[3];
  const T *r4 = rows[4], *r5 = rows[5], *r6 = rows[6], *r7 = rows[7];
  const auto pair = [](const T* p, const T* q) { return R::combine(take<R>(p), take<R>(q)); };
  for (int64_t j = 0; j < columns; j += V::size) {
    const V low = R::combine(pair(r0 + j, r1 + j), pair(r2 + j, r3 + j));
    const V high = R::combine(pair(r4 + j, r5 + j), pair(r6 + j, r7 + j));
    R::combine(V::load(acc + j), R::combine(low, high)).store(acc + j);
  }
}

// One tile of one chunk of rows. Missing rows and columns are filled up with neutral elements.
template <class R, class T>
void reduce_tile(const T* x, Walk rows, int64_t begin, int64_t end, typename R::Acc* acc,
                 int64_t columns) {
  constexpr int size = Vec<typename R::Acc>::size;
  const int64_t whole = columns / size * size, rest = columns - whole;
  T padded[kGroup][size], blank[kTile];
  if (rest)
    for (auto& row : padded)
      for (T& each : row) each = neutral<R, T>();
  if ((end - begin) % kGroup)
    for (int64_t j = 0; j < columns; ++j) blank[j] = neutral<R, T>();
  for (int64_t j = 0; j < whole + size && j < kTile; ++j) acc[j] = R::identity;
  rows.seek(begin);
  for (int64_t row = begin; row < end; row += kGroup) {
    const T *group[kGroup], *edges[kGroup];
    for (int r = 0; r < kGroup; ++r) {
      const bool inside = row + r < end;
      group[r] = inside ? x + rows.offset : blank;
      if (inside) rows.next();
      if (rest) memcpy(padded[r], group[r] + whole, rest * sizeof(T));
      edges[r] = padded[r];
    }
    add_group<R>(group, acc, whole);
    if (rest) add_group<R>(edges, acc + whole, size);
  }
}

// partials[kept][chunk][column]
template <class R, class T>
void reduce_columns(const PydlContext* context, const PydlReduceArgs& a, int64_t chunks,
                    typename R::Acc* partials) {
  using A = typename R::Acc;
  const Walk kept(a.kept_rank - 1, a.kept_shape, a.kept_strides);
  const Walk rows(a.reduced_rank, a.reduced_shape, a.reduced_strides);
  const int64_t row_count = rows.count();
  const int64_t columns = a.kept_shape[a.kept_rank - 1];
  const int64_t tiles = (columns + kTile - 1) / kTile;
  const int64_t work = (columns / tiles + 16) * (row_count / chunks);
  parallel_for(context, kept.count() * chunks * tiles, kTaskWork / work + 1,
               [&](int64_t begin, int64_t end) {
    alignas(64) A acc[kTile];
    for (int64_t i = begin; i < end; ++i) {
      const int64_t chunk = i / tiles % chunks, first = i % tiles * kTile;
      const int64_t width = columns - first < kTile ? columns - first : kTile;
      const int64_t last_row = (chunk + 1) * kChunkRows;
      Walk at = kept;
      at.seek(i / tiles / chunks);
      reduce_tile<R>(static_cast<const T*>(a.x) + at.offset + first, rows, chunk * kChunkRows,
                     last_row < row_count ? last_row : row_count, acc, width);
      memcpy(partials + i / tiles * columns + first, acc, width * sizeof(A));
    }
  });
}

// Whether neighbouring results come from neighbouring elements, so that vectors run across results.
bool along_columns(const PydlReduceArgs& a) {
  const int kept = a.kept_rank - 1, reduced = a.reduced_rank - 1;
  return kept >= 0 && a.kept_strides[kept] == 1 && (reduced < 0 || a.reduced_strides[reduced] != 1);
}

// The reduction of (kept, chunks) or, along columns, (kept, chunks, columns) partial results.
PydlReduceArgs partial_args(const PydlReduceArgs& a, const void* partials, int64_t results,
                            int64_t chunks) {
  const bool columnwise = along_columns(a);
  const int64_t columns = columnwise ? a.kept_shape[a.kept_rank - 1] : 1;
  PydlReduceArgs next = a;
  next.x = partials;
  next.kept_rank = columnwise ? 2 : 1;
  next.kept_shape[0] = results / columns;
  next.kept_strides[0] = chunks * columns;
  next.kept_shape[1] = columns;
  next.kept_strides[1] = 1;
  next.reduced_rank = 1;
  next.reduced_shape[0] = chunks;
  next.reduced_strides[0] = columns;
  return next;
}

// Accumulated values to results; mean divides.
template <class A, class Out>
void finish(const A* totals, int64_t count, double divisor, Out* out) {
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_floating_point_v<A>)
      out[i] = from_compute<Out>(divisor == 1 ? totals[i] : totals[i] / static_cast<A>(divisor));
    else
      out[i] = static_cast<Out>(totals[i]);
  }
}

template <class R, class T, class Out>
PydlStatus reduce_as(const PydlContext* context, const PydlReduceArgs& a, double divisor = 1) {
  using A = typename R::Acc;
  const bool columnwise = along_columns(a);
  const Chunks rows(a);
  const int64_t reduced = rows.run * rows.run_count;
  const int64_t chunks = columnwise ? (reduced + kChunkRows - 1) / kChunkRows : rows.count;
  const int64_t results = Walk(a.kept_rank, a.kept_shape, a.kept_strides).count();
  Out* out = static_cast<Out*>(a.out);
  if (results == 0) return PYDL_OK;
  if (reduced == 0) {
    const A empty = static_cast<A>(R::identity + A{0});  // 0, not -0
    for (int64_t i = 0; i < results; ++i) finish(&empty, 1, divisor, out + i);
    return PYDL_OK;
  }
  const bool direct = chunks == 1 && std::is_same_v<A, Out> && divisor == 1;
  Scratch<A> scratch(context, direct ? 0 : results * chunks);
  if (!direct && !scratch) return PYDL_ERROR_MEMORY;
  A* partials = direct ? static_cast<A*>(a.out) : scratch.data();
  if (columnwise) reduce_columns<R, T>(context, a, chunks, partials);
  else reduce_rows<R, T>(context, a, rows, partials);
  if (chunks > 1)
    return reduce_as<typename R::Again, A, Out>(
        context, partial_args(a, partials, results, chunks), divisor);
  if (!direct) finish(partials, results, divisor, out);
  return PYDL_OK;
}

template <class T>
PydlStatus reduce_dtype(const PydlContext* context, const PydlReduceArgs& a) {
  using C = Compute<T>;
  using Wide = std::conditional_t<sizeof(T) == 1, int32_t, C>;
  using Total = std::conditional_t<sizeof(T) == 1, int32_t, T>;
  double count = 1;
  for (int i = 0; i < a.reduced_rank; ++i) count *= static_cast<double>(a.reduced_shape[i]);
  switch (a.op) {
    case PYDL_REDUCE_sum: return reduce_as<Sum<Wide>, T, Total>(context, a);
    case PYDL_REDUCE_mean: return reduce_as<Sum<Wide>, T, Total>(context, a, count);
    case PYDL_REDUCE_prod: return reduce_as<Product<Wide>, T, Total>(context, a);
    case PYDL_REDUCE_max: return reduce_as<Max<C>, T, T>(context, a);
    case PYDL_REDUCE_min: return reduce_as<Min<C>, T, T>(context, a);
    case PYDL_REDUCE_count_nonzero: return reduce_as<CountNonzero<Wide>, T, int32_t>(context, a);
    default: return context->fail(context, PYDL_ERROR_VALUE, "[reduce] unknown reduction");
  }
}

}  // namespace

PydlStatus reduce(const PydlContext* context, const PydlReduceArgs* args) {
  if (args->dtype == PYDL_BOOL) return reduce_dtype<uint8_t>(context, *args);
  return visit_all(context, "reduce", args->dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, bool>) return PYDL_OK;
    else return reduce_dtype<T>(context, *args);
  });
}

}  // namespace pydl::cpu::PYDL_ISA
