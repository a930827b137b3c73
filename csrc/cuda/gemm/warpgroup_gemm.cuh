// Matrix products by warpgroups: which they serve.
#pragma once

#include "cuda/gemm/layout.h"
#include "cuda/gemm/warpgroup_run.cuh"
#include "pydl/kernels/gemm.h"

namespace pydl::cuda {
namespace {

// Whether tensor maps can describe an operand whose next matrix lies `step` elements further.
inline bool can_be_mapped(const void* data, int64_t row_stride, int64_t step) {
  return reinterpret_cast<uintptr_t>(data) % 16 == 0 && row_stride > 0 && row_stride % 8 == 0 &&
         step >= 0 && step % 8 == 0;
}

// An operand of `outer` rows as a tensor; with step 0 its one matrix serves the whole batch.
inline bool map_operand(const PydlGemmArgs& args, const void* data, const Layout& layout,
                        int64_t outer, int64_t batch, int64_t step, int tile,
                        MappedOperand* operand) {
  ptx::MatrixFacts of = {};
  of.data = data;
  of.brain = args.dtype == PYDL_BFLOAT16;
  of.columns = layout.depth_contiguous ? args.k : outer;
  of.rows = layout.depth_contiguous ? outer : args.k;
  of.matrices = step > 0 ? batch : 1;
  of.row_stride = layout.row_stride;
  of.matrix_stride = step > 0 ? step : layout.row_stride;
  operand->depths = INT32_MAX;
  operand->item_matrices = step > 0;
  return ptx::encode_matrix(of, layout.depth_contiguous ? tile : 64, &operand->map);
}

using MappedProduct = WarpgroupProduct<MappedOperand>;

// Whether warpgroups serve this product, and what they need to know of it: 16-bit operands on compute
// capability 9, aligned, with tiles of `columns` for most multiprocessors.
inline bool fill_warpgroup_product(const PydlGemmArgs& args, const Layout& a, const Layout& b,
                                   const Batch& batch, int columns, MappedProduct* product) {
  using Tile = WarpgroupTile<256>;
  if (args.dtype != PYDL_FLOAT16 && args.dtype != PYDL_BFLOAT16) return false;
  if (device_attribute(cudaDevAttrComputeCapabilityMajor) != 9) return false;
  if (args.m <= Tile::kRows / 2 || args.n <= 64 || args.k < Tile::kDepth) return false;
  if (batch.rank > 1 || !can_be_mapped(args.a, a.row_stride, batch.a[0]) ||
      !can_be_mapped(args.b, b.row_stride, batch.b[0])) {
    return false;
  }
  product->m = static_cast<int>(args.m);
  product->n = static_cast<int>(args.n);
  product->k = static_cast<int>(args.k);
  product->batch = batch;
  return divide_among_warpgroups(columns, product) &&
         map_operand(args, args.a, a, args.m, batch.count, batch.a[0], Tile::kRows, &product->a) &&
         map_operand(args, args.b, b, args.n, batch.count, batch.b[0], columns, &product->b);
}

}  // namespace
}  // namespace pydl::cuda
