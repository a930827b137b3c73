// Tensor cores as one warp sees them: ldmatrix and mma.sync (sm_80). Those of sm_75 multiply float16 in
// steps of depth 8; what they cannot do at all there, the warp does with shuffles.
//
// In the figures g = lane / 4 and t = lane % 4. A sum d[4] of 16 rows and 8 columns holds
// (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1).
#pragma once

#include <cuda_runtime.h>
#include <stdint.h>
#include <string.h>

#include <type_traits>

#include "pydl/cuda/dtype.cuh"

#if !defined(PYDL_CUDA_EMULATED) && defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#define PYDL_OLD_TENSOR_CORES
#endif

namespace pydl::cuda::ptx {
namespace {

// Four 8x8 matrices of 16-bit elements; lane 8i + r gives the address of row r of matrix i (16 bytes).
// result[i] holds elements (g, 2t) and (g, 2t + 1) of matrix i, or of its transpose.
template <bool kTransposed>
__device__ inline void load_matrices(uint32_t (&result)[4], const void* row) {
#ifdef PYDL_CUDA_EMULATED
  struct Lane {
    uint32_t* result;
    uint16_t row[8];
  } lane = {result, {}};
  memcpy(lane.row, row, sizeof lane.row);
  const auto combine = [](void** lanes) {
    for (int l = 0; l < 32; ++l) {
      for (int i = 0; i < 4; ++i) {
        uint16_t pair[2];
        for (int e = 0; e < 2; ++e) {
          const int row = kTransposed ? l % 4 * 2 + e : l / 4;
          const int column = kTransposed ? l / 4 : l % 4 * 2 + e;
          pair[e] = static_cast<Lane*>(lanes[8 * i + row])->row[column];
        }
        static_cast<Lane*>(lanes[l])->result[i] = pair[0] | static_cast<uint32_t>(pair[1]) << 16;
      }
    }
  };
  emulator::warp_collective("ldmatrix", ~0u, &lane, combine, emulator::Site::here());
#else
  const uint32_t from = static_cast<uint32_t>(__cvta_generic_to_shared(row));
  if constexpr (kTransposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(result[0]), "=r"(result[1]), "=r"(result[2]), "=r"(result[3])
                 : "r"(from)
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(result[0]), "=r"(result[1]), "=r"(result[2]), "=r"(result[3])
                 : "r"(from)
                 : "memory");
  }
#endif
}

// Elements of an operand's register.
template <class T>
__device__ inline float half_of_pair(uint32_t pair, int e) {
  T value;
  value.bits = static_cast<uint16_t>(pair >> (16 * e));
  return to_compute(value);
}
__device__ inline float tf32_from_bits(uint32_t bits, int) {
  return __uint_as_float(bits & ~0x1fffu);  // all that the hardware looks at
}

// d + a @ b for the fragments of a warp, without tensor cores: each thread asks for the row and the column
// that it needs. kElement(register, e) decodes one of kElements elements. Called, not inlined: a kernel
// would hold dozens of copies.
template <int kElements, float (*kElement)(uint32_t, int)>
__device__ __attribute__((noinline)) float4 sum_with_shuffles(float4 d, uint4 a, uint2 b) {
  const int lane = static_cast<int>(threadIdx.x) % 32, row = lane / 4 * 4, column = lane % 4 * 8;
#pragma unroll 1
  for (int i = 0; i < 8; ++i) {
    const int from = i % 4;
    const uint32_t upper = __shfl_sync(~0u, i < 4 ? a.x : a.z, row + from);
    const uint32_t lower = __shfl_sync(~0u, i < 4 ? a.y : a.w, row + from);
    const uint32_t left = __shfl_sync(~0u, i < 4 ? b.x : b.y, column + from);
    const uint32_t right = __shfl_sync(~0u, i < 4 ? b.x : b.y, column + 4 + from);
    for (int e = 0; e < kElements; ++e) {
      d.x += kElement(upper, e) * kElement(left, e);
      d.y += kElement(upper, e) * kElement(right, e);
      d.z += kElement(lower, e) * kElement(left, e);
      d.w += kElement(lower, e) * kElement(right, e);
    }
  }
  return d;
}

template <int kElements, float (*kElement)(uint32_t, int)>
__device__ inline void multiply_with_shuffles(float (&d)[4], const uint32_t (&a)[4],
                                              const uint32_t (&b)[2]) {
  const float4 sum = sum_with_shuffles<kElements, kElement>(
      make_float4(d[0], d[1], d[2], d[3]), make_uint4(a[0], a[1], a[2], a[3]), make_uint2(b[0], b[1]));
  d[0] = sum.x;
  d[1] = sum.y;
  d[2] = sum.z;
  d[3] = sum.w;
}

#ifdef PYDL_CUDA_EMULATED
// Elements of a register of int8, modulo 2^32.
__device__ inline uint32_t byte_of_four(uint32_t four, int e) {
  return static_cast<uint32_t>(static_cast<int32_t>(four << (24 - 8 * e)) >> 24);
}

// The same for all threads at once. The figures of the fragments are the same for 2 elements of 16 bits
// to a register and depth 16 as for 4 of 8 bits and depth 32, where a pair (2t, 2t + 1) becomes (4t to
// 4t + 3), and for one of 32 bits and depth 8, where it becomes (t).
template <int kDepth, auto kElement, class Sum>
inline void emulate_multiply(Sum* d, const uint32_t* a, const uint32_t* b) {
  struct Lane {
    Sum* d;
    const uint32_t *a, *b;
  } lane = {d, a, b};
  const auto combine = [](void** lanes) {
    constexpr int kElements = kDepth / 8;  // in a register
    Sum left[16][kDepth], right[kDepth][8];
    for (int l = 0; l < 32; ++l) {
      const Lane& from = *static_cast<Lane*>(lanes[l]);
      const int g = l / 4, t = l % 4;
      for (int e = 0; e < kElements; ++e) {
        for (int i = 0; i < 4; ++i) {
          left[g + i % 2 * 8][t * kElements + i / 2 * kDepth / 2 + e] = kElement(from.a[i], e);
        }
        for (int i = 0; i < 2; ++i) {
          right[t * kElements + i * kDepth / 2 + e][g] = kElement(from.b[i], e);
        }
      }
    }
    for (int l = 0; l < 32; ++l) {
      for (int i = 0; i < 4; ++i) {
        const int row = l / 4 + i / 2 * 8, column = l % 4 * 2 + i % 2;
        Sum sum = 0;
        for (int k = 0; k < kDepth; ++k) sum += left[row][k] * right[k][column];
        static_cast<Lane*>(lanes[l])->d[i] += sum;
      }
    }
  };
  emulator::warp_collective("mma.sync", ~0u, &lane, combine, emulator::Site::here());
}
#endif

// d (16, 8) += a (16, 16) @ b (16, 8). a holds (g, 2t), (g + 8, 2t), (g, 2t + 8), (g + 8, 2t + 8), each
// with its neighbour in depth; b holds (2t, g), (2t + 8, g), likewise.
template <class T>
__device__ inline void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#ifdef PYDL_CUDA_EMULATED
  emulate_multiply<16, half_of_pair<T>>(d, a, b);
#elif defined(PYDL_OLD_TENSOR_CORES)
  if constexpr (std::is_same_v<T, bfloat16>) {
    multiply_with_shuffles<2, half_of_pair<T>>(d, a, b);
  } else {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      asm volatile(
          "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, "
          "{%0, %1, %2, %3};"
          : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
          : "r"(a[i * 2]), "r"(a[i * 2 + 1]), "r"(b[i]));
    }
  }
