// Host side of warpgroup_kernel.cuh: when it serves, and its launch.
#pragma once

#include "cuda/gemm/layout.h"
#include "cuda/gemm/run.cuh"
#include "cuda/gemm/warpgroup_kernel.cuh"
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
                        int64_t outer, int64_t batch, int64_t step, uint32_t tile,
                        ptx::TensorMap* map) {
  ptx::MatrixFacts of = {};
  of.data = data;
  of.brain = args.dtype == PYDL_BFLOAT16;
  of.columns = layout.depth_contiguous ? args.k : outer;
  of.rows = layout.depth_contiguous ? outer : args.k;
  of.matrices = step > 0 ? batch : 1;
  of.row_stride = layout.row_stride;
  of.matrix_stride = step > 0 ? step : layout.row_stride;
  return ptx::encode_matrix(of, layout.depth_contiguous ? tile : 64, map);
}

// Whether warpgroups serve this product, and what they need to know of it: 16-bit operands on compute
// capability 9, aligned, with tiles for most multiprocessors.
inline bool fill_warpgroup_product(const PydlGemmArgs& args, const Layout& a, const Layout& b,
                                   const Batch& batch, WarpgroupProduct* product) {
  using Tile = WarpgroupTile;
  if (args.dtype != PYDL_FLOAT16 && args.dtype != PYDL_BFLOAT16) return false;
  if (args.m <= Tile::kRows / 2 || args.n <= Tile::kColumns / 2 || args.k < Tile::kDepth) return false;
  if (batch.rank > 1 || !can_be_mapped(args.a, a.row_stride, batch.a[0]) ||
      !can_be_mapped(args.b, b.row_stride, batch.b[0])) {
    return false;
  }
  Division by = {};
  by.row_tiles = static_cast<int>(divide_up(args.m, Tile::kRows));
  by.column_tiles = static_cast<int>(divide_up(args.n, Tile::kColumns));
  by.splits = 1;
  const int64_t tiles = by.row_tiles * int64_t{by.column_tiles} * batch.count;
  const int processors = device_attribute(cudaDevAttrMultiProcessorCount);
  if (tiles * 4 < processors * 3 || tiles > INT32_MAX) return false;
  if (device_attribute(cudaDevAttrComputeCapabilityMajor) != 9) return false;

  product->a_batched = batch.a[0] > 0;
  product->b_batched = batch.b[0] > 0;
  product->m = static_cast<int>(args.m);
  product->n = static_cast<int>(args.n);
  product->k = static_cast<int>(args.k);
  product->division = by;
  product->batch = batch;
  return map_operand(args, args.a, a, args.m, batch.count, batch.a[0], Tile::kRows, &product->a) &&
         map_operand(args, args.b, b, args.n, batch.count, batch.b[0], Tile::kColumns, &product->b);
}

// Whether this library holds the kernels' code for the device.
inline bool has_warpgroup_code() {
#ifdef PYDL_CUDA_EMULATED
  return true;
#else
  cudaFuncAttributes attributes = {};
  const auto kernel = multiply_with_warpgroups<bfloat16, true, true>;
  return cudaFuncGetAttributes(&attributes, kernel) == cudaSuccess &&
         attributes.maxThreadsPerBlock >= WarpgroupTile::kThreads;
#endif
}

template <class T, bool kADepth, bool kBDepth>
PydlStatus run_warpgroups(const PydlContext* context, const WarpgroupProduct& product) {
  const Division& by = product.division;
  const int64_t tiles = by.row_tiles * int64_t{by.column_tiles} * product.batch.count;
  const int64_t processors = device_attribute(cudaDevAttrMultiProcessorCount);
  return launch(context, dim3(static_cast<unsigned>(tiles < processors ? tiles : processors)),
                dim3(WarpgroupTile::kThreads), WarpgroupTile::kSharedBytes,
                multiply_with_warpgroups<T, kADepth, kBDepth>, product);
}

}  // namespace
}  // namespace pydl::cuda
