// Reductions. The work is cut into chunks of fixed size, each reduced to one partial result; partial
// results are reduced again in the same way until one is left. The cuts depend on nothing but the
// shape, so results are bitwise the same for any number of threads.
#include "cpu/reduce_steps.h"
#include "cpu/simd/dtype.h"
#include "cpu/walk.h"
#include "pydl/kernels/reduce.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kChunkRows = 64;   // rows per partial result of a column
constexpr int64_t kTile = 1024;      // columns that one task accumulates in the cache
constexpr int64_t kNarrow = 64;      // rows narrower than this are merged where they lie densely
constexpr int64_t kShort = 16;       // results of at most this many elements are computed
constexpr int64_t kShortBlock = 64;  // side by side, so many at a time
constexpr int64_t kLargestItem = 8;

using Bytes = unsigned char;

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
    runs_per_chunk = pieces > 1 ? 1 : kChunk / run;
    count = (run_count * pieces + runs_per_chunk - 1) / runs_per_chunk;
  }
};

void reduce_chunk(const ReduceSteps& steps, const Chunks& chunks, const Bytes* x, int64_t chunk,
                  Bytes* result) {
  const int64_t first_run = chunk / chunks.pieces * chunks.runs_per_chunk;
  const int64_t begin = chunk % chunks.pieces * kChunk;
  const int64_t n = chunks.run - begin < kChunk ? chunks.run - begin : kChunk;
  int64_t runs_left = chunks.run_count - first_run;
  if (runs_left > chunks.runs_per_chunk) runs_left = chunks.runs_per_chunk;
  Walk runs = chunks.runs;
  runs.seek(first_run);
  if (runs_left == 1 && chunks.stride == 1)
    return steps.run(x + (runs.offset + begin) * steps.item, n, result);
  alignas(64) Bytes accumulator[kAccumulator];
  steps.begin(accumulator);
  for (; runs_left > 0; --runs_left, runs.next())
    steps.add(accumulator, x + (runs.offset + begin * chunks.stride) * steps.item, chunks.stride, n);
  steps.total(accumulator, result);
}

// partials[kept][chunk]
void reduce_rows(const PydlContext* context, const PydlReduceArgs& a, const ReduceSteps& steps,
                 const Chunks& chunks, Bytes* partials) {
  const Walk kept(a.kept_rank, a.kept_shape, a.kept_strides);
  const int64_t work = chunks.run * chunks.run_count / chunks.count + 16;
  parallel_for(context, kept.count() * chunks.count, kTaskWork / work + 1,
               [&](int64_t begin, int64_t end) {
    Walk at = kept;
    at.seek(begin / chunks.count);
    int64_t chunk = begin % chunks.count;
    for (int64_t i = begin; i < end; ++i) {
      reduce_chunk(steps, chunks, static_cast<const Bytes*>(a.x) + at.offset * steps.item, chunk,
                   partials + i * steps.accumulator_item);
      if (++chunk < chunks.count) continue;
      chunk = 0;
      at.next();
    }
  });
}

// Reduces rows of `columns` elements each into results, which holds whole vectors. Missing rows and
// columns are filled up with neutral elements.
void reduce_tile(const ReduceSteps& steps, const Bytes* const* rows, int64_t count, Bytes* results,
                 int64_t columns) {
  const int64_t whole = columns / steps.vector * steps.vector, rest = columns - whole;
  alignas(64) Bytes edge[kGroup][kLargestItem * 64], blank[kTile * kLargestItem];
  if (rest)
    for (auto& row : edge) steps.fill_elements(row, steps.vector);
  if (count % kGroup) steps.fill_elements(blank, columns);
  steps.fill_results(results, rest ? whole + steps.vector : whole);
  for (int64_t row = 0; row < count; row += kGroup) {
    const void *group[kGroup], *edges[kGroup];
    for (int r = 0; r < kGroup; ++r) {
      const Bytes* from = row + r < count ? rows[row + r] : blank;
      if (rest) memcpy(edge[r], from + whole * steps.item, rest * steps.item);
      group[r] = from;
      edges[r] = edge[r];
    }
    steps.add_rows(group, results, whole);
    if (rest) steps.add_rows(edges, results + whole * steps.accumulator_item, steps.vector);
  }
}

