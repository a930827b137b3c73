// Every element of the output gets one value.
#include "cuda/kernel.h"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/elementwise.h"

namespace pydl::cuda {
namespace {

constexpr int kThreads = 256, kVectorBytes = 16;

// Whole vectors, and the elements before the first and after the last of them.
template <class T>
__global__ void __launch_bounds__(kThreads) fill_dense(T* out, int64_t count, T value, uint4 vector) {
  constexpr int kPerVector = kVectorBytes / sizeof(T);
  const int64_t to_boundary = (-reinterpret_cast<uintptr_t>(out) & (kVectorBytes - 1)) / sizeof(T);
  const int64_t head = to_boundary < count ? to_boundary : count;
  const int64_t vectors = (count - head) / kPerVector;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  const int64_t step = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t i = first; i < vectors; i += step) reinterpret_cast<uint4*>(out + head)[i] = vector;
  if (first < head) out[first] = value;
  const int64_t last = head + vectors * kPerVector + first;
  if (first < kPerVector && last < count) out[last] = value;
}

struct Target {
  int32_t rank;
  int64_t shape[PYDL_MAX_RANK], strides[PYDL_MAX_RANK];
};

template <class T>
__global__ void __launch_bounds__(kThreads)
    fill_strided(T* out, __grid_constant__ const Target target, int64_t count, T value) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < count; i += step) {
    int64_t rest = i, offset = 0;
    for (int axis = target.rank - 1; axis >= 0; --axis) {
      offset += rest % target.shape[axis] * target.strides[axis];
      rest /= target.shape[axis];
    }
    out[offset] = value;
  }
}

}  // namespace

PydlStatus fill(const PydlContext* context, const PydlFillArgs* args) {
  Target target{args->rank, {}, {}};
  int64_t count = 1;
  bool dense = true;
  for (int axis = args->rank - 1; axis >= 0; --axis) {
    dense &= args->shape[axis] == 1 || args->out_strides[axis] == count;
    count *= args->shape[axis];
    target.shape[axis] = args->shape[axis];
    target.strides[axis] = args->out_strides[axis];
  }
  return visit_item_size(context, "fill", args->item_size, [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    T value;
    memcpy(&value, &args->value, sizeof value);
    T* out = static_cast<T*>(args->out);
    if (!dense)
      return launch(context, blocks_for(count, kThreads), kThreads, 0, fill_strided<T>, out, target,
                    count, value);
    T copies[kVectorBytes / sizeof(T)];
    for (T& copy : copies) copy = value;
    uint4 vector;
    memcpy(&vector, copies, sizeof vector);
    const int64_t threads = count / (kVectorBytes / sizeof(T)) + kVectorBytes;
    return launch(context, blocks_for(threads, kThreads), kThreads, 0, fill_dense<T>, out, count,
                  value, vector);
  });
}

}  // namespace pydl::cuda
