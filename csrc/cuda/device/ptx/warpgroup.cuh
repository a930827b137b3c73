// Products of a warpgroup (4 warps) on operands in shared memory: wgmma (sm_90a).
#pragma once

#include <cuda_runtime.h>
#include <stdint.h>
#include <string.h>

#include <type_traits>

#include "cuda/device/ptx/barrier.cuh"
#include "pydl/cuda/dtype.cuh"

namespace pydl::cuda::ptx {
namespace {

// Describes an operand to wgmma: tiles of 64 16-bit columns (128 bytes) with the 128-byte swizzle, at
// multiples of 1024 bytes. Where depth is contiguous, rows are those of the operand and groups of 8
// lie 1024 bytes apart. Else rows are depths (groups of 8 again 1024 bytes apart), and the next 64
// rows of the operand lie `tile_bytes` further.
__device__ inline uint64_t describe_operand(const void* shared, uint32_t tile_bytes) {
#ifdef PYDL_CUDA_EMULATED
  const uint32_t address = emulator::shared_address(shared);
#else
  const uint32_t address = shared_address(shared);
#endif
  constexpr uint64_t kGroup = 1024, kSwizzle128 = 1;
  return static_cast<uint64_t>((address & 0x3ffff) >> 4) |
         static_cast<uint64_t>(tile_bytes >> 4) << 16 | kGroup >> 4 << 32 | kSwizzle128 << 62;
}

// Orders the registers of sums before the products that follow.
__device__ inline void fence_products() {
#ifndef PYDL_CUDA_EMULATED
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#endif
}
__device__ inline void commit_products() {
#ifdef PYDL_CUDA_EMULATED
  emulator::warp_commit();
#else
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#endif
}
// Waits until at most kPending groups are under way.
template <int kPending>
__device__ inline void wait_for_products() {
#ifdef PYDL_CUDA_EMULATED
  emulator::warp_wait(kPending);
#else
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
#endif
}

// Keeps the compiler from reading or writing sums on the other side of this point.
template <int kCount>
__device__ inline void fence_sums(float (&sums)[kCount]) {
#ifndef PYDL_CUDA_EMULATED
#pragma unroll
  for (int i = 0; i < kCount; ++i) asm volatile("" : "+f"(sums[i])::"memory");
#else
  (void)sums;
#endif
}

// The same for a left operand in registers.
template <int kSteps>
__device__ inline void fence_operand(uint32_t (&a)[kSteps][4]) {
#ifndef PYDL_CUDA_EMULATED
#pragma unroll
  for (int i = 0; i < kSteps; ++i)
    asm volatile("" : "+r"(a[i][0]), "+r"(a[i][1]), "+r"(a[i][2]), "+r"(a[i][3])::"memory");
#else
  (void)a;
#endif
}

// Moves registers between warpgroups: all 4 warps of one call it.
template <int kRegisters>
__device__ inline void claim_registers() {
#ifndef PYDL_CUDA_EMULATED
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
#endif
}
template <int kRegisters>
__device__ inline void give_up_registers() {
#ifndef PYDL_CUDA_EMULATED
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
#endif
}

#ifdef PYDL_CUDA_EMULATED
// One lane's view of a product; its sums, and what it has of a in registers, stay where they are until the
// product lands.
struct WarpgroupOperand {
  float* d;
  const uint32_t* registers;
  uint64_t a, b;
  int warp;
};

// Element (outer, depth) of the operand that a descriptor stands for.
template <class T, bool kDepthContiguous>
inline float described_element(uint64_t descriptor, int outer, int depth) {
  const uint32_t start = static_cast<uint32_t>(descriptor & 0x3fff) << 4;
  const uint32_t tile = static_cast<uint32_t>(descriptor >> 16 & 0x3fff) << 4;
  const uint32_t group = static_cast<uint32_t>(descriptor >> 32 & 0x3fff) << 4;
  const int row = kDepthContiguous ? outer : depth;
  const int column = kDepthContiguous ? depth : outer % 64;
  uint32_t address = start + static_cast<uint32_t>(row / 8) * group +
                     static_cast<uint32_t>(row % 8 * 128 + column * 2);
  if (!kDepthContiguous) address += static_cast<uint32_t>(outer / 64) * tile;
  if (descriptor >> 62 == 1) address ^= (address >> 7 & 7) << 4;
  T value;
  memcpy(&value, emulator::shared_pointer(address), sizeof value);
  return to_compute(value);
}

// The products of the 16 rows of one warp.
template <class T, int kColumns, bool kBDepth>
inline void emulate_columns(WarpgroupOperand* lanes, const float (&a)[16][16]) {
  static thread_local float b[16][kColumns];
  for (int k = 0; k < 16; ++k) {
    for (int j = 0; j < kColumns; ++j) b[k][j] = described_element<T, kBDepth>(lanes[0].b, j, k);
  }
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < kColumns / 2; ++i) {
      const int row = lane / 4 + i / 2 % 2 * 8, column = i / 4 * 8 + lane % 4 * 2 + i % 2;
      float sum = 0;
      for (int k = 0; k < 16; ++k) sum += a[row][k] * b[k][column];
      lanes[lane].d[i] += sum;
    }
  }
}