#else
  if constexpr (std::is_same_v<T, bfloat16>) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  } else {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
#endif
}

// The nearest tf32 number (10 bits of mantissa), ties away from zero, as a float's bits.
__device__ inline uint32_t to_tf32(float x) {
#if defined(PYDL_CUDA_EMULATED) || defined(PYDL_OLD_TENSOR_CORES)
  const uint32_t bits = __float_as_uint(x);
  const bool finite = (bits & 0x7f800000u) != 0x7f800000u;
  return finite ? (bits + 0x1000u) & ~0x1fffu : bits;
#else
  uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return bits;
#endif
}

// d (16, 8) += a (16, 8) @ b (8, 8) in tf32. a holds (g, t), (g + 8, t), (g, t + 4), (g + 8, t + 4);
// b holds (t, g), (t + 4, g).
__device__ inline void multiply_tf32(float (&d)[4], const uint32_t (&a)[4],
                                     const uint32_t (&b)[2]) {
#ifdef PYDL_CUDA_EMULATED
  emulate_multiply<8, tf32_from_bits>(d, a, b);
#elif defined(PYDL_OLD_TENSOR_CORES)
  multiply_with_shuffles<1, tf32_from_bits>(d, a, b);
#else
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

// d (16, 8) += a (16, 32) @ b (32, 8) of int8, modulo 2^32. a holds (g, 4t), (g + 8, 4t), (g, 4t + 16),
// (g + 8, 4t + 16), each with three more in depth; b holds (4t, g), (4t + 16, g), likewise.
__device__ inline void multiply_int8(uint32_t (&d)[4], const uint32_t (&a)[4],
                                     const uint32_t (&b)[2]) {
#ifdef PYDL_CUDA_EMULATED
  emulate_multiply<32, byte_of_four>(d, a, b);
#elif defined(PYDL_OLD_TENSOR_CORES)
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    asm volatile(
        "mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0, %1}, {%2}, {%3}, {%0, %1};"
        : "+r"(d[i % 2 * 2]), "+r"(d[i % 2 * 2 + 1])
        : "r"(a[i]), "r"(b[i / 2]));
  }
#else
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

}  // namespace
}  // namespace pydl::cuda::ptx
