// argmax and argmin. Along rows: the extreme value first, then where it is, while the row is still in
// the cache. Along columns: values and positions side by side.
#include "cpu/row_accumulator.h"
#include "cpu/simd/dtype.h"
#include "pydl/kernels/reduce.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kTile = 1024;  // columns that one task keeps in the cache
constexpr int64_t kShort = 16;   // rows of at most this length are transposed block by block
constexpr int64_t kBlock = 128;  // of this many

template <class L>
struct Largest {
  using Reducer = Max<L>;
  static Mask<L> better(Vec<L> x, Vec<L> best) { return x > best; }
};
template <class L>
struct Smallest {
  using Reducer = Min<L>;
  static Mask<L> better(Vec<L> x, Vec<L> best) { return x < best; }
};
template <class Order, class L>
Mask<L> replaces(Vec<L> x, Vec<L> best) {
  const Mask<L> better = Order::better(x, best);
  if constexpr (std::is_floating_point_v<L>) return better | (is_nan(x) & ~is_nan(best));
  return better;
}

// The first position where hit(vector) is true of a lane; there is one.
template <class T, class Hit>
int64_t find_if(const T* x, int64_t n, Hit hit) {
  using V = Vec<Compute<T>>;
  constexpr int64_t step = 4 * V::size;
  const auto at = [&](int64_t i) { return hit(load(x + i)); };
  int64_t i = 0;
  while (i + step <= n &&
         !any((at(i) | at(i + V::size)) | (at(i + 2 * V::size) | at(i + 3 * V::size))))
    i += step;
  while (i + V::size <= n && !any(at(i))) i += V::size;
  while (i < n && !any(hit(V(to_compute(x[i]))))) ++i;
  return i;
}
template <class T>
int64_t find(const T* x, int64_t n, Compute<T> value) {
  using V = Vec<Compute<T>>;
  if (value != value) return find_if(x, n, [](V v) { return is_nan(v); });
  return find_if(x, n, [value](V v) { return v == V(value); });
}

template <class O, class T>
PydlStatus along_rows(const PydlContext* context, const PydlArgReduceArgs& a) {
  using C = Compute<T>;
  const T* x = static_cast<const T*>(a.x);
  const int64_t chunks = (a.n + kChunk - 1) / kChunk;
  Scratch<C> extremes(context, a.outer * chunks);
  if (!extremes) return PYDL_ERROR_MEMORY;
  const auto chunk_size = [&](int64_t chunk) {
    return a.n - chunk * kChunk < kChunk ? a.n - chunk * kChunk : kChunk;
  };
  parallel_for(context, a.outer * chunks, kTaskWork / (a.n / chunks + 16) + 1,
               [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T* row = x + i / chunks * a.n + i % chunks * kChunk;
      extremes[i] = reduce_run<typename O::Reducer>(row, chunk_size(i % chunks));
      if (chunks == 1) a.out[i] = static_cast<int32_t>(find(row, a.n, extremes[i]));
    }
  });
  if (chunks == 1) return PYDL_OK;
  for (int64_t row = 0; row < a.outer; ++row) {
    const C* partial = extremes.data() + row * chunks;
    int64_t best = 0;
    for (int64_t chunk = 1; chunk < chunks; ++chunk)
      if (any(replaces<O>(Vec<C>(partial[chunk]), Vec<C>(partial[best])))) best = chunk;
    a.out[row] = static_cast<int32_t>(
        best * kChunk + find(x + row * a.n + best * kChunk, chunk_size(best), partial[best]));
  }
  return PYDL_OK;
}

// The best values of some columns and the rows they were seen in.
template <class O, class T>
class ColumnBest {
 public:
  using R = typename O::Reducer;
  using V = Vec<typename R::Input>;
  using I = IntLike<typename R::Input>;

  explicit ColumnBest(int64_t width) : width_(width) {
    for (V& best : best_) best = R::identity;
    for (Vec<I>& position : position_) position = I{0};
  }
  void see(const T* row, int64_t index) {
    int64_t j = 0;
    for (; (j + 1) * V::size <= width_; ++j) update(j, take<R>(row + j * V::size), index);
    if (j * V::size == width_) return;
    T padded[V::size] = {};
    memcpy(padded, row + j * V::size, (width_ - j * V::size) * sizeof(T));
    update(j, take<R>(padded), index);
  }
  void write(int32_t* out) const {
    for (int64_t j = 0; j < width_; ++j)
      out[j] = static_cast<int32_t>(position_[j / V::size][j % V::size]);
  }

