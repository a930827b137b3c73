// Which multiplier serves a dtype.
#pragma once

#include "cuda/gemm/float32_mode.h"
#include "cuda/gemm/simt.cuh"
#include "cuda/gemm/tensor16.cuh"
#include "cuda/gemm/tensor32.cuh"
#include "pydl/cuda/visit.h"

namespace pydl::cuda {
namespace {

template <class T>
struct Type {
  using type = T;
};

// Calls run(Type<Multiplier>()); kA and kB say whether a and b are contiguous in depth.
template <bool kA, bool kB, class Run>
PydlStatus choose_multiplier(const PydlContext* context, const char* op, PydlDType dtype, bool large,
                             Run&& run) {
  switch (dtype) {
    case PYDL_FLOAT64: return run(Type<Simt<double, kA, kB>>());
    case PYDL_FLOAT32:
      if (exact_float32()) return run(Type<Simt<float, kA, kB>>());
      return large ? run(Type<Tensor32<128, kA, kB>>()) : run(Type<Tensor32<64, kA, kB>>());
    case PYDL_FLOAT16:
      return large ? run(Type<Tensor16<float16, 128, kA, kB>>())
                   : run(Type<Tensor16<float16, 64, kA, kB>>());
    case PYDL_BFLOAT16:
      return large ? run(Type<Tensor16<bfloat16, 128, kA, kB>>())
                   : run(Type<Tensor16<bfloat16, 64, kA, kB>>());
    default: return fail_dtype(context, op, "a floating dtype", dtype);
  }
}

}  // namespace
}  // namespace pydl::cuda
