#include "cpu/channel_norm.h"
#include "cpu/simd/dtype.h"
#include "pydl/kernels/norm.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

template <class S>
PydlStatus forward(const PydlContext* context, const PydlBatchNormArgs& args) {
  using T = Compute<S>;
  const ChannelGrid grid(1, args.rows, args.channels);
  const S* x = static_cast<const S*>(args.x);
  T* mean = static_cast<T*>(args.mean);
  T* variance = static_cast<T*>(args.inverse_std);  // until it is inverted
  T* moving_mean = static_cast<T*>(args.moving_mean);
  T* moving_variance = static_cast<T*>(args.moving_variance);
  if (args.training) {
    const PydlStatus status = group_moments(context, grid, args.channels, x, mean, variance);
    if (status != PYDL_OK) return status;
    const T kept = static_cast<T>(args.momentum), taken = static_cast<T>(1 - args.momentum);
    for (int64_t c = 0; c < args.channels; ++c) {
      moving_mean[c] = moving_mean[c] * kept + mean[c] * taken;
      moving_variance[c] = moving_variance[c] * kept + variance[c] * taken;
    }
  } else {
    memcpy(mean, moving_mean, args.channels * sizeof(T));
    memcpy(variance, moving_variance, args.channels * sizeof(T));
  }
  for (int64_t c = 0; c < args.channels; ++c) {
    variance[c] = 1 / ::sqrt(variance[c] + static_cast<T>(args.epsilon));
  }
  return normalise(context, grid, args.channels, x, args.gamma, args.beta, mean, variance,
                   static_cast<S*>(args.y));
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

}  // namespace pydl::cpu::PYDL_ISA
