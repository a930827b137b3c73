#ifdef PYDL_ISA_avx512
#include "cpu/gemm/dot_output.h"
#include "cpu/gemm/dot_product.h"
#include "cpu/gemm/split_strip.h"
#endif
#include "cpu/gemm/bytes.h"
#include "cpu/gemm/dot_unit.h"
#include "cpu/gemm/integer.h"
#include "cpu/gemm/matrix.h"
#include "cpu/gemm/thin.h"
#include "cpu/simd/dtype.h"
#include "pydl/kernels/gemm.h"

namespace pydl::cpu::PYDL_ISA {

int dot_units = 0;

namespace {

#ifdef PYDL_ISA_avx512
template <class S>
DotFactors<S> dot_factors(const PydlGemmArgs& args) {
  return {args.m, args.n, args.k,
          {static_cast<const S*>(args.a), args.a_row_stride, args.a_col_stride},
          {static_cast<const S*>(args.b), args.b_row_stride, args.b_col_stride}};
}

// Whether it was a product for the units that multiply pairs of bfloat16.
template <class S, class O>
bool multiply_dots(const PydlContext* context, const PydlGemmArgs& args,
                   const MatrixOutput<S, O>& out, PydlStatus* status) {
  if constexpr (std::is_same_v<S, BFloat16>) {
    using Output = std::conditional_t<std::is_same_v<O, float>, WideOutput, NarrowOutput>;
    if (!has_unit(kUnitBf16) || args.m <= kThinRows || args.k == 0) return false;
    const DotFactors<S> factors = dot_factors<S>(args);
    const Output output = {out};
    *status = DotProduct<S, Output>(factors, output).run(context);
    return true;
  } else {
    return false;
  }
}
#endif

template <class S, class O>
PydlStatus multiply_matrices(const PydlContext* context, const PydlGemmArgs& args) {
  using T = Compute<S>;
  const S* b = static_cast<const S*>(args.b);
  const int64_t m = args.m, n = args.n, k = args.k;
  const Epilogue<S, O> epilogue = {static_cast<const S*>(args.bias), args.activation};
  const MatrixOutput<S, O> out = {static_cast<O*>(args.c), static_cast<O*>(args.pre_activation),
                                  static_cast<const O*>(args.residual), args.c_row_stride,
                                  args.accumulate != 0, epilogue};
#ifdef PYDL_ISA_avx512
  PydlStatus status = PYDL_OK;
  if (multiply_dots<S>(context, args, out, &status)) return status;
  if (multiply_by_parts(context, args, out, &status)) return status;
  if (multiply_strip_by_parts(context, args, out, &status)) return status;
#endif
  if (multiply_thin<S>(context, args, out)) return PYDL_OK;

  Panels<T> panels = {k, n, nullptr, args.b_row_stride};
  if constexpr (std::is_same_v<S, T>) {
    const bool in_place = worth_reading_in_place<S>(m, n, k, args.b_row_stride);
    if (args.b_col_stride == 1 && in_place) panels.direct = b;
  }
  const MatrixStrips<S> strips(static_cast<const S*>(args.a), args.a_row_stride, args.a_col_stride,
                               m, n, k);
  const auto pack_panels = [&](int64_t panel, int64_t panel_end, int64_t l, int64_t depth, T* dst) {
    pack_matrix_panels(b + l * args.b_row_stride, args.b_row_stride, args.b_col_stride, depth, n,
                       panel, panel_end, dst, depth * kTileColumns<T>);
  };
  if constexpr (std::is_same_v<S, T>) {
    if (m <= kPreparedRows) {
      find_prepared(args.prepared_b, panels, strips.depth(), pack_panels, b, args.b_row_stride,
                    args.b_col_stride);
    }
  }
  return multiply<T>(context, panels, strips, pack_panels, out);
}

// Calls body(args of one matrix product) for batch items [begin, end).
template <class S, class O, class Body>
PydlStatus for_batches(const PydlGemmArgs& batch, int64_t begin, int64_t end, Body&& body) {
  for (int64_t item = begin; item < end; ++item) {
    PydlGemmArgs one = batch;
    int64_t rest = item, a = 0, b = 0, c = 0;
    for (int d = batch.batch_rank - 1; d >= 0; --d) {
      const int64_t i = rest % batch.batch_shape[d];
      rest /= batch.batch_shape[d];
      a += i * batch.a_batch_strides[d];
      b += i * batch.b_batch_strides[d];
      c += i * batch.c_batch_strides[d];
    }
    one.a = static_cast<const S*>(batch.a) + a;
    one.b = static_cast<const S*>(batch.b) + b;
    one.c = static_cast<O*>(batch.c) + c;
    if (batch.pre_activation) one.pre_activation = static_cast<O*>(batch.pre_activation) + c;
    if (batch.residual) one.residual = static_cast<const O*>(batch.residual) + c;
    const PydlStatus status = body(one);
    if (status != PYDL_OK) return status;
  }
  return PYDL_OK;
}

// Threads share the batch where it is long enough, else the matrices.
template <class S, class O, class Product>
PydlStatus multiply_batch(const PydlContext* context, const PydlGemmArgs& args, Product&& product) {
  int64_t batch = 1;
  for (int d = 0; d < args.batch_rank; ++d) batch *= args.batch_shape[d];
  const auto one = [&](const PydlGemmArgs& item) { return product(context, item); };
  if (batch < 2 * context->num_threads) return for_batches<S, O>(args, 0, batch, one);

  const int64_t work = larger(1, args.m * args.n * larger(1, args.k));
  PydlStatus status = PYDL_OK;
  const int64_t grain = divide_up(kProductsPerThread, work);
  parallel_for(context, batch, grain, [&](int64_t begin, int64_t end) {
    const PydlStatus part = for_batches<S, O>(args, begin, end, one);
    if (part != PYDL_OK) __atomic_store_n(&status, part, __ATOMIC_RELAXED);
  });
  return status;
}

template <class S, class O = S>
PydlStatus multiply_floats(const PydlContext* context, const PydlGemmArgs& args) {
  return multiply_batch<S, O>(context, args, multiply_matrices<S, O>);
}
template <class O>
PydlStatus multiply_bytes(const PydlContext* context, const PydlGemmArgs& args) {
#ifdef PYDL_ISA_avx512
  if (has_unit(kUnitVnni) && args.k > 0) {
    const DotFactors<int8_t> factors = dot_factors<int8_t>(args);
    const IntegerOutput<O> out = {static_cast<O*>(args.c), args.c_row_stride, args.accumulate != 0};
    return DotProduct<int8_t, IntegerOutput<O>>(factors, out).run(context);
  }
#endif
  return multiply_counted<O>(context, args);
}
template <class T>
PydlStatus multiply_integers(const PydlContext* context, const PydlGemmArgs& args) {
  return multiply_batch<T, T>(context, args, multiply_integer_matrices<T>);
}

}  // namespace

PydlStatus gemm(const PydlContext* context, const PydlGemmArgs* arguments) {
  PydlGemmArgs args = *arguments;
  if (args.m == 0 || args.n == 0) return PYDL_OK;
  // The stride along an extent of 1 may be anything; kernels look for the 1.
  if (args.k == 1) args.a_col_stride = 1;
  if (args.n == 1) args.b_col_stride = 1;
  const bool to_float = args.out_dtype == PYDL_FLOAT32;
  switch (args.dtype) {
    case PYDL_FLOAT32: return multiply_floats<float>(context, args);
    case PYDL_FLOAT64: return multiply_floats<double>(context, args);
    case PYDL_FLOAT16:
      return to_float ? multiply_floats<Half, float>(context, args)
                      : multiply_floats<Half>(context, args);
    case PYDL_BFLOAT16:
      return to_float ? multiply_floats<BFloat16, float>(context, args)
                      : multiply_floats<BFloat16>(context, args);
    case PYDL_INT8:
      if (args.out_dtype == PYDL_INT32) {
        return multiply_batch<int8_t, int32_t>(context, args, multiply_bytes<int32_t>);
      }
      return multiply_batch<int8_t, int8_t>(context, args, multiply_bytes<int8_t>);
    case PYDL_UINT8: return multiply_integers<uint8_t>(context, args);
    case PYDL_INT32: return multiply_integers<int32_t>(context, args);
    case PYDL_INT64: return multiply_integers<int64_t>(context, args);
    default: return fail_dtype(context, "matmul", "a numeric dtype", args.dtype);
  }
}

}  // namespace pydl::cpu::PYDL_ISA
