// Copies of boxes of a tensor to shared memory by the tensor memory accelerator (sm_90), and the maps
// that describe tensors to it.
#pragma once

#include <cuda_runtime.h>
#include <stdint.h>
#include <string.h>

#include "cuda/device/ptx/barrier.cuh"
#ifndef PYDL_CUDA_EMULATED
#include <cuda.h>
#endif

namespace pydl::cuda::ptx {
namespace {

#ifdef PYDL_CUDA_EMULATED
using TensorMap = emulator::TensorMap;
#else
using TensorMap = CUtensorMap;
#endif

// Matrices of 16-bit elements, one behind another: (matrices, rows, columns), columns contiguous, strides
// in elements and multiples of 8, the address of 16 bytes.
struct MatrixFacts {
  const void* data;
  bool brain;  // bfloat16, not float16
  int64_t columns, rows, matrices;
  int64_t row_stride, matrix_stride;
};

#ifndef PYDL_CUDA_EMULATED
// The driver's function, found without linking to the driver; NULL where there is none.
inline decltype(&cuTensorMapEncodeTiled) tensor_map_encoder() {
  static const auto encoder = [] {
    void* function = nullptr;
    cudaDriverEntryPointQueryResult found = cudaDriverEntryPointSymbolNotFound;
    cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000,
                                     cudaEnableDefault, &found);
    return reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(
        found == cudaDriverEntryPointSuccess ? function : nullptr);
  }();
  return encoder;
}
#endif

// A map whose boxes are `box_rows` rows of 64 columns: 128 bytes, the unit of the swizzle. Reads outside
// give zeros. Sizes and strides from the columns, whose stride is 1, outwards. False where the driver
// refuses.
template <int kRank>
inline bool encode_boxes(const void* data, bool brain, const int64_t (&sizes)[kRank],
                         const int64_t (&strides)[kRank], uint32_t box_rows, TensorMap* map) {
#ifdef PYDL_CUDA_EMULATED
  (void)brain;
  memset(map, 0, sizeof *map);
  map->base = const_cast<void*>(data);
  map->rank = kRank;
  map->element_bytes = 2;
  map->swizzle = 128;
  for (int d = 0; d < kRank; ++d) {
    map->size[d] = static_cast<uint64_t>(sizes[d]);
    map->stride[d] = static_cast<uint64_t>(strides[d] * 2);
    map->box[d] = d == 0 ? 64 : d == 1 ? box_rows : 1;
  }
  return true;
#else
  cuuint64_t extents[kRank], bytes[kRank];
  cuuint32_t box[kRank], steps[kRank];
  for (int d = 0; d < kRank; ++d) {
    extents[d] = static_cast<cuuint64_t>(sizes[d]);
    bytes[d] = static_cast<cuuint64_t>(strides[d] * 2);
    box[d] = d == 0 ? 64 : d == 1 ? box_rows : 1;
    steps[d] = 1;
  }
  return tensor_map_encoder() &&
         tensor_map_encoder()(
             map, brain ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 : CU_TENSOR_MAP_DATA_TYPE_FLOAT16, kRank,
             const_cast<void*>(data), extents, bytes + 1, box, steps,
             CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
             CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) == CUDA_SUCCESS;
#endif
}

inline bool encode_matrix(const MatrixFacts& of, uint32_t box_rows, TensorMap* map) {
  return encode_boxes<3>(of.data, of.brain, {of.columns, of.rows, of.matrices},
                         {1, of.row_stride, of.matrix_stride}, box_rows, map);
}

// Starts to copy the box at (matrix, row, column); its bytes arrive at the barrier. `shared` lies at a
// multiple of 1024 bytes.
__device__ inline void load_box(void* shared, const TensorMap* map, Barrier* barrier, int column,
                                int row, int matrix) {
#ifdef PYDL_CUDA_EMULATED
  const int32_t at[3] = {column, row, matrix};
  emulator::tensor_load(shared, map, barrier, at);
#else
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
      "[%0], [%1, {%3, %4, %5}], [%2];" ::"r"(shared_address(shared)),
      "l"(map), "r"(shared_address(barrier)), "r"(column), "r"(row), "r"(matrix)
      : "memory");
#endif
}

// The same for a tensor of 4 dimensions: the box at (batch, head, row, column).
__device__ inline void load_box(void* shared, const TensorMap* map, Barrier* barrier, int column,
                                int row, int head, int batch) {
#ifdef PYDL_CUDA_EMULATED
  const int32_t at[4] = {column, row, head, batch};
  emulator::tensor_load(shared, map, barrier, at);
#else
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
      "[%0], [%1, {%3, %4, %5, %6}], [%2];" ::"r"(shared_address(shared)),
      "l"(map), "r"(shared_address(barrier)), "r"(column), "r"(row), "r"(head), "r"(batch)
      : "memory");
#endif
}

}  // namespace
}  // namespace pydl::cuda::ptx
