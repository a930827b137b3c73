// Loops that run into one limit of the GPU each. They only start: who times them records events
// around them, or waits for the stream.
#include "cuda/kernel.h"
#include "pydl/cuda/grid.cuh"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/machine.h"

namespace pydl::cuda {
namespace {

constexpr int kFmaBlocks = 4096;  // many times what a GPU holds, so that the last ones count little
constexpr int kChains = 8;        // independent, enough to hide the latency of one

template <class T>
__global__ void __launch_bounds__(kThreads) fma_kernel(int64_t rounds, T factor, T term, T* sink) {
  T sums[kChains];
#pragma unroll
  for (int i = 0; i < kChains; ++i) sums[i] = static_cast<T>(i);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma unroll
    for (int i = 0; i < kChains; ++i) sums[i] = ::fma(sums[i], factor, term);
  }
  T total = 0;
#pragma unroll
  for (int i = 0; i < kChains; ++i) total += sums[i];
  if (total < 0) *sink = total;  // never, but the compiler cannot know
}

template <class T>
PydlStatus run_fma(const PydlContext* context, const PydlFmaLoopArgs& args) {
  const Scratch<T> sink(context, 1);
  if (!sink) return PYDL_ERROR_MEMORY;
  *args.operations = 2.0 * kChains * kFmaBlocks * kThreads * static_cast<double>(args.rounds);
  return launch(context, dim3(kFmaBlocks), dim3(kThreads), 0, fma_kernel<T>, args.rounds,
                static_cast<T>(0.999), static_cast<T>(0.001), sink.data());
}

__device__ float4 add(float4 a, float4 b) {
  return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}

// One round. Stores past the caches are marked as not to be read again.
template <bool kPastCache>
__global__ void __launch_bounds__(kThreads)
    stream_kernel(PydlStreamKind kind, int64_t count, const float4* a, const float4* b,
                  float4* out) {
  float4 sum = make_float4(0, 0, 0, 0);
  for (int64_t i = first_element(); i < count; i += element_step()) {
    float4 value = make_float4(1, 1, 1, 1);
    if (kind != PYDL_STREAM_WRITE) value = a[i];
    if (kind == PYDL_STREAM_ADD) value = add(value, b[i]);
    if (kind == PYDL_STREAM_READ) {
      sum = add(sum, value);
    } else if (kPastCache) {
      __stcs(out + i, value);
    } else {
      out[i] = value;
    }
  }
  const bool never = sum.x + sum.y + sum.z + sum.w == -1.0f;  // but the compiler cannot know
  if (kind == PYDL_STREAM_READ && never) out[0] = sum;
}

}  // namespace

PydlStatus fma_loop(const PydlContext* context, const PydlFmaLoopArgs* args) {
  if (args->dtype == PYDL_FLOAT64) return run_fma<double>(context, *args);
  if (args->dtype == PYDL_FLOAT32) return run_fma<float>(context, *args);
  return fail_dtype(context, "fma_loop", "float32 or float64", args->dtype);
}

PydlStatus stream_loop(const PydlContext* context, const PydlStreamLoopArgs* args) {
  const int64_t vectors = args->count / 4;
  for (int64_t round = 0; round < args->rounds; ++round) {
    const PydlStatus status = launch_elements(
        context, vectors, args->past_cache ? stream_kernel<true> : stream_kernel<false>, args->kind,
        vectors, reinterpret_cast<const float4*>(args->a), reinterpret_cast<const float4*>(args->b),
        reinterpret_cast<float4*>(args->out));
    if (status != PYDL_OK) return status;
  }
  return PYDL_OK;
}

}  // namespace pydl::cuda
