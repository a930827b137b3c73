// Strided copies, transposes and conversions between dtypes.
#include "cuda/device/elementwise.cuh"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/elementwise.h"

namespace pydl::cuda {
namespace {

// Floats outside an integer's range become its nearest value and NaN becomes 0; integers wrap.
template <class To, class From>
__device__ inline To convert_value(From x) {
  if constexpr (std::is_same_v<To, bool>) {
    return x != From(0);
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    constexpr uint64_t limit = uint64_t{1} << (8 * sizeof(To) - std::is_signed_v<To>);
    constexpr From bottom = std::is_signed_v<To> ? -static_cast<From>(limit) : 0;
    const From number = x == x ? x : From(0);
    const From raised = number < bottom ? bottom : number;
    const bool above = raised >= static_cast<From>(limit);
    return above ? static_cast<To>(limit - 1) : static_cast<To>(above ? From(0) : raised);
  } else {
    return static_cast<To>(x);
  }
}

int32_t item_size_of(PydlDType dtype) {
  switch (dtype) {
    case PYDL_FLOAT32:
    case PYDL_INT32: return 4;
    case PYDL_FLOAT64:
    case PYDL_INT64: return 8;
    case PYDL_FLOAT16:
    case PYDL_BFLOAT16: return 2;
    default: return 1;
  }
}

// The bits of x as a To, for every To of the size of Bits: one kernel for all of them.
template <class Bits, class From>
struct ConvertBody {
  PydlDType to;

