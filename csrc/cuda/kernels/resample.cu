// Resampling along the columns of images, then along their rows. What lies between has the type
// that sums are taken in.
#include "cuda/device/rows.cuh"
#include "cuda/kernel.h"
#include "pydl/cuda/dtype.cuh"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/image.h"

namespace pydl::cuda {
namespace {

// out[o, i, c] = sum over k of weights[i, k] x[o, first[i] + k, c]
struct Resampling {
  int64_t outer, size, out_size, inner, taps;
  const int32_t* first;
  const double* weights;
};

template <class From, class To>
__global__ void __launch_bounds__(kRowThreads)
    resample_kernel(Resampling r, const From* x, To* out) {
  using C = Compute<From>;
  for (int64_t row = first_row(); row < r.outer * r.out_size; row += row_step()) {
    int64_t i;
    const int64_t outer = divide(row, r.out_size, i);
    const double* weights = r.weights + i * r.taps;
    const From* from = x + (outer * r.size + r.first[i]) * r.inner;
    for (int64_t c = first_column(); c < r.inner; c += column_step()) {
      C sum = 0;
      for (int64_t k = 0; k < r.taps; ++k)
        sum = ::fma(to_compute(from[k * r.inner + c]), static_cast<C>(weights[k]), sum);
      out[row * r.inner + c] = from_compute<To>(sum);
    }
  }
}

template <class From, class To>
PydlStatus run_resampling(const PydlContext* context, const Resampling& r, const From* x, To* out) {
  return launch_rows(context, r.outer * r.out_size, r.inner, resample_kernel<From, To>, r, x, out);
}

}  // namespace

PydlStatus resample(const PydlContext* context, const PydlResampleArgs* args) {
  return visit_floating(context, "resize", args->dtype, [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    using C = Compute<T>;
    const int64_t row = args->size[1] * args->channels;
    const Scratch<C> between(context, args->batch * args->out_size[0] * row);
    if (!between) return PYDL_ERROR_MEMORY;
    const Resampling rows = {args->batch,   args->size[0],  args->out_size[0], row,
                             args->taps[0], args->first[0], args->weights[0]};
    const PydlStatus status =
        run_resampling(context, rows, static_cast<const T*>(args->x), between.data());
    if (status != PYDL_OK) return status;
    const Resampling columns = {args->batch * args->out_size[0],
                                args->size[1],
                                args->out_size[1],
                                args->channels,
                                args->taps[1],
                                args->first[1],
                                args->weights[1]};
    return run_resampling(context, columns, static_cast<const C*>(between.data()),
                          static_cast<T*>(args->y));
  });
}

}  // namespace pydl::cuda
