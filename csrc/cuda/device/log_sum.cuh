// The largest of some numbers and the sum of exp(x - largest), kept up to date while they come in.
// Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018.
#pragma once

#include "pydl/cuda/warp.cuh"

namespace pydl::cuda {
namespace {

template <class C>
struct LogSum {
  C top = -static_cast<C>(INFINITY);  // passes over NaN, which the sum finds
  C sum = 0;

  // What exponentials are taken relative to.
  __device__ static C center(C top) { return top - top == 0 ? top : C(0); }

  template <int n>
  __device__ void add(const C (&x)[n]) {
    C next = top;
#pragma unroll
    for (int i = 0; i < n; ++i) next = Larger()(next, x[i]);
    const C origin = center(next);
    if (next != top && sum != 0) sum *= ::exp(center(top) - origin);
    top = next;
#pragma unroll
    for (int i = 0; i < n; ++i) sum += ::exp(x[i] - origin);
  }
  template <int kTeam>
  __device__ void reduce() {
    const C all = reduce_team<kTeam>(top, Larger());
    if (sum != 0) sum *= ::exp(center(top) - center(all));
    sum = reduce_team<kTeam>(sum, Add());
    top = all;
  }
};

}  // namespace
}  // namespace pydl::cuda
