#include "cpu/channel_norm.h"
#include "cpu/simd/dtype.h"
#include "pydl/kernels/norm.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

template <class S>
PydlStatus forward(const PydlContext* context, const PydlGroupNormArgs& args) {
  using T = Compute<S>;
  const ChannelGrid grid(args.batch, args.rows, args.channels);
  const S* x = static_cast<const S*>(args.x);
  T* mean = static_cast<T*>(args.mean);
  T* inverse_std = static_cast<T*>(args.inverse_std);
  const PydlStatus status = group_moments(context, grid, args.groups, x, mean, inverse_std);
  if (status != PYDL_OK) return status;
  for (int64_t i = 0; i < args.batch * args.groups; ++i) {
    inverse_std[i] = 1 / ::sqrt(inverse_std[i] + static_cast<T>(args.epsilon));
  }
  return normalise(context, grid, args.groups, x, args.gamma, args.beta, mean, inverse_std,
                   static_cast<S*>(args.y));
}

}  // namespace

PydlStatus group_norm_forward(const PydlContext* context, const PydlGroupNormArgs* args) {
  return visit_floating(context, "group_norm", args->dtype,
                        [&](auto zero) { return forward<decltype(zero)>(context, *args); });
}

PydlStatus group_norm_backward(const PydlContext* context, const PydlGroupNormBackwardArgs* args) {
  return visit_floating(context, "group_norm", args->dtype, [&](auto zero) {
    return normalise_backward<decltype(zero)>(context, *args, false);
  });
}

}  // namespace pydl::cpu::PYDL_ISA
