#include "pydl/kernels/gemm.h"

#include "cuda/gemm/choose.cuh"
#include "cuda/gemm/integer.cuh"
#include "cuda/gemm/run.cuh"
#include "cuda/gemm/tensor8.cuh"
#include "cuda/gemm/warpgroup_gemm.cuh"

namespace pydl::cuda {
namespace {

Batch batch_of(const PydlGemmArgs& args) {
  Batch batch;
  for (int d = 0; d < args.batch_rank; ++d) {
    batch.append(args.batch_shape[d], args.a_batch_strides[d], args.b_batch_strides[d],
                 args.c_batch_strides[d]);
  }
  return batch;
}

// Whether every stride, and the address, is a multiple of `bytes`.
bool is_aligned(const void* data, int64_t row_stride, const Batch& batch,
                const int64_t (&batch_strides)[PYDL_MAX_RANK], size_t element, size_t bytes) {
  const int64_t step = static_cast<int64_t>(bytes / element);
  bool aligned = reinterpret_cast<uintptr_t>(data) % bytes == 0 && row_stride % step == 0;
  for (int d = 0; d < batch.rank; ++d) aligned = aligned && batch_strides[d] % step == 0;
  return aligned;
}

Output output_of(const PydlGemmArgs& args, const Batch& batch, size_t element) {
  Output out = {args.c,          args.pre_activation,  args.bias, args.c_row_stride,
                args.activation, args.accumulate != 0, false,     false};
  out.wide = args.out_dtype != args.dtype;
  const size_t size = out.wide ? 4 : element;
  out.aligned =
      is_aligned(args.c, args.c_row_stride, batch, batch.c, size, size * 4) &&
      reinterpret_cast<uintptr_t>(args.pre_activation) % (size * 4) == 0;
  return out;
}

template <class Multiplier>
PydlStatus multiply(const PydlContext* context, const PydlGemmArgs& args, const Layout& a,
                    const Layout& b, const Batch& batch) {
  using T = typename Multiplier::T;
  Product<MatrixOperand<T>, MatrixOperand<T>> product = {};
  product.a = {static_cast<const T*>(args.a), a.row_stride,
               is_aligned(args.a, a.row_stride, batch, batch.a, sizeof(T), 16)};
  product.b = {static_cast<const T*>(args.b), b.row_stride,
               is_aligned(args.b, b.row_stride, batch, batch.b, sizeof(T), 16)};
  product.m = static_cast<int>(args.m);
  product.n = static_cast<int>(args.n);
  product.k = static_cast<int>(args.k);
  product.batch = batch;
  product.out = output_of(args, batch, sizeof(T));
  return run_product<Multiplier>(context, product);
}

// By warpgroups; `done` becomes whether they serve.
template <bool kA, bool kB>
PydlStatus multiply_large(const PydlContext* context, const PydlGemmArgs& args, const Layout& a,
                          const Layout& b, const Batch& batch, bool* done) {
  const bool wide = tile_columns(args.n) == 256;
  MappedProduct product = {};
  if (!fill_warpgroup_product(args, a, b, batch, wide ? 256 : 128, &product)) return PYDL_OK;
  product.out = output_of(args, batch, 2);
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    return wide ? run_warpgroups<T, WarpgroupTile<256>, kA, kB>(context, product, done)
                : run_warpgroups<T, WarpgroupTile<128>, kA, kB>(context, product, done);
  };
  return args.dtype == PYDL_FLOAT16 ? run(float16()) : run(bfloat16());
}

template <bool kA, bool kB>
PydlStatus multiply_floats(const PydlContext* context, const PydlGemmArgs& args, const Layout& a,
                           const Layout& b, const Batch& batch) {
  bool done = false;
  const PydlStatus status = multiply_large<kA, kB>(context, args, a, b, batch, &done);
  if (done || status != PYDL_OK) return status;
  const bool large = worth_large_tiles(args.m, args.n, batch.count);
  return choose_multiplier<kA, kB>(context, "matmul", args.dtype, large, [&](auto type) {
    return multiply<typename decltype(type)::type>(context, args, a, b, batch);
  });
}

// Of int8, and of uint8 where the low bits are all that is asked for: they do not depend on signs.
template <bool kA, bool kB>
PydlStatus multiply_bytes(const PydlContext* context, const PydlGemmArgs& args, const Layout& a,
                          const Layout& b, const Batch& batch) {
  return worth_large_tiles(args.m, args.n, batch.count)
             ? multiply<Tensor8<128, kA, kB>>(context, args, a, b, batch)
             : multiply<Tensor8<64, kA, kB>>(context, args, a, b, batch);
}

template <bool kA, bool kB>
PydlStatus multiply_tiled(const PydlContext* context, const PydlGemmArgs& args, const Layout& a,
                          const Layout& b, const Batch& batch) {
  const bool bytes = args.dtype == PYDL_INT8 || args.dtype == PYDL_UINT8;
  return bytes ? multiply_bytes<kA, kB>(context, args, a, b, batch)
               : multiply_floats<kA, kB>(context, args, a, b, batch);
}

PydlStatus multiply_tiled(const PydlContext* context, const PydlGemmArgs& args,
                          const Batch& batch) {
  const int64_t most = INT32_MAX / 2;
  if (args.m > most || args.n > most || args.k > most) {
    return context->fail(context, PYDL_ERROR_SHAPE,
                         "[matmul] expected matrices with fewer than 2^30 rows and columns");
  }
  const Layout a(args.m, args.a_row_stride, args.k, args.a_col_stride);
  const Layout b(args.n, args.b_col_stride, args.k, args.b_row_stride);
  if (a.depth_contiguous) {
    return b.depth_contiguous ? multiply_tiled<true, true>(context, args, a, b, batch)
                              : multiply_tiled<true, false>(context, args, a, b, batch);
  }
  return b.depth_contiguous ? multiply_tiled<false, true>(context, args, a, b, batch)
                            : multiply_tiled<false, false>(context, args, a, b, batch);
}

}  // namespace

PydlStatus gemm(const PydlContext* context, const PydlGemmArgs* args) {
  if (args->residual) {
    return context->fail(context, PYDL_ERROR_VALUE, "[matmul] expected no residual on a GPU");
  }
  const Batch batch = batch_of(*args);
  if (args->m == 0 || args->n == 0 || batch.count == 0) return PYDL_OK;
  switch (args->dtype) {
    case PYDL_INT32: return run_integers<uint32_t>(context, *args, batch);
    case PYDL_INT64: return run_integers<uint64_t>(context, *args, batch);
    case PYDL_BOOL: return fail_dtype(context, "matmul", "a numeric dtype", args->dtype);
    default: return multiply_tiled(context, *args, batch);
  }
}

}  // namespace pydl::cuda