template <class T, int kColumns, bool kADepth, bool kBDepth>
inline void emulate_rows(WarpgroupOperand* lanes) {
  float a[16][16];
  const WarpgroupOperand& of = lanes[0];
  for (int k = 0; k < 16; ++k) {
    for (int i = 0; i < 16; ++i) a[i][k] = described_element<T, kADepth>(of.a, of.warp * 16 + i, k);
  }
  emulate_columns<T, kColumns, kBDepth>(lanes, a);
}

template <class T, int kColumns, bool kBDepth>
inline void emulate_rows_in_registers(WarpgroupOperand* lanes) {
  float a[16][16];
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < 8; ++i) {
      T value;
      value.bits = static_cast<uint16_t>(lanes[lane].registers[i / 2] >> (i % 2 * 16));
      a[lane / 4 + i / 2 % 2 * 8][lane % 4 * 2 + i / 4 * 8 + i % 2] = to_compute(value);
    }
  }
  emulate_columns<T, kColumns, kBDepth>(lanes, a);
}
#else
#define PYDL_EIGHT_SUMS(i)                                                                       \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]),   \
      "+f"(d[i + 6]), "+f"(d[i + 7])
#define PYDL_32_SUMS(i) \
  PYDL_EIGHT_SUMS(i), PYDL_EIGHT_SUMS(i + 8), PYDL_EIGHT_SUMS(i + 16), PYDL_EIGHT_SUMS(i + 24)
#define PYDL_64_SUMS(i) PYDL_32_SUMS(i), PYDL_32_SUMS(i + 32)
#define PYDL_128_SUMS(i) PYDL_64_SUMS(i), PYDL_64_SUMS(i + 64)
#define PYDL_32_NAMES \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15" \
  ", %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define PYDL_64_NAMES \
  PYDL_32_NAMES \
  ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47" \
  ", %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define PYDL_128_NAMES \
  PYDL_64_NAMES \
  ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79" \
  ", %80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95" \
  ", %96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111" \
  ", %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"
#define PYDL_WGMMA(columns, type, sums, operands)                                                \
  asm volatile("wgmma.mma_async.sync.aligned.m64n" #columns "k16.f32." type "." type " {"        \
               PYDL_##sums##_NAMES "}, " operands ";"                                            \
               : PYDL_##sums##_SUMS(0)                                                           \
               : "l"(a), "l"(b), "n"(kADepth ? 0 : 1), "n"(kBDepth ? 0 : 1))
