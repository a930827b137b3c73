// What happens to finished sums on their way to memory: accumulation, bias, activation, conversion.
#pragma once

#include "cuda/device/activation.cuh"
#include "pydl/cuda/dtype.cuh"

namespace pydl::cuda {
namespace {

// The result, a matrix with contiguous columns.
struct Output {
  void* data;
  void* pre_activation;  // like data: what the activation is applied to; or NULL
  const void* bias;      // of the operands' dtype, one to a column; or NULL
  int64_t row_stride;
  PydlActivation activation;
  bool accumulate;  // add to what is there
  bool wide;        // float32 or int32, where the operands are of a smaller dtype
  bool aligned;     // four elements at a time
};

// Four neighbours in a row, or the first `count` of them.
template <class T>
struct alignas(sizeof(T) == 8 ? 16 : 4 * sizeof(T)) Four {
  T of[4];

  template <class Sum>
  static __device__ void add(const T* from, int count, bool aligned, Sum (&x)[4]) {
    Four four = {};
    if (aligned && count == 4) {
      four = *reinterpret_cast<const Four*>(from);
    } else {
      for (int i = 0; i < 4; ++i) {
        if (i < count) four.of[i] = from[i];
      }
    }
    for (int i = 0; i < 4; ++i) x[i] += to_compute(four.of[i]);
  }
  template <class Sum>
  static __device__ void store(const Sum (&x)[4], int count, bool aligned, T* to) {
    Four four;
    for (int i = 0; i < 4; ++i) four.of[i] = from_compute<T>(x[i]);
    if (aligned && count == 4) {
      *reinterpret_cast<Four*>(to) = four;
    } else {
      for (int i = 0; i < 4; ++i) {
        if (i < count) to[i] = four.of[i];
      }
    }
  }
};

// S: the operands' dtype; O: the result's. `at` is where the first of the four goes.
template <class S, class O, class Sum>
__device__ inline void finish_four(const Output& out, int64_t at, int column, int count,
                                   Sum (&x)[4]) {
  O* to = static_cast<O*>(out.data) + at;
  if (out.accumulate) Four<O>::add(to, count, out.aligned, x);
  if (out.bias) Four<S>::add(static_cast<const S*>(out.bias) + column, count, false, x);
  if (out.pre_activation) {
    Four<O>::store(x, count, out.aligned, static_cast<O*>(out.pre_activation) + at);
  }
  if constexpr (std::is_floating_point_v<Sum>) {
    if (out.activation != PYDL_ACTIVATION_NONE) {
      // One copy of the code of every activation is enough; turning x keeps it in registers.
#pragma unroll 1
      for (int i = 0; i < 4; ++i) {
        const Sum y = activate(out.activation, x[0]);
        for (int j = 0; j < 3; ++j) x[j] = x[j + 1];
        x[3] = y;
      }
    }
  }
  Four<O>::store(x, count, out.aligned, to);
}

template <class S, class Sum>
__device__ inline void finish(const Output& out, int64_t at, int column, int count, Sum (&x)[4]) {
  if constexpr (sizeof(S) < sizeof(Sum)) {
    if (out.wide) return finish_four<S, Sum>(out, at, column, count, x);
  }
  finish_four<S, S>(out, at, column, count, x);
}

}  // namespace
}  // namespace pydl::cuda
