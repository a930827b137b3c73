// Matrix products of integers: plain loops, wrapping around as NumPy's do. Those of int8 may also go to
// int32, where they are exact.
#pragma once

#include "cpu/gemm/blocked.h"
#include "pydl/kernels/gemm.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

template <class T, class O = T>
PydlStatus multiply_integer_matrices(const PydlContext* context, const PydlGemmArgs& args) {
  using Wrapping = std::make_unsigned_t<std::common_type_t<O, int>>;
  const T* a = static_cast<const T*>(args.a);
  const T* b = static_cast<const T*>(args.b);
  O* c = static_cast<O*>(args.c);
  const int64_t grain = divide_up(kProductsPerThread / 16, larger(1, args.n * args.k));
  parallel_for(context, args.m, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      O* row = c + i * args.c_row_stride;
      if (!args.accumulate) memset(row, 0, static_cast<size_t>(args.n) * sizeof(O));
      for (int64_t l = 0; l < args.k; ++l) {
        const Wrapping x = static_cast<Wrapping>(a[i * args.a_row_stride + l * args.a_col_stride]);
        const T* from = b + l * args.b_row_stride;
        for (int64_t j = 0; j < args.n; ++j) {
          const Wrapping product = x * static_cast<Wrapping>(from[j * args.b_col_stride]);
          row[j] = static_cast<O>(static_cast<Wrapping>(row[j]) + product);
        }
      }
    }
  });
  return PYDL_OK;
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