#define PYDL_WGMMA_REGISTERS(columns, type, sums, operands)                                      \
  asm volatile("wgmma.mma_async.sync.aligned.m64n" #columns "k16.f32." type "." type " {"        \
               PYDL_##sums##_NAMES "}, " operands ";"                                            \
               : PYDL_##sums##_SUMS(0)                                                           \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "n"(kBDepth ? 0 : 1))
#define PYDL_WGMMA_REGISTERS_OF(type)                                                        \
  if constexpr (kColumns == 64) {                                                            \
    PYDL_WGMMA_REGISTERS(64, type, 32, "{%32, %33, %34, %35}, %36, 1, 1, 1, %37");           \
  } else if constexpr (kColumns == 128) {                                                    \
    PYDL_WGMMA_REGISTERS(128, type, 64, "{%64, %65, %66, %67}, %68, 1, 1, 1, %69");          \
  } else {                                                                                   \
    PYDL_WGMMA_REGISTERS(256, type, 128, "{%128, %129, %130, %131}, %132, 1, 1, 1, %133");   \
  }
#define PYDL_WGMMA_OF(type)                                              \
  if constexpr (kColumns == 64) {                                        \
    PYDL_WGMMA(64, type, 32, "%32, %33, 1, 1, 1, %34, %35");             \
  } else if constexpr (kColumns == 128) {                                \
    PYDL_WGMMA(128, type, 64, "%64, %65, 1, 1, 1, %66, %67");            \
  } else {                                                               \
    PYDL_WGMMA(256, type, 128, "%128, %129, 1, 1, 1, %130, %131");       \
  }
#endif

// d (64, kColumns) += a (64, 16) @ b (16, kColumns), kColumns 64, 128 or 256. Warp w of the warpgroup has
// rows 16w to 16w + 15; with g = lane / 4 and t = lane % 4 its d[4j..4j+3] are, of columns 8j to 8j + 7,
// (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1).
template <class T, int kColumns, bool kADepth, bool kBDepth>
__device__ inline void multiply_64_rows(float (&d)[kColumns / 2], uint64_t a, uint64_t b) {
  static_assert(kColumns == 64 || kColumns == 128 || kColumns == 256, "widths in use");
#ifdef PYDL_CUDA_EMULATED
  const WarpgroupOperand operand = {d, nullptr, a, b, emulator::warp() % 4};
  emulator::warp_start("wgmma", operand, emulate_rows<T, kColumns, kADepth, kBDepth>);
#else
  if constexpr (std::is_same_v<T, bfloat16>) {
    PYDL_WGMMA_OF("bf16")
  } else {
    PYDL_WGMMA_OF("f16")
  }
#endif
}

// The same with a in registers, in each warp its 16 rows as ptx::multiply (matrix.cuh) wants them; they
// keep their values until the product has been waited for.
template <class T, int kColumns, bool kBDepth>
__device__ inline void multiply_64_rows(float (&d)[kColumns / 2], const uint32_t (&a)[4],
                                        uint64_t b) {
  static_assert(kColumns == 64 || kColumns == 128 || kColumns == 256, "widths in use");
#ifdef PYDL_CUDA_EMULATED
  const WarpgroupOperand operand = {d, a, 0, b, emulator::warp() % 4};
  emulator::warp_start("wgmma", operand, emulate_rows_in_registers<T, kColumns, kBDepth>);
#else
  if constexpr (std::is_same_v<T, bfloat16>) {
    PYDL_WGMMA_REGISTERS_OF("bf16")
  } else {
    PYDL_WGMMA_REGISTERS_OF("f16")
  }
#endif
}

#ifndef PYDL_CUDA_EMULATED
#undef PYDL_WGMMA_REGISTERS_OF
#undef PYDL_WGMMA_REGISTERS
#undef PYDL_WGMMA_OF
#undef PYDL_WGMMA
#undef PYDL_128_NAMES
#undef PYDL_64_NAMES
#undef PYDL_32_NAMES
#undef PYDL_128_SUMS
#undef PYDL_64_SUMS
#undef PYDL_32_SUMS
#undef PYDL_EIGHT_SUMS
#endif

}  // namespace
}  // namespace pydl::cuda::ptx
