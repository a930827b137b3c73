// Plants bugs in small kernels and expects the emulator to catch each in the orders of threads that can
// show it; the same kernel without the bug must pass in all of them.
#include <stdio.h>
#include <stdlib.h>

#include <string>
#include <vector>

#include "cuda/kernel.h"

using namespace pydl;
using namespace pydl::cuda;
namespace {

int passed = 0, failed = 0;
std::string message;  // of the last launch that failed

void expect(bool condition, const std::string& what) {
  ++(condition ? passed : failed);
  if (!condition) printf("failed: %s (last message: %s)\n", what.c_str(), message.c_str());
}

PydlStatus keep_message(const PydlContext*, PydlStatus status, const char* text) {
  message = text;
  return status;
}

const PydlContext* context() {
  static PydlContext instance = {};
  instance.struct_size = sizeof instance;
  instance.fail = keep_message;
  return &instance;
}

template <class T>
struct DeviceArray {
  explicit DeviceArray(size_t count) : count(count) { cudaMalloc(&data, count * sizeof(T)); }
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size()) {
    cudaMemcpy(data, values.data(), count * sizeof(T), cudaMemcpyHostToDevice);
  }
  DeviceArray(const DeviceArray&) = delete;
  ~DeviceArray() { cudaFree(data); }
  std::vector<T> values() const {
    std::vector<T> result(count);
    cudaMemcpy(result.data(), data, count * sizeof(T), cudaMemcpyDeviceToHost);
    return result;
  }
  T* data;
  size_t count;
};

std::vector<float> numbers(size_t count) {
  std::vector<float> result(count);
  for (size_t i = 0; i < count; ++i) result[i] = static_cast<float>((i * 37 + 11) % 101);
  return result;
}

// --- Barriers --------------------------------------------------------------------------------------

__device__ float warp_sum(float value) {
  for (int lanes = 16; lanes; lanes /= 2) value += __shfl_xor_sync(~0u, value, lanes);
  return value;
}

enum class SumBug { none, before_read, before_reuse };
// Sums of two rows; the second uses the same shared memory.
template <SumBug kBug>
__global__ void __launch_bounds__(128) sum_rows(const float* x, float* y, int columns) {
  __shared__ float parts[4];
  for (int row = 0; row < 2; ++row) {
    float sum = 0;
    for (int i = threadIdx.x; i < columns; i += 128) sum += x[row * columns + i];
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = sum;
    if (kBug != SumBug::before_read) __syncthreads();
    const float total = parts[0] + parts[1] + parts[2] + parts[3];
    if (threadIdx.x % 32 == 5) y[row * 4 + threadIdx.x / 32] = total;
    if (kBug != SumBug::before_reuse) __syncthreads();
  }
}

template <SumBug kBug>
bool sums_are_right() {
  constexpr int kColumns = 1000;
  const std::vector<float> x = numbers(2 * kColumns);
  DeviceArray<float> input(x), output(8);
  if (launch(context(), 1, 128, 0, sum_rows<kBug>, input.data, output.data, kColumns)) return false;
  const std::vector<float> y = output.values();
  for (int i = 0; i < 8; ++i) {
    float sum = 0;
    for (int c = 0; c < kColumns; ++c) sum += x[i / 4 * kColumns + c];
    if (!(y[i] == sum)) return false;
  }
  return true;
}

template <bool kBug>
__global__ void shuffle_in_branch(float* y) {
  float value = static_cast<float>(threadIdx.x);
  if (!kBug || threadIdx.x < 16) value += __shfl_xor_sync(~0u, value, 1);
  y[threadIdx.x] = value;
}

template <bool kBug>
__global__ void barrier_in_branch(float* y) {
  if (!kBug || threadIdx.x < 32) __syncthreads();
  if (kBug && threadIdx.x >= 32) __syncthreads();
  y[threadIdx.x] = 1;
}

// The second warp hands a value to the first, and need not wait for it itself.
template <bool kBug>
__global__ void named_barrier(float* y) {
  __shared__ float value;
  if (threadIdx.x == 32) value = 7;
  if (threadIdx.x >= 32) {
    if (!kBug) emulator::barrier_arrive(1, 64);
  } else {
    emulator::barrier_sync(1, 64);
    y[threadIdx.x] = value;
  }
}

