// Dropout, with the mask made on the fly. One word decides on two elements: its halves on element i
// and i + 64 of a group of 128. A warp makes the words of two groups, which change hands in shared
// memory so that each lane can work on whole vectors.
#include "pydl/cuda/dtype.cuh"
#include "pydl/cuda/grid.cuh"
#include "pydl/cuda/philox.cuh"
#include "pydl/cuda/vector.cuh"
#include "pydl/cuda/visit.h"

namespace pydl::cuda {
namespace {

constexpr int kGroup = 2 * PYDL_RANDOM_WORDS;  // elements
constexpr int kSpan = 2 * kGroup;              // of a warp
constexpr int kWarps = kThreads / 32;

template <class T>
__global__ void __launch_bounds__(kThreads)
    dropout_kernel(RandomStream stream, int64_t count, const T* x, T* out, uint32_t threshold,
                   Compute<T> scale, bool aligned) {
  constexpr int kWidth = kVectorBytes / sizeof(T);
  __shared__ uint32_t shared[kWarps][2 * PYDL_RANDOM_WORDS];
  uint32_t* words = shared[threadIdx.x / 32];
  const int lane = threadIdx.x % 32;
  const Philox philox(stream);
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / 32;
  for (int64_t span = first; span * kSpan < count; span += int64_t{gridDim.x} * kWarps) {
    uint32_t block[4];
    philox.block(span * 32 + lane, block);
    __syncwarp();
#pragma unroll
    for (int w = 0; w < 4; ++w)
      words[lane / 16 * PYDL_RANDOM_WORDS + 16 * w + lane % 16] = block[w];
    __syncwarp();
#pragma unroll
    for (int i = 0; i < kSpan / 32; i += kWidth) {
      const int place = 32 * i + lane * kWidth;
      const int64_t at = span * kSpan + place;
      const uint32_t* word = words + place / kGroup * PYDL_RANDOM_WORDS + place % 64;
      const int shift = place % kGroup < 64 ? 0 : 16;
      const auto drop = [&](T value, int k) {
        const bool kept = (word[k] >> shift & 0xffff) >= threshold;
        return from_compute<T>(kept ? to_compute(value) * scale : Compute<T>(0));
      };
      if (aligned && at + kWidth <= count) {
        T values[kWidth];
        load_pack<kWidth>(x + at, values);
#pragma unroll
        for (int k = 0; k < kWidth; ++k) values[k] = drop(values[k], k);
        store_pack<kWidth>(values, out + at);
      } else {
        for (int k = 0; k < kWidth && at + k < count; ++k) out[at + k] = drop(x[at + k], k);
      }
    }
  }
}

}  // namespace

PydlStatus dropout(const PydlContext* context, const PydlDropoutArgs* args) {
  return visit_floating(context, "dropout", args->dtype, [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    if (args->count == 0) return PYDL_OK;
    const uint32_t threshold = static_cast<uint32_t>(args->rate * 65536 + 0.5);
    // By the share that the rounded threshold keeps, so that the mean stays what it was.
    const double scale = threshold < 65536 ? 65536.0 / (65536 - threshold) : 0;
    return launch(context, dim3(blocks_for(args->count, kSpan * kWarps)), dim3(kThreads), 0,
                  dropout_kernel<T>, random_stream(context, args->state), args->count,
                  static_cast<const T*>(args->x), static_cast<T*>(args->out), threshold,
                  static_cast<Compute<T>>(scale), is_aligned(args->x) && is_aligned(args->out));
  });
}

}  // namespace pydl::cuda
