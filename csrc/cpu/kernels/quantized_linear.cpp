#ifdef PYDL_ISA_avx512
#include "cpu/gemm/dot_product.h"
#endif
#include "cpu/activation.h"
#include "cpu/gemm/blocked.h"
#include "cpu/gemm/dot_unit.h"
#include "cpu/simd/dtype.h"
#include "pydl/kernels/gemm.h"
#include "pydl/kernels/quantized.h"

namespace pydl::cpu::PYDL_ISA {

PydlStatus gemm(const PydlContext* context, const PydlGemmArgs* args);  // in gemm.cpp

namespace {

constexpr int64_t kGrain = 1 << 14;  // numbers to quantize or to scale that are worth a thread

// Exact sums of products on their way to y.
template <class O>
struct ScaledOutput {
  const float *row_factors, *column_factors;
  const float* bias;  // or NULL
  PydlActivation activation;
  O* y;
  int64_t row_stride;

  void write(int64_t row, int64_t rows, int64_t column, int64_t columns, const int32_t* sums,
             int64_t sum_row) const {
    with_activation<float>(activation, [&](auto f) {
      for (int64_t i = 0; i < rows; ++i, sums += sum_row) {
        const Vec<float> factor(row_factors[row + i]);
        O* to = y + (row + i) * row_stride + column;
        for_registers<float>(columns, [&](int64_t j, auto... count) {
          Vec<float> v = convert<float>(load(sums + j, count...)) * factor;
          v = v * load(column_factors + column + j, count...);
          if (bias) v += load(bias + column + j, count...);
          store(f(v), to + j, count...);
        });
      }
    });
  }
};

// A row of int8 whose largest magnitude is 127; returns what takes it back.
template <class S>
float quantize_row(const S* x, int64_t k, int8_t* to) {
  constexpr float kLargest = 127, kEpsilon = 1e-7f;
  constexpr int64_t kPiece = 256;
  Vec<float> largest(0.0f);
  for_registers<float>(
      k, [&](int64_t j, auto... count) { largest = max(largest, abs(load(x + j, count...))); });
  const float scale = kLargest / (reduce_max(largest) + kEpsilon);
  float piece[kPiece];
  for (int64_t begin = 0; begin < k; begin += kPiece) {
    const int64_t n = smaller(kPiece, k - begin);
    copy_row(x + begin, n, piece);
    for (int64_t j = 0; j < n; ++j) {
      to[begin + j] = static_cast<int8_t>(static_cast<int32_t>(__builtin_rintf(piece[j] * scale)));
    }
  }
  return 1 / scale;
}

template <class O>
PydlStatus multiply(const PydlContext* context, const PydlQuantizedLinearArgs& args,
                    const int8_t* x, int64_t x_row, const float* row_factors) {
  const int64_t m = args.m, n = args.n, k = args.k;
  Scratch<float> column_factors(context, n);
  if (!column_factors) return PYDL_ERROR_MEMORY;
  for (int64_t j = 0; j < n; ++j) column_factors[j] = 1 / args.kernel_scale[j];
  const ScaledOutput<O> out = {row_factors, column_factors.data(), args.bias, args.activation,
                               static_cast<O*>(args.y), n};
  const int64_t kernel_column = n == 1 ? 1 : args.kernel_col_stride;
#ifdef PYDL_ISA_avx512
  if (has_unit(kUnitVnni) && k > 0) {
    const DotFactors<int8_t> factors = {
        m, n, k, {x, x_row, 1}, {args.kernel, args.kernel_row_stride, kernel_column}};
    return DotProduct<int8_t, ScaledOutput<O>>(factors, out).run(context, args.prepared_kernel);
  }
#endif
  Scratch<int32_t> sums(context, m * n);
  if (!sums) return PYDL_ERROR_MEMORY;
  PydlGemmArgs product = {};
  product.dtype = PYDL_INT8, product.out_dtype = PYDL_INT32;
  product.m = m, product.n = n, product.k = k;
  product.a = x, product.a_row_stride = x_row, product.a_col_stride = 1;
  product.b = args.kernel;
  product.b_row_stride = args.kernel_row_stride, product.b_col_stride = kernel_column;
  product.c = sums.data(), product.c_row_stride = n;
  const PydlStatus status = gemm(context, &product);
  if (status != PYDL_OK) return status;
  parallel_for(context, m, kGrain / n + 1, [&](int64_t begin, int64_t end) {
    out.write(begin, end - begin, 0, n, sums.data() + begin * n, n);
  });
  return PYDL_OK;
}

PydlStatus multiply_given(const PydlContext* context, const PydlQuantizedLinearArgs& args) {
  Scratch<float> row_factors(context, args.m);
  if (!row_factors) return PYDL_ERROR_MEMORY;
  for (int64_t i = 0; i < args.m; ++i) row_factors[i] = 1 / args.x_scale[i];
  return multiply<float>(context, args, static_cast<const int8_t*>(args.x), args.k,
                         row_factors.data());
}

template <class S>
PydlStatus quantize_and_multiply(const PydlContext* context, const PydlQuantizedLinearArgs& args) {
  constexpr int64_t kLine = 64;
  const int64_t row = (divide_up(args.k, kLine) | 1) * kLine;  // an odd number of cache lines
  Scratch<int8_t> integers(context, args.m * row);
  Scratch<float> row_factors(context, args.m);
  if (!integers || !row_factors) return PYDL_ERROR_MEMORY;
  const S* x = static_cast<const S*>(args.x);
  parallel_for(context, args.m, kGrain / larger(1, args.k) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      row_factors[i] = quantize_row(x + i * args.k, args.k, integers.data() + i * row);
    }
  });
  return multiply<S>(context, args, integers.data(), row, row_factors.data());
}

}  // namespace

PydlStatus quantized_linear(const PydlContext* context, const PydlQuantizedLinearArgs* args) {
  if (args->m == 0 || args->n == 0) return PYDL_OK;
  switch (args->dtype) {
    case PYDL_INT8: return multiply_given(context, *args);
    case PYDL_FLOAT32: return quantize_and_multiply<float>(context, *args);
    case PYDL_FLOAT16: return quantize_and_multiply<Half>(context, *args);
    case PYDL_BFLOAT16: return quantize_and_multiply<BFloat16>(context, *args);
    default:
      return fail_dtype(context, "quantized_linear", "int8, float32, float16 or bfloat16",
                        args->dtype);
  }
}

}  // namespace pydl::cpu::PYDL_ISA
