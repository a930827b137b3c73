// Products of int8 matrices that stand for floating-point ones: rows are quantized, multiplied exactly,
// and the sums scaled.
#include "cuda/device/activation.cuh"
#include "cuda/device/row.cuh"
#include "cuda/kernel.h"
#include "pydl/cuda/visit.h"
#include "pydl/cuda/warp.cuh"
#include "pydl/kernels/gemm.h"
#include "pydl/kernels/quantized.h"

namespace pydl::cuda {

PydlStatus gemm(const PydlContext* context, const PydlGemmArgs* args);  // in gemm.cu

namespace {

constexpr int kScaleThreads = 256, kScaleColumns = 4 * kScaleThreads;

struct Larger {
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

// Rows of int8 whose largest magnitude is 127, and what they were multiplied by.
template <class Team, class T>
__global__ void __launch_bounds__(Team::kThreads)
    quantize_rows(int64_t rows, int64_t columns, bool vectors, const T* x, int8_t* integers,
                  float* scales) {
  constexpr float kLargest = 127, kEpsilon = 1e-7f;
  const Team team(columns, vectors);
  const bool inside = Team::row() < rows, whole = columns <= Team::kBatch;
  const int64_t row = inside ? Team::row() : rows - 1;
  x += row * columns;
  integers += row * columns;
  float v[Team::kItems], largest = 0;
  for (int64_t start = 0; start < columns; start += Team::kBatch) {
    team.load(x, start, v, 0.0f);
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i) largest = fmaxf(largest, fabsf(v[i]));
  }
  largest = reduce_team<Team::kTeam>(largest, Larger());
  if (!inside) return;
  const float scale = kLargest / (largest + kEpsilon);
  if (team.lane == 0) scales[row] = scale;
  for (int64_t start = 0; start < columns; start += Team::kBatch) {
    if (!whole) team.load(x, start, v, 0.0f);
#pragma unroll
    for (int i = 0; i < Team::kItems; ++i) {
      if (team.has(start, i)) {
        integers[team.column(start, i)] = static_cast<int8_t>(static_cast<int>(rintf(v[i] * scale)));
      }
    }
  }
}

// y = activation(sums / (row_scale * column_scale) + bias); a block has a part of a row.
template <class O>
__global__ void __launch_bounds__(kScaleThreads)
    scale_sums(int64_t n, int64_t parts, const int32_t* sums, const float* row_scale,
               const float* column_scale, const float* bias, PydlActivation activation, O* y) {
  const int64_t row = blockIdx.x / parts, begin = blockIdx.x % parts * kScaleColumns;
  const int64_t end = begin + kScaleColumns < n ? begin + kScaleColumns : n;
  const float factor = 1 / row_scale[row];
  for (int64_t j = begin + threadIdx.x; j < end; j += kScaleThreads) {
    float v = static_cast<float>(sums[row * n + j]) * factor * (1 / column_scale[j]);
    if (bias) v += bias[j];
    y[row * n + j] = from_compute<O>(activate(activation, v));
  }
}

template <class O>
PydlStatus multiply(const PydlContext* context, const PydlQuantizedLinearArgs& args,
                    const int8_t* x, const float* row_scale) {
  const Scratch<int32_t> sums(context, args.m * args.n);
  if (!sums) return PYDL_ERROR_MEMORY;
  PydlGemmArgs product = {};
  product.dtype = PYDL_INT8, product.out_dtype = PYDL_INT32;
  product.m = args.m, product.n = args.n, product.k = args.k;
  product.a = x, product.a_row_stride = args.k, product.a_col_stride = 1;
  product.b = args.kernel;
  product.b_row_stride = args.kernel_row_stride, product.b_col_stride = args.kernel_col_stride;
  product.c = sums.data(), product.c_row_stride = args.n;
  const PydlStatus status = gemm(context, &product);
  if (status != PYDL_OK) return status;
  const int64_t parts = divide_up(args.n, kScaleColumns);
  return launch(context, dim3(static_cast<uint32_t>(args.m * parts)), dim3(kScaleThreads), 0,
                scale_sums<O>, args.n, parts, sums.data(), row_scale, args.kernel_scale, args.bias,
                args.activation, static_cast<O*>(args.y));
}

template <class T>
PydlStatus quantize_and_multiply(const PydlContext* context, const PydlQuantizedLinearArgs& args) {
  const Scratch<int8_t> integers(context, args.m * args.k + 1);
  const Scratch<float> scales(context, args.m);
  if (!integers || !scales) return PYDL_ERROR_MEMORY;
  const T* x = static_cast<const T*>(args.x);
  const PydlStatus status = visit_team(args.k, [&](auto threads, auto items) {
    using Team = RowTeam<T, threads.value, items.value>;
    return launch(context, dim3(row_blocks<Team>(args.m)), dim3(Team::kThreads), 0,
                  quantize_rows<Team, T>, args.m, args.k, rows_are_aligned<T>(args.k, x), x,
                  integers.data(), scales.data());
  });
  return status == PYDL_OK ? multiply<T>(context, args, integers.data(), scales.data()) : status;
}

}  // namespace

PydlStatus quantized_linear(const PydlContext* context, const PydlQuantizedLinearArgs* args) {
  if (args->m == 0 || args->n == 0) return PYDL_OK;
  switch (args->dtype) {
    case PYDL_INT8:
      return multiply<float>(context, *args, static_cast<const int8_t*>(args->x), args->x_scale);
    case PYDL_FLOAT32: return quantize_and_multiply<float>(context, *args);
    case PYDL_FLOAT16: return quantize_and_multiply<float16>(context, *args);
    case PYDL_BFLOAT16: return quantize_and_multiply<bfloat16>(context, *args);
    default:
      return fail_dtype(context, "quantized_linear", "int8, float32, float16 or bfloat16",
                        args->dtype);
  }
}

}  // namespace pydl::cuda