 private:
  void update(int64_t j, V x, int64_t index) {
    const auto better = replaces<O>(x, best_[j]);
    best_[j] = select(better, x, best_[j]);
    position_[j] = select(Mask<I>{better.v}, Vec<I>(static_cast<I>(index)), position_[j]);
  }

  int64_t width_;
  V best_[kTile / V::size];
  Vec<I> position_[kTile / V::size];
};

// Rows [begin, end) of x (n, inner); positions count from the first row of x.
template <class O, class T>
void scan_rows(const T* x, int64_t begin, int64_t end, int64_t inner, int64_t width, int32_t* out) {
  ColumnBest<O, T> columns(width);
  for (int64_t row = begin; row < end; ++row) columns.see(x + row * inner, row);
  columns.write(out);
}

// Where there are fewer tiles than threads, each tile is cut into parts of its rows, and the first of
// the best parts wins: the same result for any number of parts.
template <class O, class T>
PydlStatus along_columns(const PydlContext* context, const PydlArgReduceArgs& a) {
  const T* x = static_cast<const T*>(a.x);
  const int64_t tiles = (a.inner + kTile - 1) / kTile, results = a.outer * a.inner;
  const int64_t work = a.n * (a.inner / tiles + 16);
  int64_t parts = work * a.outer * tiles / kTaskWork + 1;
  if (parts > context->num_threads) parts = context->num_threads;
  parts = (parts + a.outer * tiles - 1) / (a.outer * tiles);
  if (parts > a.n) parts = a.n;
  Scratch<int32_t> positions(context, parts * results);
  if (!positions) return PYDL_ERROR_MEMORY;
  parallel_for(context, a.outer * tiles * parts, kTaskWork * parts / work + 1,
               [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t part = i % parts, tile = i / parts % tiles * kTile, outer = i / parts / tiles;
      scan_rows<O>(x + outer * a.n * a.inner + tile, a.n * part / parts, a.n * (part + 1) / parts,
                   a.inner, a.inner - tile < kTile ? a.inner - tile : kTile,
                   positions.data() + part * results + outer * a.inner + tile);
    }
  });
  using V = Vec<typename O::Reducer::Input>;
  for (int64_t i = 0; i < results; ++i) {
    const T* column = x + i / a.inner * a.n * a.inner + i % a.inner;
    const auto value = [&](int32_t row) { return V(to_compute(column[row * a.inner])); };
    a.out[i] = positions[i];
    for (int64_t part = 1; part < parts; ++part)
      if (any(replaces<O>(value(positions[part * results + i]), value(a.out[i]))))
        a.out[i] = positions[part * results + i];
  }
  return PYDL_OK;
}

template <class O, class T>
void along_short_rows(const PydlContext* context, const PydlArgReduceArgs& a) {
  const T* x = static_cast<const T*>(a.x);
  parallel_for(context, a.outer, kTaskWork / (a.n + 4), [&](int64_t begin, int64_t end) {
    T block[kShort * kBlock];
    for (int64_t first = begin; first < end; first += kBlock) {
      const int64_t width = end - first < kBlock ? end - first : kBlock;
      for (int64_t j = 0; j < width; ++j)
        for (int64_t r = 0; r < a.n; ++r) block[r * kBlock + j] = x[(first + j) * a.n + r];
      scan_rows<O>(block, 0, a.n, kBlock, width, a.out + first);
    }
  });
}

template <template <class> class Order, class T>
PydlStatus arg_reduce_as(const PydlContext* context, const PydlArgReduceArgs& a) {
  using Wide = std::conditional_t<sizeof(T) == 1, int32_t, Compute<T>>;  // room for positions
  if (a.inner > 1) return along_columns<Order<Wide>, T>(context, a);
  if (a.n > kShort) return along_rows<Order<Compute<T>>, T>(context, a);
  along_short_rows<Order<Wide>, T>(context, a);
  return PYDL_OK;
}

}  // namespace

PydlStatus arg_reduce(const PydlContext* context, const PydlArgReduceArgs* args) {
  const PydlDType dtype = args->dtype == PYDL_BOOL ? PYDL_UINT8 : args->dtype;
  return visit_number(context, "arg_reduce", dtype, [&](auto zero) {
    using T = decltype(zero);
    return args->largest ? arg_reduce_as<Largest, T>(context, *args)
                         : arg_reduce_as<Smallest, T>(context, *args);
  });
}

}  // namespace pydl::cpu::PYDL_ISA
