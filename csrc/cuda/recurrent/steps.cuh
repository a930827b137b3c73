// What recurrent kernels share: one launch a step, in which each thread finds the recurrent products of
// one unit of one row of the batch and goes on with them.
#pragma once

#include "cuda/device/math.cuh"
#include "cuda/device/strided.cuh"
#include "cuda/kernel.h"
#include "pydl/cuda/dtype.cuh"
#include "pydl/kernels/recurrent.h"

namespace pydl::cuda {
namespace {

constexpr int kStepTile = 16;  // rows of the batch, units, and terms of a product at a time

// product[g] of a row and a unit: the sum over l < depth of a[row, l] times weights[l, g, unit].
template <class T>
struct Product {
  const T* a;  // NULL for 0
  int64_t a_row, depth;
  const T* weights;
  int64_t weights_l, weights_unit, weights_g;  // strides
};

template <class T, int kProducts>
__device__ void multiply_step(const Product<T>& p, int64_t batch, int64_t units, int64_t row,
                              T (&products)[kProducts]) {
  __shared__ T a[kStepTile][kStepTile + 1], weights[kProducts][kStepTile][kStepTile + 1];
  const int x = threadIdx.x % kStepTile, y = threadIdx.x / kStepTile;
  // Neighbouring threads read neighbouring weights.
  const int l = p.weights_l == 1 ? x : y, column = p.weights_l == 1 ? y : x;
  const int64_t load_unit = static_cast<int64_t>(blockIdx.x) * kStepTile + column;
#pragma unroll
  for (int g = 0; g < kProducts; ++g) products[g] = 0;
  for (int64_t first = 0; p.a && first < p.depth; first += kStepTile) {
    a[y][x] = row < batch && first + x < p.depth ? p.a[row * p.a_row + first + x] : T(0);
    const bool inside = load_unit < units && first + l < p.depth;
#pragma unroll
    for (int g = 0; g < kProducts; ++g)
      weights[g][l][column] = inside ? p.weights[(first + l) * p.weights_l +
                                                 load_unit * p.weights_unit + g * p.weights_g]
                                     : T(0);
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kStepTile; ++k)
#pragma unroll
      for (int g = 0; g < kProducts; ++g) products[g] += a[y][k] * weights[g][k][x];
    __syncthreads();
  }
}

// step(row, unit, products)
template <int kProducts, class T, class Step>
__global__ void __launch_bounds__(kStepTile* kStepTile)
    step_kernel(Product<T> product, int64_t batch, int64_t units, Step step) {
  const int64_t unit = static_cast<int64_t>(blockIdx.x) * kStepTile + threadIdx.x % kStepTile;
  const int64_t row = static_cast<int64_t>(blockIdx.y) * kStepTile + threadIdx.x / kStepTile;
  T products[kProducts];
  multiply_step(product, batch, units, row, products);
  if (row < batch && unit < units) step(row, unit, products);
}

template <int kProducts, class T, class Step>
PydlStatus run_step(const PydlContext* context, const PydlSequence& s, const Product<T>& product,
                    const Step& step) {
  const dim3 grid(static_cast<uint32_t>(divide_up(s.units, kStepTile)),
                  static_cast<uint32_t>(divide_up(s.batch, kStepTile)));
  return launch(context, grid, dim3(kStepTile * kStepTile), 0, step_kernel<kProducts, T, Step>,
                product, s.batch, s.units, step);
}

// One number of each unit of each row of the batch at one step; may be absent.
template <class T>
struct StepArray {
  T* data;
  int64_t row;  // stride

  __device__ T& at(int64_t r, int64_t i) const { return data[r * row + i]; }
  __device__ T get(int64_t r, int64_t i) const { return data ? data[r * row + i] : T(0); }
};
// Of an array (batch, steps, width).
template <class T>
StepArray<T> at_step(const void* array, const PydlSequence& s, int64_t step, int64_t width) {
  T* data = const_cast<T*>(static_cast<const T*>(array));
  return {data ? data + step * width : nullptr, s.steps * width};
}
// Of an array (batch, units).
template <class T>
StepArray<T> once(const void* array, const PydlSequence& s) {
  return {const_cast<T*>(static_cast<const T*>(array)), s.units};
}
// What a sequence (batch, steps, units) held before a step.
template <class T>
StepArray<T> before(const void* sequence, const void* initial, const PydlSequence& s,
                    int64_t step) {
  return step ? at_step<T>(sequence, s, step - 1, s.units) : once<T>(initial, s);
}

struct StepMask {
  const uint8_t* mask;
  int64_t steps, step;
  StepMask(const PydlSequence& s, int64_t step) : mask(s.mask), steps(s.steps), step(step) {}
  __device__ bool hides(int64_t row) const { return mask && !mask[row * steps + step]; }
};

// state @ the matrices of the gates from `first` on.
template <class T>
Product<T> forward_product(const PydlSequence& s, StepArray<T> state, int64_t gates,
                           int64_t first = 0) {
  const T* weights = static_cast<const T*>(s.recurrent_kernel) + first * s.units;
  return {state.data, state.row, s.units, weights, gates * s.units, 1, s.units};
}
// gradient @ the transposed matrices of `count` gates from `first` on.
template <class T>
Product<T> backward_product(const PydlSequence& s, StepArray<T> gradient, int64_t gates,
                            int64_t first, int64_t count) {
  const T* weights = static_cast<const T*>(s.recurrent_kernel) + first * s.units;
  return {gradient.data, gradient.row, count * s.units, weights, 1, gates * s.units, 0};
}

// What carries the gradient of the state from step to step, as it comes in after the last one.
template <class T>
PydlStatus begin_carry(const PydlContext* context, const PydlSequence& s, const void* last,
                       void* carry) {
  const size_t bytes = static_cast<size_t>(s.batch * s.units) * sizeof(T);
  auto stream = static_cast<cudaStream_t>(context->stream);
  const cudaError_t error =
      last ? cudaMemcpyAsync(carry, last, bytes, cudaMemcpyDeviceToDevice, stream)
           : cudaMemsetAsync(carry, 0, bytes, stream);
  return check(context, error, "a copy of the state's gradient");
}

template <class T>
struct AddProduct {
  StepArray<T> to;
  __device__ void operator()(int64_t r, int64_t i, const T (&product)[1]) const {
    to.at(r, i) += product[0];
  }
};

}  // namespace
}  // namespace pydl::cuda