template <auto* kKernel>
bool runs_with_64_threads() {
  DeviceArray<float> output(64);
  return launch(context(), 1, 64, 0, *kKernel, output.data) == PYDL_OK;
}

// --- Memory ----------------------------------------------------------------------------------------

__global__ void write_at(float* y, int64_t index) {
  if (threadIdx.x == 3) y[index] = 1;
}
__global__ void read_at(float* y, int64_t index) { y[0] = y[index]; }
__global__ void write_shared_at(int index) { dynamic_shared<char>()[index] = 0; }

template <auto* kKernel, int64_t kIndex>
bool stays_inside() {
  DeviceArray<float> output(33);
  return launch(context(), 1, 32, 0, *kKernel, output.data, kIndex) == PYDL_OK;
}

template <int kIndex>
bool stays_inside_shared() {
  return launch(context(), 1, 32, 100, write_shared_at, kIndex) == PYDL_OK;
}

struct Row {
  const float* values;
  int32_t length;
};__global__ void first_of(Row row, float* y) { *y = row.length; }

template <bool kBug>
bool parameter_is_device_memory() {
  float on_host = 0;
  DeviceArray<float> output(1);
  const Row row = {kBug ? &on_host : output.data, 1};
  return launch(context(), 1, 1, 0, first_of, row, output.data) == PYDL_OK;
}

// --- Asynchronous copies ---------------------------------------------------------------------------

enum class CopyBug { none, wait, barrier };
// Every thread copies 16 bytes a step into a ring of three tiles; the neighbour's are added up.
template <CopyBug kBug>
__global__ void __launch_bounds__(64) sum_tiles(const float* x, float* y, int steps) {
  constexpr int kStages = 3, kTile = 64 * 4;
  float* ring = dynamic_shared<float>();
  const int own = threadIdx.x * 4, other = (threadIdx.x * 4 + 128) % kTile;
  auto start = [&](int step) {
    if (step < steps)
      emulator::copy_async(ring + step % kStages * kTile + own, x + step * kTile + own, 16, 16);
    emulator::copy_commit();
  };
  for (int step = 0; step < kStages - 1; ++step) start(step);
  float sum = 0;
  for (int step = 0; step < steps; ++step) {
    emulator::copy_wait(kBug == CopyBug::wait ? kStages - 1 : kStages - 2);
    __syncthreads();
    if (kBug == CopyBug::barrier) start(step + 3);  // into the tile that others still read
    const float* tile = ring + step % kStages * kTile + other;
    for (int i = 0; i < 4; ++i) sum += tile[i];
    if (kBug != CopyBug::barrier) start(step + kStages - 1);
  }
  emulator::copy_wait(0);
  y[threadIdx.x] = sum;
}

template <CopyBug kBug>
bool tiles_are_summed() {
  constexpr int kSteps = 7;
  const std::vector<float> x = numbers(kSteps * 256);
  DeviceArray<float> input(x), output(64);
  if (launch(context(), 1, 64, 3 * 1024, sum_tiles<kBug>, input.data, output.data, kSteps))
    return false;
  const std::vector<float> y = output.values();
  for (int t = 0; t < 64; ++t) {
    float sum = 0;
    for (int step = 0; step < kSteps; ++step)
      for (int i = 0; i < 4; ++i) sum += x[step * 256 + (t * 4 + 128) % 256 + i];
    if (!(y[t] == sum)) return false;
  }
  return true;
}

// --- mbarrier and TMA ------------------------------------------------------------------------------

enum class TensorBug { none, swizzle, wait, parity, initialisation };
// Loads two boxes of 8 rows and 64 halves, swizzled over 128 bytes, one after the other into one tile.
template <TensorBug kBug>
__global__ void __launch_bounds__(64)
    load_boxes(__grid_constant__ const emulator::TensorMap map, uint16_t* y) {
  uint16_t* tile = dynamic_shared<uint16_t, 1024>();
  auto* barrier = reinterpret_cast<uint64_t*>(tile + 8 * 64);
  if (threadIdx.x == 0) emulator::mbarrier_init(barrier, 1);
  if (kBug != TensorBug::initialisation) __syncthreads();
  for (uint32_t box = 0; box < 2; ++box) {
    if (threadIdx.x == 0) {
      const int32_t at[] = {0, static_cast<int32_t>(box * 8)};
      emulator::mbarrier_expect(barrier, 1024);
      emulator::tensor_load(tile, &map, barrier, at);
    }
    const uint32_t parity = kBug == TensorBug::parity ? 0 : box;
    if (kBug != TensorBug::wait) emulator::mbarrier_wait(barrier, parity);
    for (int row = 0; row < 8; ++row) {
      const int column = static_cast<int>(threadIdx.x);
      const int chunk = kBug == TensorBug::swizzle ? column / 8 : column / 8 ^ row;
      y[(box * 8 + row) * 64 + column] = tile[row * 64 + chunk * 8 + column % 8];
    }
    __syncthreads();
  }
  emulator::mbarrier_wait(barrier, 1);
}

