// Strided copies, transposes and conversions between dtypes.
#include "cpu/elementwise.h"
#include "cpu/transpose.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// Floats outside an integer's range become its nearest value and NaN becomes 0; integers wrap.
template <class To, class From>
inline To convert_value(From x) {
  if constexpr (std::is_same_v<To, bool>) {
    return x != 0;
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    constexpr uint64_t limit = uint64_t{1} << (8 * sizeof(To) - std::is_signed_v<To>);
    constexpr From bottom = std::is_signed_v<To> ? -static_cast<From>(limit) : 0;
    const From number = x == x ? x : 0;
    const From raised = number < bottom ? bottom : number;
    const bool above = raised >= static_cast<From>(limit);
    return above ? static_cast<To>(limit - 1) : static_cast<To>(above ? 0 : raised);
  } else {
    return static_cast<To>(x);
  }
}

template <class From, class To>
void convert_row(const void* const* in, void* out_, int64_t n, const Params&) {
  const From* x = static_cast<const From*>(in[0]);
  To* out = static_cast<To*>(out_);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) out[i] = convert_value<To>(x[i]);
}

PydlStatus convert(const PydlContext* context, const PydlCopyArgs* args) {
  Elementwise<1> cast{args->rank, args->shape, {}, {}, nullptr, {}};
  return visit_all(context, "cast", args->dtype, [&](auto from) -> PydlStatus {
    using From = decltype(from);
    cast.in[0] = input<From>(args->x, args->x_strides);
    return visit_all(context, "cast", args->out_dtype, [&](auto to) -> PydlStatus {
      using To = decltype(to);
      cast.out = output<To>(args->out, args->out_strides);
      cast.kernel = convert_row<Compute<From>, Compute<To>>;
      cast.run(context, kCheapGrain);
      return PYDL_OK;
    });
  });
}

// The dimension along which x is contiguous where the last one is not: then rows of x become
// columns of the output. -1 where there is none, or where it is too short for tiles.
int transposed_dimension(const PydlCopyArgs* args, int64_t tile) {
  const int last = args->rank - 1;
  if (last < 1 || args->out_strides[last] != 1 || args->x_strides[last] == 1) return -1;
  if (args->x_strides[last] == 0 || args->shape[last] < tile) return -1;
  for (int d = 0; d < last; ++d) {
    if (args->x_strides[d] == 1 && args->shape[d] >= tile) return d;
  }
  return -1;
}

template <class T>
void transpose_matrices(const PydlContext* context, const PydlCopyArgs* args, int dimension) {
  const int last = args->rank - 1;
  const int64_t rows = args->shape[dimension], columns = args->shape[last];
  constexpr int64_t kStripe = 64;  // rows of the output that are written in one go
  const int64_t stripes = (rows + kStripe - 1) / kStripe;
  const int64_t x_stride = args->x_strides[last], out_stride = args->out_strides[dimension];

  // The other dimensions count the matrices.
  int64_t shape[PYDL_MAX_RANK], x_strides[PYDL_MAX_RANK], out_strides[PYDL_MAX_RANK];
  int64_t matrices = 1;
  int rank = 0;
  for (int d = 0; d < last; ++d) {
    if (d == dimension) continue;
    matrices *= shape[rank] = args->shape[d];
    x_strides[rank] = args->x_strides[d];
    out_strides[rank++] = args->out_strides[d];
  }
  const StridedSpace<2> space{rank + 1, shape, {x_strides, out_strides}};

  const int64_t grain = 1 + kCheapGrain / (kStripe * columns);
  parallel_for(context, matrices * stripes, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const RowCursor<2> matrix(space, i / stripes);
      const int64_t first = i % stripes * kStripe;
      const T* x = static_cast<const T*>(args->x) + matrix.offset(0) + first;
      T* out = static_cast<T*>(args->out) + matrix.offset(1) + first * out_stride;
      const int64_t count = rows - first < kStripe ? rows - first : kStripe;
      transpose(x, x_stride, out, out_stride, count, columns);
    }
  });
}

}  // namespace

PydlStatus copy(const PydlContext* context, const PydlCopyArgs* args) {
  if (args->dtype != args->out_dtype) return convert(context, args);
  return visit_item_size(context, "copy", item_size_of(args->dtype), [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    const int dimension = transposed_dimension(args, Tile<T>::size);
    if (dimension >= 0) {
      transpose_matrices<T>(context, args, dimension);
      return PYDL_OK;
    }
    Elementwise<1>{args->rank,
                   args->shape,
                   {input<T>(args->x, args->x_strides)},
                   output<T>(args->out, args->out_strides),
                   move_row<T>,
                   {}}
        .run(context, kCheapGrain);
    return PYDL_OK;
  });
}

}  // namespace pydl::cpu::PYDL_ISA
