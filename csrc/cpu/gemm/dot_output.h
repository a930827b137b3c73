// What happens to finished sums of dot products: like epilogue.h, for tiles that are cheap.
#pragma once

#include "cpu/gemm/dot_tile.h"
#include "cpu/gemm/epilogue.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// The conversion of AVX512-BF16, which flushes denormals to zero.
PYDL_VECTOR_DOTS inline void narrow_rows(const float* from, int64_t from_row, int rows, int columns,
                                         BFloat16* to, int64_t to_row) {
  const auto lanes = static_cast<__mmask32>(isa::first_lanes(columns));
  for (int i = 0; i < rows; ++i) {
    const float* row = from + i * from_row;
    const __m512bh both = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(row + 16), _mm512_loadu_ps(row));
    _mm512_mask_storeu_epi16(to + i * to_row, lanes, (__m512i)both);
  }
}

// Sums of tiles for C in bfloat16. Tiles are at most 32 columns wide, and may be written to.
struct NarrowOutput {
  const MatrixOutput<BFloat16, BFloat16>& out;

  void write(int64_t row, int rows, int64_t column, int columns, float* sums,
             int64_t sum_row) const {
    const int64_t at = row * out.row_stride + column;
    if (out.accumulate || out.epilogue.bias || out.residual) {
      add(at, rows, column, columns, sums, sum_row);
    }
    if (out.pre_activation) {
      narrow_rows(sums, sum_row, rows, columns, out.pre_activation + at, out.row_stride);
    }
    if (out.epilogue.activation != PYDL_ACTIVATION_NONE) {
      with_activation<float>(out.epilogue.activation, [&](auto f) {
        for (int i = 0; i < rows; ++i) {
          for (int j = 0; j < columns; j += Vec<float>::size) {
            float* to = sums + i * sum_row + j;
            f(Vec<float>::load(to)).store(to);
          }
        }
      });
    }
    narrow_rows(sums, sum_row, rows, columns, out.data + at, out.row_stride);
  }

  // What is there already, the bias, and the residual.
  void add(int64_t at, int rows, int64_t column, int columns, float* sums, int64_t sum_row) const {
    for (int j = 0; j < columns; j += Vec<float>::size) {
      const int count = columns - j < Vec<float>::size ? columns - j : Vec<float>::size;
      Vec<float> bias(0.0f);
      if (out.epilogue.bias) bias = load(out.epilogue.bias + column + j, count);
      for (int i = 0; i < rows; ++i) {
        float* to = sums + i * sum_row + j;
        Vec<float> sum = Vec<float>::load(to) + bias;
        if (out.accumulate) sum += load(out.data + at + i * out.row_stride + j, count);
        if (out.residual) sum += load(out.residual + at + i * out.row_stride + j, count);
        sum.store(to);
      }
    }
  }
};

// Sums of tiles for C in float32.
struct WideOutput {
  const MatrixOutput<BFloat16, float>& out;

  void write(int64_t row, int rows, int64_t column, int columns, float* sums,
             int64_t sum_row) const {
    out.write(row, rows, column, columns, sums, sum_row, out.accumulate);
  }
};

// Sums of int8 products for C in int32, or wrapped around to int8.
template <class O>
struct IntegerOutput {
  O* data;
  int64_t row_stride;
  bool accumulate;

  void write(int64_t row, int rows, int64_t column, int columns, const int32_t* sums,
             int64_t sum_row) const {
    for (int i = 0; i < rows; ++i) {
      O* to = data + (row + i) * row_stride + column;
      const int32_t* from = sums + i * sum_row;
      if (accumulate) {
        for (int j = 0; j < columns; ++j) {
          to[j] = static_cast<O>(static_cast<uint32_t>(to[j]) + static_cast<uint32_t>(from[j]));
        }
      } else {
        for (int j = 0; j < columns; ++j) to[j] = static_cast<O>(from[j]);
      }
    }
  }
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
