// Matrix products of int8 without instructions for them: in float32, which holds every sum of
// kExactDepth products, and those sums are added up as integers.
#pragma once

#include "cpu/gemm/integer.h"
#include "cpu/gemm/matrix.h"
#include "pydl/kernels/gemm.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kCountedRows = 4;       // of C: with no more, B is used too rarely to convert it
constexpr int64_t kExactDepth = 1 << 10;  // of products up to 2^14, where float32 counts to 2^24

struct Byte {
  int8_t value;
};
template <>
struct ComputeOf<Byte> {
  using type = float;
};
typedef int8_t Bytes __attribute__((vector_size(Vec<float>::size)));

inline Vec<float> load(const Byte* from, int count) {
  Bytes bytes = {};
  memcpy(&bytes, from, static_cast<size_t>(count));
  return __builtin_convertvector(bytes, isa::Raw<float>);
}
inline Vec<float> load(const Byte* from) { return load(from, Vec<float>::size); }

// C of type O, which wraps around.
template <class O>
struct CountedOutput {
  static constexpr bool kInPlace = false;
  O* data;
  int64_t row_stride;
  bool accumulate;  // add to C

  void finish(int64_t row, int rows, int64_t column, int64_t columns, const float* sum,
              int64_t sum_row) const {
    for (int i = 0; i < rows; ++i, sum += sum_row) {
      O* to = data + (row + i) * row_stride + column;
      for (int64_t j = 0; j < columns; ++j) {
        const auto exact = static_cast<uint32_t>(static_cast<int32_t>(sum[j]));
        to[j] = static_cast<O>(accumulate ? static_cast<uint32_t>(to[j]) + exact : exact);
      }
    }
  }
};

template <class O>
PydlStatus multiply_counted(const PydlContext* context, const PydlGemmArgs& args) {
  if (args.m <= kCountedRows) return multiply_integer_matrices<int8_t, O>(context, args);
  const Byte* a = static_cast<const Byte*>(args.a);
  const Byte* b = static_cast<const Byte*>(args.b);
  const int64_t n = args.n, row = args.b_row_stride, column = args.b_col_stride;
  CountedOutput<O> out = {static_cast<O*>(args.c), args.c_row_stride, args.accumulate != 0};
  for (int64_t begin = 0; begin == 0 || begin < args.k; begin += kExactDepth) {
    const int64_t k = smaller(args.k - begin, kExactDepth);
    const Panels<float> panels = {k, n, nullptr, row};
    const MatrixStrips<Byte> strips(a + begin * args.a_col_stride, args.a_row_stride,
                                    args.a_col_stride, args.m, n, k);
    const auto pack_panels = [&](int64_t panel, int64_t panel_end, int64_t l, int64_t depth,
                                 float* dst) {
      pack_matrix_panels(b + (begin + l) * row, row, column, depth, n, panel, panel_end, dst,
                         depth * kTileColumns<float>);
    };
    const PydlStatus status = multiply<float>(context, panels, strips, pack_panels, out);
    if (status != PYDL_OK) return status;
    out.accumulate = true;
  }
  return PYDL_OK;
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
