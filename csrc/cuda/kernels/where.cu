// out = condition ? a : b
#include "cuda/device/elementwise.cuh"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/elementwise.h"

namespace pydl::cuda {
namespace {

template <class T>
struct WhereBody {
  template <int n>
  __device__ void operator()(T (&y)[n], const uint8_t (&condition)[n], const T (&a)[n],
                             const T (&b)[n]) const {
#pragma unroll
    for (int i = 0; i < n; ++i) y[i] = condition[i] ? a[i] : b[i];
  }
};

}  // namespace

PydlStatus where(const PydlContext* context, const PydlWhereArgs* args) {
  return visit_item_size(context, "where", args->item_size, [&](auto zero) {
    using T = decltype(zero);
    return elementwise(context, args->rank, args->shape, WhereBody<T>{},
                       output<T>(args->out, args->out_strides),
                       input<uint8_t>(args->condition, args->condition_strides),
                       input<T>(args->a, args->a_strides), input<T>(args->b, args->b_strides));
  });
}

}  // namespace pydl::cuda
