#include "cuda/device/channel_norm.cuh"
#include "pydl/cuda/visit.h"

namespace pydl::cuda {
namespace {

// The statistics of a batch, which also move the moving ones.
template <class C>
struct MoveStatistics {
  C epsilon, kept, taken;
  C *moving_mean, *moving_variance, *mean, *inverse_std;
  __device__ void operator()(int64_t channel, const Moments<C>& moments) const {
    const C variance = moments.squares / moments.count;
    moving_mean[channel] = moving_mean[channel] * kept + moments.mean * taken;
    moving_variance[channel] = moving_variance[channel] * kept + variance * taken;
    mean[channel] = moments.mean;
    inverse_std[channel] = C(1) / ::sqrt(variance + epsilon);
  }
};

template <class C>
__global__ void __launch_bounds__(kChannelThreads)
    moving_statistics_kernel(int64_t channels, MoveStatistics<C> statistics) {
  const int64_t c = static_cast<int64_t>(blockIdx.x) * kChannelThreads + threadIdx.x;
  if (c >= channels) return;
  statistics.mean[c] = statistics.moving_mean[c];
  statistics.inverse_std[c] = C(1) / ::sqrt(statistics.moving_variance[c] + statistics.epsilon);
}

template <class T>
PydlStatus forward(const PydlContext* context, const PydlBatchNormArgs& args) {
  using C = Compute<T>;
  const Channels shape = {1, args.rows, args.channels, args.channels};
  if (args.channels == 0) return PYDL_OK;
  const T* x = static_cast<const T*>(args.x);
  const MoveStatistics<C> statistics = {
      static_cast<C>(args.epsilon),         static_cast<C>(args.momentum),
      static_cast<C>(1 - args.momentum),    static_cast<C*>(args.moving_mean),
      static_cast<C*>(args.moving_variance), static_cast<C*>(args.mean),
      static_cast<C*>(args.inverse_std)};
  const PydlStatus status =
      args.training
          ? group_moments(context, 1, args.rows, args.channels, args.channels, x, statistics)
          : launch(context, dim3(static_cast<uint32_t>(divide_up(args.channels, kChannelThreads))),
                   dim3(kChannelThreads), 0, moving_statistics_kernel<C>, args.channels, statistics);
  if (status != PYDL_OK) return status;
  return normalise(context, shape, x, args.gamma, args.beta, statistics.mean,
                   statistics.inverse_std, static_cast<T*>(args.y));
}

}  // namespace

PydlStatus batch_norm_forward(const PydlContext* context, const PydlBatchNormArgs* args) {
  return visit_floating(context, "batch_norm", args->dtype,
                        [&](auto zero) { return forward<decltype(zero)>(context, *args); });
}

// One batch item whose groups are single channels.
PydlStatus batch_norm_backward(const PydlContext* context, const PydlBatchNormBackwardArgs* args) {
  const PydlGroupNormBackwardArgs grouped = {
      args->dtype, 1,          args->rows,        args->channels, args->channels, args->x,
      args->gamma, args->mean, args->inverse_std, args->dy,       args->dx,       args->dgamma,
      args->dbeta};
  return visit_floating(context, "batch_norm", args->dtype, [&](auto zero) {
    return normalise_backward<decltype(zero)>(context, grouped, !args->training);
  });
}

}  // namespace pydl::cuda