// How the reduced rows of columns are cut up. Where rows are narrow and lie densely, `merged` of them
// count as one row, whose results are partial results of that many rows.
struct RowChunks {
  Walk rows;
  int64_t row_count, columns, merged = 1, count;

  explicit RowChunks(const PydlReduceArgs& a)
      : rows(a.reduced_rank, a.reduced_shape, a.reduced_strides),
        row_count(rows.count()),
        columns(a.kept_shape[a.kept_rank - 1]) {
    const bool dense = a.reduced_rank == 1 && a.reduced_strides[0] == columns;
    if (dense && columns < kNarrow && row_count >= kChunkRows * kNarrow) merged = kNarrow / columns + 1;
    count = (row_count + kChunkRows * merged - 1) / (kChunkRows * merged);
  }
};

// partials[kept][chunk][merged][column]
void reduce_columns(const PydlContext* context, const PydlReduceArgs& a, const ReduceSteps& steps,
                    const RowChunks& chunks, Bytes* partials) {
  const Walk kept(a.kept_rank - 1, a.kept_shape, a.kept_strides);
  const int64_t columns = chunks.columns * chunks.merged, whole_rows = chunks.row_count / chunks.merged;
  const int64_t left_over = chunks.row_count % chunks.merged * chunks.columns * steps.item;
  const int64_t tiles = (columns + kTile - 1) / kTile;
  const int64_t work = (columns / tiles + 16) * (chunks.row_count / chunks.merged / chunks.count + 1);
  parallel_for(context, kept.count() * chunks.count * tiles, kTaskWork / work + 1,
               [&](int64_t begin, int64_t end) {
    alignas(64) Bytes results[kTile * kLargestItem];
    Bytes last[2 * kNarrow * kLargestItem];
    for (int64_t i = begin; i < end; ++i) {
      const int64_t chunk = i / tiles % chunks.count, first = i % tiles * kTile;
      const int64_t width = columns - first < kTile ? columns - first : kTile;
      Walk at = kept, row = chunks.rows;
      at.seek(i / tiles / chunks.count);
      const Bytes* x = static_cast<const Bytes*>(a.x) + (at.offset + first) * steps.item;
      const Bytes* rows[kChunkRows + 1];
      int64_t count = 0, left = whole_rows - chunk * kChunkRows;
      if (left > kChunkRows) left = kChunkRows;
      if (left > 0) row.seek(chunk * kChunkRows);
      for (; count < left; ++count, row.next()) rows[count] = x + row.offset * chunks.merged * steps.item;
      if (left_over && chunk == chunks.count - 1) {
        steps.fill_elements(last, columns);
        memcpy(last, x + whole_rows * columns * steps.item, left_over);
        rows[count++] = last;
      }
      reduce_tile(steps, rows, count, results, width);
      memcpy(partials + (i / tiles * columns + first) * steps.accumulator_item, results,
             width * steps.accumulator_item);
    }
  });
}

template <class T>
void gather(const T* x, const int64_t* offsets, int64_t count, T* to) {
  for (int64_t i = 0; i < count; ++i) to[i * kShortBlock] = x[offsets[i]];
}