template <TensorBug kBug>
bool boxes_are_loaded() {
  std::vector<uint16_t> x(10 * 64);  // rows 10 to 15 do not exist
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<uint16_t>(i + 1);
  DeviceArray<uint16_t> input(x), output(16 * 64);
  emulator::TensorMap map = {input.data, 2, 2, 128, {64, 10}, {2, 128}, {64, 8}};
  if (launch(context(), 1, 64, 2048, load_boxes<kBug>, map, output.data)) return false;
  const std::vector<uint16_t> y = output.values();
  for (size_t i = 0; i < y.size(); ++i)
    if (y[i] != (i < x.size() ? x[i] : 0)) return false;
  return true;
}

// Two products that must be waited for before their sum is read.
template <bool kBug>
__global__ void __launch_bounds__(128) multiply_late(float* y) {
  float sum = 1;
  for (int i = 0; i < 2; ++i)
    emulator::warp_start("wgmma", &sum, [](float** sums) {
      for (int lane = 0; lane < 32; ++lane) *sums[lane] += static_cast<float>(lane);
    });
  emulator::warp_commit();
  const float early = sum;
  emulator::warp_wait(0);
  y[threadIdx.x] = kBug ? early : sum;
}

template <bool kBug>
bool products_are_waited_for() {
  DeviceArray<float> output(128);
  if (launch(context(), 1, 128, 0, multiply_late<kBug>, output.data)) return false;
  const std::vector<float> y = output.values();
  for (int i = 0; i < 128; ++i)
    if (y[i] != 1 + 2.0f * (i % 32)) return false;
  return true;
}

// --- The table -------------------------------------------------------------------------------------

constexpr int kForward = 1, kReverse = 2, kAll = 7;

struct Case {
  const char* name;
  bool (*correct)();
  bool (*planted)();
  int caught_in;     // orders
  const char* says;  // part of the message, where the launch itself fails
};

const Case cases[] = {
    {"no barrier before shared memory is read", sums_are_right<SumBug::none>,
     sums_are_right<SumBug::before_read>, kForward, ""},
    {"no barrier before shared memory is used again", sums_are_right<SumBug::none>,
     sums_are_right<SumBug::before_reuse>, kForward | kReverse, ""},
    {"shuffle in a branch", runs_with_64_threads<&shuffle_in_branch<false>>,
     runs_with_64_threads<&shuffle_in_branch<true>>, kAll, "__shfl_xor_sync"},
    {"__syncthreads in two branches", runs_with_64_threads<&barrier_in_branch<false>>,
     runs_with_64_threads<&barrier_in_branch<true>>, kAll, "while other threads are in"},
    {"a named barrier that nobody arrives at", runs_with_64_threads<&named_barrier<false>>,
     runs_with_64_threads<&named_barrier<true>>, kAll, "no thread can go on"},
    {"a write just past the end", stays_inside<&write_at, 32>, stays_inside<&write_at, 33>, kAll,
     "past the end"},
    {"a write far past the end", stays_inside<&write_at, 0>, stays_inside<&write_at, 1000>, kAll,
     "thread (3, 0, 0): touched"},
    {"a read before the beginning", stays_inside<&read_at, 32>, stays_inside<&read_at, -1000>, kAll,
     "begin of 132 bytes"},
    {"a write past shared memory", stays_inside_shared<99>, stays_inside_shared<100>, kAll,
     "shared memory"},
    {"host memory as a parameter", parameter_is_device_memory<false>,
     parameter_is_device_memory<true>, kAll, "not device memory"},
    {"cp.async: wrong count of groups to wait for", tiles_are_summed<CopyBug::none>,
     tiles_are_summed<CopyBug::wait>, kForward, ""},
    {"cp.async into a tile that is being read", tiles_are_summed<CopyBug::none>,
     tiles_are_summed<CopyBug::barrier>, kReverse, ""},
    {"TMA: tile read without its swizzle", boxes_are_loaded<TensorBug::none>,
     boxes_are_loaded<TensorBug::swizzle>, kAll, ""},
    {"TMA: nobody waits for the load", boxes_are_loaded<TensorBug::none>,
     boxes_are_loaded<TensorBug::wait>, kForward, ""},
    {"mbarrier: wait for the wrong phase", boxes_are_loaded<TensorBug::none>,
     boxes_are_loaded<TensorBug::parity>, kForward, ""},
    {"mbarrier: no barrier after its initialisation", boxes_are_loaded<TensorBug::none>,
     boxes_are_loaded<TensorBug::initialisation>, kReverse, "before it is initialised"},
    {"wgmma: sums read before they are waited for", products_are_waited_for<false>,
     products_are_waited_for<true>, kForward, ""},
};

