// Losses of pairs of numbers, a prediction x and a target t: squared error and its like.
#include "cuda/device/elementwise.cuh"
#include "cuda/device/math.cuh"
#include "cuda/device/total.cuh"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/loss.h"

namespace pydl::cuda {
namespace {

constexpr int kThreads = 256, kItems = 16;  // elements of a thread
constexpr int64_t kBlock = kThreads * kItems;

template <class C>
struct PairLoss {
  PydlPairLoss loss;
  C parameter;

  __device__ C value(C x, C t) const {
    const C e = x - t;
    switch (loss) {
      case PYDL_SQUARED_ERROR: return e * e;
      case PYDL_ABSOLUTE_ERROR: return ::fabs(e);
      case PYDL_HUBER: {
        const C size = ::fabs(e);
        return size <= parameter ? C(0.5) * size * size : parameter * (size - C(0.5) * parameter);
      }
      case PYDL_SIGMOID_BINARY_CROSS_ENTROPY:
        return maximum(x, C(0)) - x * t + ::log1p(::exp(-::fabs(x)));
      default: {
        const C p = clip(x);
        return -(t * ::log(p) + (C(1) - t) * ::log(C(1) - p));
      }
    }
  }
  __device__ C slope(C x, C t) const {
    const C e = x - t;
    switch (loss) {
      case PYDL_SQUARED_ERROR: return e + e;
      case PYDL_ABSOLUTE_ERROR: return e == 0 ? C(0) : ::copysign(C(1), e);  // 0 where they agree
      case PYDL_HUBER: return minimum(maximum(e, -parameter), parameter);
      case PYDL_SIGMOID_BINARY_CROSS_ENTROPY: return sigmoid(x) - t;
      default: {
        const C p = clip(x);
        return p == x ? (p - t) / (p * (C(1) - p)) : C(0);
      }
    }
  }
  __device__ C clip(C x) const { return minimum(maximum(x, parameter), C(1) - parameter); }
};

// Also writes the sum of each block's losses.
template <class T>
__global__ void __launch_bounds__(kThreads)
    pair_loss_kernel(PairLoss<Compute<T>> loss, int64_t count, const T* x, const T* t, T* losses,
                     double* sums) {
  using C = Compute<T>;
  const int64_t first = blockIdx.x * kBlock + threadIdx.x;
  C xs[kItems], ts[kItems], sum = 0;
#pragma unroll
  for (int i = 0; i < kItems; ++i) {
    const int64_t at = first + i * kThreads;
    xs[i] = at < count ? to_compute(x[at]) : C(0);
    ts[i] = at < count ? to_compute(t[at]) : C(0);
  }
#pragma unroll
  for (int i = 0; i < kItems; ++i) {
    const int64_t at = first + i * kThreads;
    if (at >= count) break;
    const C value = loss.value(xs[i], ts[i]);
    if (losses) losses[at] = from_compute<T>(value);
    sum += value;
  }
  if (!sums) return;
  const double total = reduce_team<kThreads>(static_cast<double>(sum), Add());
  if (threadIdx.x == 0) sums[blockIdx.x] = total;
}

template <class C>
struct SlopeBody {
  PairLoss<C> loss;
  C factor;
  template <int n>
  __device__ void operator()(C (&dx)[n], const C (&x)[n], const C (&t)[n],
                             const C (&dloss)[n]) const {
#pragma unroll
    for (int i = 0; i < n; ++i) dx[i] = loss.slope(x[i], t[i]) * (dloss[i] * factor);
  }
};

PydlStatus check_loss(const PydlContext* context, PydlPairLoss loss) {
  if (loss >= PYDL_SQUARED_ERROR && loss <= PYDL_BINARY_CROSS_ENTROPY) return PYDL_OK;
  return context->fail(context, PYDL_ERROR_VALUE, "[pair_loss] unknown loss");
}

}  // namespace

PydlStatus pair_loss(const PydlContext* context, const PydlPairLossArgs* args) {
  if (const PydlStatus status = check_loss(context, args->loss)) return status;
  return visit_floating(context, "pair_loss", args->dtype, [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    using C = Compute<T>;
    const int64_t blocks = divide_up(args->count, kBlock);
    Scratch<double> sums(context, blocks + 1);
    if (!sums) return context->fail(context, PYDL_ERROR_MEMORY, "[pair_loss] out of memory");
    const PairLoss<C> loss = {args->loss, static_cast<C>(args->parameter)};
    const PydlStatus status =
        launch(context, dim3(static_cast<uint32_t>(blocks)), dim3(kThreads), 0, pair_loss_kernel<T>,
               loss, args->count, static_cast<const T*>(args->x), static_cast<const T*>(args->t),
               static_cast<T*>(args->losses), args->total ? sums.data() : nullptr);
    if (status != PYDL_OK || !args->total) return status;
    return write_total<T>(context, sums.data(), blocks, args->factor, args->total);
  });
}

PydlStatus pair_loss_backward(const PydlContext* context, const PydlPairLossBackwardArgs* args) {
  if (const PydlStatus status = check_loss(context, args->loss)) return status;
  return visit_floating(context, "pair_loss", args->dtype, [&](auto zero) {
    using T = decltype(zero);
    using C = Compute<T>;
    const SlopeBody<C> body = {{args->loss, static_cast<C>(args->parameter)},
                               static_cast<C>(args->factor)};
    const int64_t one = 1;
    return elementwise(context, 1, &args->count, body, output<T>(args->dx, &one),
                       input<T>(args->x, &one), input<T>(args->t, &one),
                       input<T>(args->dlosses, &args->dlosses_stride));
  });
}

}  // namespace pydl::cuda
