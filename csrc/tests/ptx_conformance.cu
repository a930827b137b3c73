// The wrappers of the instructions that every GPU has, or those since sm_80: conversions, products and
// copies of a warp.
#include "tests/ptx_conformance.h"

#include "cuda/device/ptx/copy_async.cuh"
#include "cuda/device/ptx/matrix.cuh"

namespace conformance {

// What a NaN carries is nobody's business.
__device__ uint32_t without_payload(float x) { return x == x ? __float_as_uint(x) : 0x7fc00000u; }
__device__ float any_float(uint32_t i) {
  const float x = __uint_as_float(mixed(i));
  return x == x ? x : 0.0f;
}

constexpr unsigned kConversions = 1 << 16;

__global__ void __launch_bounds__(256) widen_half(uint32_t* out) {
  const unsigned i = blockIdx.x * 256 + threadIdx.x;
  out[i] = without_payload(ptx::half_to_float(static_cast<uint16_t>(i)));
}
__global__ void __launch_bounds__(256) widen_bfloat16(uint32_t* out) {
  const unsigned i = blockIdx.x * 256 + threadIdx.x;
  out[i] = without_payload(ptx::bfloat16_to_float(static_cast<uint16_t>(i)));
}
__global__ void __launch_bounds__(256) narrow(uint32_t* out) {
  const unsigned i = blockIdx.x * 256 + threadIdx.x;
  const float x = any_float(i), near_half = static_cast<float>(static_cast<int>(mixed(i) >> 8)) * 1e-3f;
  out[i] = ptx::float_to_half(near_half) | static_cast<uint32_t>(ptx::float_to_bfloat16(x)) << 16;
}
__global__ void __launch_bounds__(256) pack(uint32_t* out) {
  const unsigned i = blockIdx.x * 256 + threadIdx.x;
  const float low = small_integer(i) / 3, high = any_float(i);
  out[i] = ptx::pack_half(low, low / 7) ^ ptx::pack_bfloat16(low, high);
}
__global__ void __launch_bounds__(256) round_to_tf32(uint32_t* out) {
  const unsigned i = blockIdx.x * 256 + threadIdx.x;
  out[i] = ptx::to_tf32(any_float(i));
}

template <bool kTransposed>
__global__ void __launch_bounds__(32) load_matrices(uint32_t* out) {
  __shared__ __align__(16) uint16_t rows[32][8];
  for (int e = 0; e < 8; ++e) rows[threadIdx.x][e] = static_cast<uint16_t>(mixed(threadIdx.x * 8 + e));
  __syncwarp();
  uint32_t result[4];
  ptx::load_matrices<kTransposed>(result, rows[threadIdx.x]);
  for (int i = 0; i < 4; ++i) out[threadIdx.x * 4 + i] = result[i];
}

template <class T>
__device__ uint32_t pair_of(uint32_t i) {
  return from_float<T>(small_integer(2 * i)).bits |
         static_cast<uint32_t>(from_float<T>(small_integer(2 * i + 1)).bits) << 16;
}

// kShuffles: in the way of GPUs whose tensor cores do not know the dtype.
template <class T, bool kShuffles = false>
__global__ void __launch_bounds__(32) multiply(uint32_t* out) {
  uint32_t a[4], b[2];
  float d[4];
  for (uint32_t i = 0; i < 4; ++i) a[i] = pair_of<T>(threadIdx.x * 4 + i);
  for (uint32_t i = 0; i < 2; ++i) b[i] = pair_of<T>(1000 + threadIdx.x * 2 + i);
  for (uint32_t i = 0; i < 4; ++i) d[i] = small_integer(5000 + threadIdx.x * 4 + i);
  if (kShuffles) {
    ptx::multiply_with_shuffles<2, ptx::half_of_pair<T>>(d, a, b);
  } else {
    ptx::multiply<T>(d, a, b);
  }
  for (int i = 0; i < 4; ++i) out[threadIdx.x * 4 + i] = __float_as_uint(d[i]);
}
template <bool kShuffles = false>
__global__ void __launch_bounds__(32) multiply_tf32(uint32_t* out) {
  uint32_t a[4], b[2];
  float d[4];
  for (uint32_t i = 0; i < 4; ++i) a[i] = ptx::to_tf32(small_integer(threadIdx.x * 4 + i));
  for (uint32_t i = 0; i < 2; ++i) b[i] = ptx::to_tf32(small_integer(1000 + threadIdx.x * 2 + i));
  for (uint32_t i = 0; i < 4; ++i) d[i] = small_integer(5000 + threadIdx.x * 4 + i);
  if (kShuffles) {
    ptx::multiply_with_shuffles<1, ptx::tf32_from_bits>(d, a, b);
  } else {
    ptx::multiply_tf32(d, a, b);
  }
  for (int i = 0; i < 4; ++i) out[threadIdx.x * 4 + i] = __float_as_uint(d[i]);
}

__global__ void __launch_bounds__(32) multiply_int8(uint32_t* out) {
  uint32_t a[4], b[2], d[4];
  for (uint32_t i = 0; i < 4; ++i) a[i] = mixed(threadIdx.x * 4 + i);
  for (uint32_t i = 0; i < 2; ++i) b[i] = mixed(1000 + threadIdx.x * 2 + i);
  for (uint32_t i = 0; i < 4; ++i) d[i] = mixed(5000 + threadIdx.x * 4 + i);
  ptx::multiply_int8(d, a, b);
  for (int i = 0; i < 4; ++i) out[threadIdx.x * 4 + i] = d[i];
}

// The second copy is cut short: the rest of it becomes zero.
__global__ void __launch_bounds__(32) copy_async(uint32_t* out) {
  __shared__ __align__(16) uint32_t copies[32][5];
  __shared__ __align__(16) uint32_t wide[32][4];
  uint32_t* own = out + threadIdx.x * 8;
  for (uint32_t i = 0; i < 4; ++i) own[i] = mixed(threadIdx.x * 4 + i);
  __syncwarp();
  ptx::copy_async<16>(wide[threadIdx.x], own, static_cast<int>(threadIdx.x % 17));
  ptx::commit_copies();
  ptx::copy_async<4>(&copies[threadIdx.x][1], own + 3, 4);
  ptx::commit_copies();
  ptx::wait_for_copies<1>();
  const uint32_t first = wide[threadIdx.x][0] ^ wide[threadIdx.x][3];
  ptx::wait_for_copies<0>();
  own[4] = first;
  own[5] = wide[threadIdx.x][1];
  own[6] = wide[threadIdx.x][2];
  own[7] = copies[threadIdx.x][1];
}

int run_all() {
  constexpr Grid kMany = {kConversions / 256, 256, 0, kConversions}, kWarp = {1, 32, 0, 128};
  return run("half_to_float", kMany, widen_half) + run("bfloat16_to_float", kMany, widen_bfloat16) +
         run("float_to_half_and_bfloat16", kMany, narrow) + run("pack", kMany, pack) +
         run("to_tf32", kMany, round_to_tf32) + run("load_matrices", kWarp, load_matrices<false>) +
         run("load_matrices_transposed", kWarp, load_matrices<true>) +
         run("multiply_float16", kWarp, multiply<float16>) +
         run("multiply_bfloat16", kWarp, multiply<bfloat16>) +
         run("multiply_bfloat16_with_shuffles", kWarp, multiply<bfloat16, true>) +
         run("multiply_tf32", kWarp, multiply_tf32<>) +
         run("multiply_tf32_with_shuffles", kWarp, multiply_tf32<true>) +
         run("multiply_int8", kWarp, multiply_int8) +
         run("copy_async", Grid{1, 32, 0, 256}, copy_async);
}

}  // namespace conformance

int main() { return conformance::run_all(); }
