#include "cuda/device/moments.cuh"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/reduce.h"

namespace pydl::cuda {
namespace {

template <class T>
struct WriteVariance {
  T* out;
  __device__ void operator()(int64_t i, const Moments<Compute<T>>& moments) const {
    out[i] = from_compute<T>(moments.squares / moments.count);
  }
};

}  // namespace

PydlStatus variance(const PydlContext* context, const PydlVarianceArgs* args) {
  if (args->outer * args->inner == 0) return PYDL_OK;
  return visit_floating(context, "var", args->dtype, [&](auto zero) {
    using T = decltype(zero);
    return group_moments(context, args->outer, args->n, args->inner, args->inner,
                         static_cast<const T*>(args->x),
                         WriteVariance<T>{static_cast<T*>(args->out)});
  });
}

}  // namespace pydl::cuda