// Sanitizers end the process where they find a bug.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kPlant = false;
#else
constexpr bool kPlant = true;
#endif

void planted_bugs_are_caught() {
  const char* const orders[] = {"forward", "reverse", "shuffled"};
  for (int o = 0; o < 3; ++o) {
    setenv("PYDL_EMULATED_ORDER", orders[o], 1);
    for (const Case& one : cases) {
      const std::string name = std::string(one.name) + ", " + orders[o];
      expect(one.correct(), "passes without the bug: " + name);
      if (!kPlant) continue;
      message.clear();
      const bool missed = one.planted();
      if (one.caught_in >> o & 1)
        expect(!missed && message.find(one.says) != std::string::npos, "caught: " + name);
    }
  }
}

// --- The runtime -----------------------------------------------------------------------------------

__global__ void add_one(float* y) { *y += 1; }

void bad_launches_fail() {
  DeviceArray<float> output(1);
  expect(launch(context(), 1, 1025, 0, add_one, output.data) != PYDL_OK, "1025 threads");
  expect(launch(context(), 1, 1, 228 << 10, add_one, output.data) != PYDL_OK, "228 KiB");
  expect(launch(context(), 1, 1, 227 << 10, add_one, output.data) == PYDL_OK, "227 KiB");
  expect(launch(context(), 0, 1, 0, add_one, output.data) == PYDL_OK, "no blocks, no work");
}

void graphs_are_replayed() {
  cudaStream_t stream;
  cudaGraph_t graph;
  cudaGraphExec_t exec;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  PydlContext on_stream = *context();
  on_stream.stream = stream;
  DeviceArray<float> output(std::vector<float>{1});
  cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
  expect(launch(&on_stream, 1, 1, 0, add_one, output.data) == PYDL_OK, "launch while capturing");
  cudaStreamEndCapture(stream, &graph);
  expect(output.values()[0] == 1, "capturing does not run");
  cudaGraphInstantiate(&exec, graph, 0);
  for (int i = 0; i < 3; ++i) cudaGraphLaunch(exec, stream);
  expect(output.values()[0] == 4, "each replay runs");
  cudaGraphExecDestroy(exec);
  cudaGraphDestroy(graph);

  cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
  expect(cudaStreamSynchronize(stream) == cudaErrorStreamCaptureUnsupported, "no waiting in capture");
  expect(cudaStreamEndCapture(stream, &graph) == cudaErrorStreamCaptureInvalidated, "spoilt capture");
  cudaStreamDestroy(stream);
  cudaGetLastError();
}

void memory_is_limited() {
  void* memory = nullptr;
  setenv("PYDL_EMULATED_MEMORY", "1000000", 1);
  expect(cudaMalloc(&memory, 600000) == cudaSuccess, "less than there is");
  expect(cudaMalloc(&memory, 400001) == cudaErrorMemoryAllocation, "more than there is left");
  cudaFree(memory);
  unsetenv("PYDL_EMULATED_MEMORY");
}

}  // namespace

int main() {
  planted_bugs_are_caught();
  bad_launches_fail();
  graphs_are_replayed();
  memory_is_limited();
  printf("cuda emulator: %d passed, %d failed\n", passed, failed);
  return failed != 0;
}