  template <class To>
  __device__ static Bits bits_of(From x) {
    if constexpr (sizeof(To) != sizeof(Bits)) {
      return 0;
    } else {
      const To value = from_compute<To>(convert_value<Compute<To>>(x));
      Bits bits;
      memcpy(&bits, &value, sizeof bits);
      return bits;
    }
  }
  template <int n>
  __device__ void operator()(Bits (&y)[n], const From (&x)[n]) const {
#define PYDL_CASE(dtype, To)                                       \
  case dtype:                                                      \
    _Pragma("unroll") for (int i = 0; i < n; ++i) y[i] = bits_of<To>(x[i]); \
    break;
    switch (to) {
      PYDL_CASE(PYDL_FLOAT32, float)
      PYDL_CASE(PYDL_FLOAT64, double)
      PYDL_CASE(PYDL_FLOAT16, float16)
      PYDL_CASE(PYDL_BFLOAT16, bfloat16)
      PYDL_CASE(PYDL_INT8, int8_t)
      PYDL_CASE(PYDL_UINT8, uint8_t)
      PYDL_CASE(PYDL_INT32, int32_t)
      PYDL_CASE(PYDL_INT64, int64_t)
      default:
        PYDL_CASE(PYDL_BOOL, bool)
    }
#undef PYDL_CASE
  }
};

PydlStatus convert(const PydlContext* context, const PydlCopyArgs* args) {
  return visit_all(context, "cast", args->dtype, [&](auto from) {
    using From = decltype(from);
    return visit_item_size(context, "cast", item_size_of(args->out_dtype), [&](auto bits) {
      using Bits = decltype(bits);
      return elementwise(context, args->rank, args->shape,
                         ConvertBody<Bits, Compute<From>>{args->out_dtype},
                         output<Bits>(args->out, args->out_strides),
                         input<From>(args->x, args->x_strides));
    });
  });
}

constexpr int kTile = 32, kTileRows = 8;

// Matrices whose columns are dense in x and whose rows are dense in out, tile by tile through shared
// memory, so that both are read and written in whole lines.
struct Transpose {
  StridedIndex<2> matrices;
  int64_t rows, columns;          // of a matrix of out
  int64_t x_stride, out_stride;   // from column to column of x, from row to row of out
  FastDivider row_tiles, column_tiles;
};

template <class T>
__global__ void __launch_bounds__(kTile* kTileRows)
    transpose_kernel(Transpose t, const T* x, T* out) {
  constexpr int kPadding = sizeof(T) < 4 ? 4 / sizeof(T) : 1;  // columns lie in different banks
  __shared__ T tile[kTile][kTile + kPadding];
  uint32_t column_tile, row_tile;
  const uint32_t rest = t.column_tiles.divide(blockIdx.x, column_tile);
  const uint32_t matrix = t.row_tiles.divide(rest, row_tile);
  int64_t at[2];
  t.matrices.offsets(matrix, at);
  const int lane = threadIdx.x % kTile, line = threadIdx.x / kTile;
  const int64_t row = int64_t{row_tile} * kTile, column = int64_t{column_tile} * kTile;
#pragma unroll
  for (int i = line; i < kTile; i += kTileRows) {
    if (column + i < t.columns && row + lane < t.rows)
      tile[i][lane] = x[at[0] + (column + i) * t.x_stride + row + lane];
  }
  __syncthreads();
#pragma unroll
  for (int i = line; i < kTile; i += kTileRows) {
    if (row + i < t.rows && column + lane < t.columns)
      out[at[1] + (row + i) * t.out_stride + column + lane] = tile[lane][i];
  }
}

// The dimension along which x is dense where the last one is not; -1 where there is none, or where
// it is too short for tiles.
int transposed_dimension(const PydlCopyArgs* args) {
  const int last = args->rank - 1;
  if (last < 1 || args->out_strides[last] != 1 || args->x_strides[last] == 1) return -1;
  if (args->x_strides[last] == 0 || args->shape[last] < kTile / 4) return -1;
  for (int d = 0; d < last; ++d) {
    if (args->x_strides[d] == 1 && args->shape[d] >= kTile / 4) return d;
  }
  return -1;
}

template <class T>
PydlStatus transpose(const PydlContext* context, const PydlCopyArgs* args, int dimension) {
  const int last = args->rank - 1;
  int64_t shape[PYDL_MAX_RANK], x_strides[PYDL_MAX_RANK], out_strides[PYDL_MAX_RANK];
  int rank = 0;
  for (int d = 0; d < last; ++d) {
    if (d == dimension) continue;
    shape[rank] = args->shape[d];
    x_strides[rank] = args->x_strides[d];
    out_strides[rank++] = args->out_strides[d];
  }
  const int64_t rows = args->shape[dimension], columns = args->shape[last];
  const int64_t row_tiles = divide_up(rows, kTile), column_tiles = divide_up(columns, kTile);
  const int64_t tiles = count_of(rank, shape) * row_tiles * column_tiles;
  const Transpose t = {{rank, shape, {x_strides, out_strides}}, rows, columns,
                       args->x_strides[last], args->out_strides[dimension],
                       FastDivider(row_tiles), FastDivider(column_tiles)};
  return launch(context, dim3(static_cast<uint32_t>(tiles)), dim3(kTile * kTileRows), 0,
                transpose_kernel<T>, t, static_cast<const T*>(args->x), static_cast<T*>(args->out));
}

template <class T>
struct MoveBody {
  template <int n>
  __device__ void operator()(T (&y)[n], const T (&x)[n]) const {
#pragma unroll
    for (int i = 0; i < n; ++i) y[i] = x[i];
  }
};

}  // namespace

PydlStatus copy(const PydlContext* context, const PydlCopyArgs* args) {
  if (args->dtype != args->out_dtype) return convert(context, args);
  return visit_item_size(context, "copy", item_size_of(args->dtype), [&](auto zero) {
    using T = decltype(zero);
    const int64_t count = count_of(args->rank, args->shape);
    const int dimension = transposed_dimension(args);
    if (count > 0 && count < kMaxIndex && dimension >= 0)
      return transpose<T>(context, args, dimension);
    return elementwise(context, args->rank, args->shape, MoveBody<T>{},
                       output<T>(args->out, args->out_strides), input<T>(args->x, args->x_strides));
  });
}

}  // namespace pydl::cuda
