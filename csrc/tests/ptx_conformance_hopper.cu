// The wrappers of the instructions of sm_90a: barriers in shared memory, tensor copies, products of a
// warpgroup.
#include "tests/ptx_conformance.h"

#include "cuda/device/ptx/copy_async.cuh"
#include "cuda/device/ptx/tensor_copy.cuh"
#include "cuda/device/ptx/warpgroup.cuh"

namespace conformance {

constexpr int kPhases = 5;

// One warp fills a buffer that another empties, phase after phase: with stores, or with copies.
template <bool kCopies>
__global__ void __launch_bounds__(64) exchange(uint32_t* out) {
  struct Shared {
    ptx::Barrier full, empty;
    uint32_t words[32];
  };
  auto* shared = dynamic_shared<Shared>();
  const unsigned lane = threadIdx.x % 32;
  uint32_t* own = out + kPhases * 32 + lane;
  if (threadIdx.x < 32) *own = mixed(lane);
  if (threadIdx.x == 0) {
    ptx::init_barrier(&shared->full, 32);
    ptx::init_barrier(&shared->empty, 32);
    ptx::fence_barriers();
  }
  __syncthreads();
  for (unsigned phase = 0; phase < kPhases; ++phase) {
    if (threadIdx.x < 32) {
      if (phase > 0) ptx::wait(&shared->empty, (phase - 1) & 1);
      if (kCopies) {
        ptx::copy_async<4>(&shared->words[lane], own, (phase + lane) % 5);
        ptx::arrive_after_copies(&shared->full);
      } else {
        shared->words[lane] = mixed(phase * 32 + lane);
        ptx::arrive(&shared->full);
      }
    } else {
      ptx::wait(&shared->full, phase & 1);
      out[phase * 32 + lane] = shared->words[31 - lane];
      ptx::arrive(&shared->empty);
    }
  }
}

// The bytes of a box of kRows rows at each of a few places as they lie in shared memory; parts of some
// boxes are outside of the tensor.
template <int kRows>
__global__ void __launch_bounds__(128)
    load_boxes(uint32_t* out, const __grid_constant__ ptx::TensorMap map) {
  constexpr int kWords = kRows * 32, kBoxes = 4;
  constexpr int kPlaces[kBoxes][3] = {{0, 0, 0}, {64, 8, 1}, {128, kRows, 2}, {-8, -3, 0}};
  auto* box = dynamic_shared<uint32_t, 1024>();
  auto* barrier = reinterpret_cast<ptx::Barrier*>(box + kWords);
  if (threadIdx.x == 0) {
    ptx::init_barrier(barrier, 1);
    ptx::fence_barriers();
  }
  __syncthreads();
  for (int i = 0; i < kBoxes; ++i) {
    if (threadIdx.x == 0) {
      ptx::arrive_expecting(barrier, kWords * 4);
      ptx::load_box(box, &map, barrier, kPlaces[i][0], kPlaces[i][1], kPlaces[i][2]);
    }
    ptx::wait(barrier, i & 1);
    for (int w = static_cast<int>(threadIdx.x); w < kWords; w += 128) out[i * kWords + w] = box[w];
    __syncthreads();
  }
}

template <int kRows>
int run_boxes(const char* name) {
  const ptx::MatrixFacts of = {nullptr, true, 144, kRows + 20, 3, 152, 152 * (kRows + 24)};
  std::vector<uint16_t> values(static_cast<size_t>(of.matrices * of.matrix_stride));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<uint16_t>(i * 2654435761u >> 7);
  void* data = nullptr;
  const size_t bytes = values.size() * 2;
  if (cudaMalloc(&data, bytes) != cudaSuccess ||
      cudaMemcpy(data, values.data(), bytes, cudaMemcpyHostToDevice) != cudaSuccess) {
    return 1;
  }
  ptx::MatrixFacts placed = of;
  placed.data = data;
  ptx::TensorMap map = {};
  if (!ptx::encode_matrix(placed, kRows, &map)) return 1;
  constexpr size_t kWords = kRows * 32;
  const int failed = run(name, {1, 128, kWords * 4 + 8, kWords * 4}, load_boxes<kRows>, map);
  cudaFree(data);
  return failed;
}

// The same for heads of a tensor of 4 dimensions.
__global__ void __launch_bounds__(128)
    load_heads(uint32_t* out, const __grid_constant__ ptx::TensorMap map) {
  constexpr int kWords = 64 * 32, kBoxes = 3;
  constexpr int kPlaces[kBoxes][4] = {{0, 0, 0, 0}, {64, 32, 2, 1}, {-8, 40, 1, 1}};
  auto* box = dynamic_shared<uint32_t, 1024>();
  auto* barrier = reinterpret_cast<ptx::Barrier*>(box + kWords);
  if (threadIdx.x == 0) {
    ptx::init_barrier(barrier, 1);
    ptx::fence_barriers();
  }
  __syncthreads();
  for (int i = 0; i < kBoxes; ++i) {
    if (threadIdx.x == 0) {
      ptx::arrive_expecting(barrier, kWords * 4);
      ptx::load_box(box, &map, barrier, kPlaces[i][0], kPlaces[i][1], kPlaces[i][2], kPlaces[i][3]);
    }
    ptx::wait(barrier, i & 1);
    for (int w = static_cast<int>(threadIdx.x); w < kWords; w += 128) out[i * kWords + w] = box[w];
    ptx::sync_threads(2, 128);
  }
}

int run_heads() {
  constexpr int64_t kSizes[4] = {80, 70, 3, 2}, kStrides[4] = {1, 3 * 80, 80, 70 * 3 * 80};
  std::vector<uint16_t> values(2 * 70 * 3 * 80);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<uint16_t>(i * 2654435761u >> 7);
  void* data = nullptr;
  const size_t bytes = values.size() * 2;
  ptx::TensorMap map = {};
  if (cudaMalloc(&data, bytes) != cudaSuccess ||
      cudaMemcpy(data, values.data(), bytes, cudaMemcpyHostToDevice) != cudaSuccess ||
      !ptx::encode_boxes<4>(data, true, kSizes, kStrides, 64, &map)) {
    return 1;
  }
  const int failed = run("load_box_of_heads", {1, 128, 64 * 128 + 8, 3 * 64 * 32}, load_heads, map);
  cudaFree(data);
  return failed;
}

// Two groups of 4 products of a stage of kColumns columns and depth 64. What an operand holds follows from
// its memory, whatever its layout. Half of the block lends its registers.
template <class T, int kColumns, bool kADepth, bool kBDepth>
__global__ void __launch_bounds__(256, 1) multiply_stages(uint32_t* out) {
  constexpr int kBlock = 64 * 64, kElements = kBlock + kColumns * 64;
  constexpr uint32_t kStepA = kADepth ? 2 : 128, kStepB = kBDepth ? 2 : 128;
  auto* a = dynamic_shared<T, 1024>();
  for (unsigned i = threadIdx.x; i < kElements; i += 256) a[i] = from_float<T>(small_integer(i));
  ptx::fence_shared_memory();
  __syncthreads();
  if (threadIdx.x < 128) {
    ptx::give_up_registers<40>();
    return;
  }
  ptx::claim_registers<232>();
  const unsigned thread = threadIdx.x - 128;
  float sums[kColumns / 2];
  for (int i = 0; i < kColumns / 2; ++i) sums[i] = small_integer(thread * 128 + i);
  const uint64_t rows = ptx::describe_operand(a, 2 * kBlock);
  const uint64_t columns = ptx::describe_operand(a + kBlock, 2 * kBlock);
  ptx::fence_sums(sums);
  for (int group = 0; group < 2; ++group) {
    ptx::fence_products();
#pragma unroll
    for (unsigned i = 0; i < 4; ++i) {
      ptx::multiply_64_rows<T, kColumns, kADepth, kBDepth>(sums, rows + i * kStepA,
                                                           columns + i * kStepB);
    }
    ptx::commit_products();
    ptx::wait_for_products<1>();
  }
  ptx::wait_for_products<0>();
  ptx::fence_sums(sums);
#pragma unroll
  for (int i = 0; i < kColumns / 2; ++i) {
    out[thread * (kColumns / 2) + i] = __float_as_uint(sums[i]);
  }
}

template <class T, int kColumns, bool kADepth, bool kBDepth>
int run_products(const char* dtype) {
  char name[80];
  snprintf(name, sizeof name, "multiply_64x%d_%s_%s%s", kColumns, dtype, kADepth ? "n" : "t",
           kBDepth ? "t" : "n");
  const Grid grid = {1, 256, 128 * (64 + kColumns), 64 * kColumns};
  return run(name, grid, multiply_stages<T, kColumns, kADepth, kBDepth>);
}

// 4 products whose left operand is in registers.
template <class T, int kColumns, bool kBDepth>
__global__ void __launch_bounds__(128, 1) multiply_registers(uint32_t* out) {
  auto* b = dynamic_shared<T, 1024>();
  for (unsigned i = threadIdx.x; i < kColumns * 64; i += 128) b[i] = from_float<T>(small_integer(i));
  ptx::fence_shared_memory();
  __syncthreads();
  uint32_t a[4][4];
  float sums[kColumns / 2];
  for (int i = 0; i < 32; ++i) {
    const uint32_t bits = from_float<T>(small_integer(threadIdx.x * 32 + i)).bits;
    a[i / 8][i / 2 % 4] = i % 2 == 0 ? bits : a[i / 8][i / 2 % 4] | bits << 16;
  }
  for (int i = 0; i < kColumns / 2; ++i) sums[i] = small_integer(threadIdx.x * 128 + i);
  const uint64_t columns = ptx::describe_operand(b, 2 * 64 * 64);
  ptx::fence_sums(sums);
  ptx::fence_operand(a);
  ptx::fence_products();
#pragma unroll
  for (unsigned i = 0; i < 4; ++i)
    ptx::multiply_64_rows<T, kColumns, kBDepth>(sums, a[i], columns + i * (kBDepth ? 2 : 128));
  ptx::commit_products();
  ptx::wait_for_products<0>();
  ptx::fence_sums(sums);
  ptx::fence_operand(a);
#pragma unroll
  for (int i = 0; i < kColumns / 2; ++i) {
    out[threadIdx.x * (kColumns / 2) + i] = __float_as_uint(sums[i]);
  }
}

template <class T, int kColumns, bool kBDepth>
int run_registers(const char* dtype) {
  char name[80];
  snprintf(name, sizeof name, "multiply_64x%d_%s_registers_%s", kColumns, dtype, kBDepth ? "t" : "n");
  return run(name, {1, 128, 128 * kColumns, 64 * kColumns}, multiply_registers<T, kColumns, kBDepth>);
}

template <class T, int kColumns>
int run_layouts(const char* dtype) {
  return run_products<T, kColumns, true, true>(dtype) + run_products<T, kColumns, true, false>(dtype) +
         run_products<T, kColumns, false, true>(dtype) +
         run_products<T, kColumns, false, false>(dtype) +
         run_registers<T, kColumns, true>(dtype) + run_registers<T, kColumns, false>(dtype);
}

template <class T>
int run_widths(const char* dtype) {
  return run_layouts<T, 64>(dtype) + run_layouts<T, 128>(dtype) + run_layouts<T, 256>(dtype);
}

int run_all() {
  const Grid exchanges = {1, 64, 256, (kPhases + 1) * 32};
  return run("barrier_after_stores", exchanges, exchange<false>) +
         run("barrier_after_copies", exchanges, exchange<true>) + run_boxes<64>("load_box_64") +
         run_boxes<128>("load_box_128") + run_boxes<256>("load_box_256") + run_heads() +
         run_widths<float16>("float16") + run_widths<bfloat16>("bfloat16");
}

}  // namespace conformance

int main() { return conformance::run_all(); }
