// Matrix products of wide integers, wrapping around as NumPy's do: one thread an element.
#pragma once

#include "cuda/gemm/product.cuh"
#include "pydl/cuda/launch.h"
#include "pydl/kernels/gemm.h"

namespace pydl::cuda {
namespace {

struct IntegerProduct {
  int64_t m, n, k, a_row, a_column, b_row, b_column, c_row;
  int64_t accumulate;
  Batch batch;
};

// T is unsigned: the low bits of a product do not depend on signs. Limited by reads through the caches.
template <class T>
__global__ void __launch_bounds__(256)
    multiply_integers(const __grid_constant__ IntegerProduct p, const T* a, const T* b, T* c) {
  const int64_t total = p.batch.count * p.m * p.n;
  for (int64_t i = blockIdx.x * int64_t{256} + threadIdx.x; i < total; i += gridDim.x * int64_t{256}) {
    const int64_t column = i % p.n, row = i / p.n % p.m;
    const BatchOffsets at = p.batch.offsets(i / p.n / p.m);
    const T* left = a + at.a + row * p.a_row;
    const T* right = b + at.b + column * p.b_column;
    T* to = c + at.c + row * p.c_row + column;
    uint64_t sum = p.accumulate ? static_cast<uint64_t>(*to) : 0;
    for (int64_t l = 0; l < p.k; ++l) {
      sum += static_cast<uint64_t>(left[l * p.a_column]) * right[l * p.b_row];
    }
    *to = static_cast<T>(sum);
  }
}

template <class T>
PydlStatus run_integers(const PydlContext* context, const PydlGemmArgs& args, const Batch& batch) {
  const IntegerProduct product = {args.m,
                                  args.n,
                                  args.k,
                                  args.a_row_stride,
                                  args.a_col_stride,
                                  args.b_row_stride,
                                  args.b_col_stride,
                                  args.c_row_stride,
                                  args.accumulate,
                                  batch};
  const int64_t blocks = (batch.count * args.m * args.n + 255) / 256;
  return launch(context, dim3(static_cast<unsigned>(blocks < 65535 ? blocks : 65535)), dim3(256), 0,
                multiply_integers<T>, product, static_cast<const T*>(args.a),
                static_cast<const T*>(args.b), static_cast<T*>(args.c));
}

}  // namespace
}  // namespace pydl::cuda
