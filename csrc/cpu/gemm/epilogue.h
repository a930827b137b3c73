// What happens to finished sums on their way to C: conversion, bias and activation.
#pragma once

#include "cpu/activation.h"
#include "cpu/gemm/pack.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// Bias and result are of type S and O; sums of type Compute<S>.
template <class S, class O>
struct Epilogue {
  using T = Compute<S>;
  const S* bias;  // or NULL
  PydlActivation activation;

  bool empty() const { return !bias && activation == PYDL_ACTIVATION_NONE; }

  // A row of sums for columns [column, column + n) of C; `residual` or NULL is added; `pre` or NULL
  // receives what the activation is applied to.
  void row(const T* sum, int64_t n, int64_t column, bool accumulate, O* out, O* pre,
           const O* residual) const {
    with_activation<T>(activation, [&](auto f) {
      for_registers<T>(n, [&](int64_t j, auto... count) {
        Vec<T> x = load(sum + j, count...);
        if (accumulate) x += load(out + j, count...);
        if (bias) x += load(bias + column + j, count...);
        if (residual) x += load(residual + j, count...);
        if (pre) store(x, pre + j, count...);
        store(f(x), out + j, count...);
      });
    });
  }
};

// C as a matrix in the caller's memory.
template <class S, class O>
struct MatrixOutput {
  using T = Compute<S>;
  static constexpr bool kInPlace = std::is_same_v<T, O>;  // C holds partial sums
  O* data;
  O* pre_activation;  // or NULL; strides like data
  const O* residual;  // the same
  int64_t row_stride;
  bool accumulate;  // add to C
  Epilogue<S, O> epilogue;

  MatrixOutput from_row(int64_t row) const {
    MatrixOutput rest = *this;
    rest.data += row * row_stride;
    if (pre_activation) rest.pre_activation += row * row_stride;
    if (residual) rest.residual += row * row_stride;
    return rest;
  }
  const O* address(int64_t row) const { return data + row * row_stride; }
  TileOutput<T> place(int64_t row, int64_t column) const {
    if (residual) {  // to be here when the tile is done
      const O* from = residual + row * row_stride + column;
      for (int i = 0; i < kTileRows; ++i, from += row_stride) {
        for (int j = 0; j < kTileColumns<T>; j += kCacheLine / static_cast<int>(sizeof(O))) {
          __builtin_prefetch(from + j);
        }
      }
    }
    return {data + row * row_stride + column, row_stride, 0, accumulate};
  }
  // Sums that tiles left where place() said, or in a buffer.
  void finish(int64_t row, int rows, int64_t column, int64_t columns, const T* sum,
              int64_t sum_row) const {
    const bool done = kInPlace && epilogue.empty() && !pre_activation && !residual;
    if (!done) write(row, rows, column, columns, sum, sum_row, accumulate && !kInPlace);
  }
  void write(int64_t row, int rows, int64_t column, int64_t columns, const T* sum, int64_t sum_row,
             bool add) const {
    for (int i = 0; i < rows; ++i) {
      const int64_t at = (row + i) * row_stride + column;
      epilogue.row(sum + i * sum_row, columns, column, add, data + at,
                   pre_activation ? pre_activation + at : nullptr,
                   residual ? residual + at : nullptr);
    }
  }
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