// Many results of few elements each: transposed block by block, so that vectors run across results.
template <class Item>
void reduce_short(const PydlContext* context, const PydlReduceArgs& a, const ReduceSteps& steps,
                  Bytes* results) {
  const Walk kept(a.kept_rank, a.kept_shape, a.kept_strides);
  Walk reduced(a.reduced_rank, a.reduced_shape, a.reduced_strides);
  const int64_t rows = reduced.count();
  int64_t offsets[kShort];
  for (int64_t r = 0; r < rows; ++r, reduced.next()) offsets[r] = reduced.offset;
  parallel_for(context, kept.count(), kTaskWork / (rows + 4), [&](int64_t begin, int64_t end) {
    Item block[kShort * kShortBlock];
    alignas(64) Bytes block_results[kShortBlock * kLargestItem];
    const Bytes* block_rows[kShort];
    for (int64_t r = 0; r < rows; ++r)
      block_rows[r] = reinterpret_cast<const Bytes*>(block + r * kShortBlock);
    Walk at = kept;
    at.seek(begin);
    for (int64_t first = begin; first < end; first += kShortBlock) {
      const int64_t width = end - first < kShortBlock ? end - first : kShortBlock;
      for (int64_t j = 0; j < width; ++j, at.next())
        gather(static_cast<const Item*>(a.x) + at.offset, offsets, rows, block + j);
      reduce_tile(steps, block_rows, rows, block_results, width);
      memcpy(results + first * steps.accumulator_item, block_results, width * steps.accumulator_item);
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
void finish(const void* totals, int64_t count, double divisor, void* out) {
  const A* from = static_cast<const A*>(totals);
  Out* to = static_cast<Out*>(out);
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_floating_point_v<A>)
      to[i] = from_compute<Out>(from[i] / static_cast<A>(divisor));
    else
      to[i] = static_cast<Out>(from[i]);
  }
}
using Finish = void (*)(const void* totals, int64_t count, double divisor, void* out);

// One result per row.
void reduce_any_rows(const PydlContext* context, const PydlReduceArgs& a, const ReduceSteps& steps,
                     const Chunks& chunks, Bytes* partials) {
  if (chunks.run * chunks.run_count > kShort) reduce_rows(context, a, steps, chunks, partials);
  else if (steps.item == 1) reduce_short<uint8_t>(context, a, steps, partials);
  else if (steps.item == 2) reduce_short<uint16_t>(context, a, steps, partials);
  else if (steps.item == 4) reduce_short<uint32_t>(context, a, steps, partials);
  else reduce_short<uint64_t>(context, a, steps, partials);
}

// `again` reduces partial results. With no `finish`, totals are results as they are.
PydlStatus reduce_with(const PydlContext* context, const PydlReduceArgs& a, const ReduceSteps& steps,
                       const ReduceSteps& again, Finish finish, double divisor) {
  const Chunks rows(a);
  const bool columnwise = along_columns(a);
  const auto pass = [&](Bytes* partials) {
    if (columnwise) reduce_columns(context, a, steps, RowChunks(a), partials);
    else reduce_any_rows(context, a, steps, rows, partials);
  };
  int64_t chunks = rows.count;
  if (columnwise) {
    const RowChunks cut(a);
    chunks = cut.count * cut.merged;
  }
  if (chunks == 1 && !finish) {
    pass(static_cast<Bytes*>(a.out));
    return PYDL_OK;
  }
  const int64_t results = Walk(a.kept_rank, a.kept_shape, a.kept_strides).count();
  Scratch<Bytes> partials(context, results * chunks * steps.accumulator_item);
  if (!partials) return PYDL_ERROR_MEMORY;
  pass(partials.data());
  if (chunks > 1) {
    const PydlReduceArgs next = partial_args(a, partials.data(), results, chunks);
    return reduce_with(context, next, again, again, finish, divisor);
  }
  finish(partials.data(), results, divisor, a.out);
  return PYDL_OK;
}

template <class R, class T, class Out>
PydlStatus reduce_as(const PydlContext* context, const PydlReduceArgs& a, double divisor = 1) {
  using A = typename R::Acc;
  const bool as_they_are = std::is_same_v<A, Out> && divisor == 1;
  return reduce_with(context, a, reduce_steps<R, T>(), reduce_steps<typename R::Again, A>(),
                     as_they_are ? nullptr : &finish<A, Out>, divisor);
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
    case PYDL_REDUCE_sum_abs: return reduce_as<SumAbs<Wide>, T, Total>(context, a);
    case PYDL_REDUCE_sum_squares: return reduce_as<SumSquares<Wide>, T, Total>(context, a);
    case PYDL_REDUCE_count_nonzero: return reduce_as<CountNonzero<Wide>, T, int32_t>(context, a);
    default: return context->fail(context, PYDL_ERROR_VALUE, "[reduce] unknown reduction");
  }
}

}  // namespace

PydlStatus reduce(const PydlContext* context, const PydlReduceArgs* args) {
  const PydlDType dtype = args->dtype == PYDL_BOOL ? PYDL_UINT8 : args->dtype;
  return visit_number(context, "reduce", dtype, [&](auto zero) {
    return reduce_dtype<decltype(zero)>(context, *args);
  });
}

}  // namespace pydl::cpu::PYDL_ISA
