// Which tiles serve a dtype and a head.
#pragma once

#include <stdio.h>

#include "cuda/device_attribute.h"
#include "cuda/kernel.h"
#include "pydl/cuda/dtype.cuh"
#include "pydl/kernels/attention.h"

namespace pydl::cuda {
namespace {

template <class T_, int kHead_>
struct HeadOf {
  using T = T_;
  static constexpr int kHead = kHead_;
};

constexpr const char* kAttention = "scaled_dot_product_attention";

inline int64_t largest_size(const PydlAttentionGeometry& g) {
  return g.head_size > g.value_size ? g.head_size : g.value_size;
}

inline PydlStatus fail_size(const PydlContext* context, int64_t size) {
  char message[160];
  snprintf(message, sizeof message, "[%s] expected heads of at most 256 numbers on a GPU, got %lld",
           kAttention, static_cast<long long>(size));
  return context->fail(context, PYDL_ERROR_SHAPE, message);
}

// Calls visit(HeadOf<T, n>) with the smallest of 32, 64, 128 and 256 that holds a head.
template <class T, class Visitor>
PydlStatus visit_head(const PydlContext* context, const PydlAttentionGeometry& g, Visitor&& visit) {
  const int64_t size = largest_size(g);
  if (size <= 32) return visit(HeadOf<T, 32>{});
  if (size <= 64) return visit(HeadOf<T, 64>{});
  if (size <= 128) return visit(HeadOf<T, 128>{});
  if (size <= 256) return visit(HeadOf<T, 256>{});
  return fail_size(context, size);
}

// What a block may have on every GPU. Shapes that need more have a `Smaller` one, or void.
constexpr int kSharedOfAll = 64 << 10;  // bytes

// Calls visit(Shape{}), or with a smaller shape where this GPU has too little shared memory.
template <class Shape, class Visitor>
PydlStatus visit_fitting(const PydlContext* context, Visitor&& visit) {
  constexpr int kBytes = static_cast<int>(Shape::kSharedBytes);
  if constexpr (kBytes > kSharedOfAll) {
    const int most = device_attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin);
    if (kBytes > most) {
      using Smaller = typename Shape::Smaller;
      if constexpr (!std::is_void_v<Smaller>) {
        return visit_fitting<Smaller>(context, visit);
      } else {
        char message[200];
        snprintf(message, sizeof message,
                 "[%s] expected a GPU with %d bytes of shared memory to a block for heads of more "
                 "than %d numbers in float64, got %d bytes. Hint: float32",
                 kAttention, kBytes, Shape::kHead / 2, most);
        return context->fail(context, PYDL_ERROR_DEVICE, message);
      }
    }
  }
  return visit(Shape{});
}

}  // namespace
}  // namespace pydl::cuda
