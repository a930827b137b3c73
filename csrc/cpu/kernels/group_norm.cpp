#include "cpu/channel_norm.h"
#include "cpu/simd/dtype.h"
#include "pydl/kernels/norm.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// Items [first, first + count) of the batch.
template <class S>
PydlStatus forward_items(const PydlContext* context, const PydlGroupNormArgs& args, int64_t first,
                         int64_t count) {
  using T = Compute<S>;
  const ChannelGrid grid(count, args.rows, args.channels);
  const int64_t begin = first * args.rows * args.channels;
  const S* x = static_cast<const S*>(args.x) + begin;
  T* mean = static_cast<T*>(args.mean) + first * args.groups;
  T* inverse_std = static_cast<T*>(args.inverse_std) + first * args.groups;
  const PydlStatus status = group_moments(context, grid, args.groups, x, mean, inverse_std);
  if (status != PYDL_OK) return status;
  for (int64_t i = 0; i < count * args.groups; ++i) {
    inverse_std[i] = 1 / ::sqrt(inverse_std[i] + static_cast<T>(args.epsilon));
  }
  return normalise(context, grid, args.groups, x, args.gamma, args.beta, mean, inverse_std,
                   static_cast<S*>(args.y) + begin);
}

template <class S>
PydlStatus forward(const PydlContext* context, const PydlGroupNormArgs& args) {
  const int64_t item_bytes = args.rows * args.channels * static_cast<int64_t>(sizeof(S));
  return for_items_in_cache(args.batch, item_bytes, [&](int64_t first, int64_t count) {
    return forward_items<S>(context, args, first, count);
  });
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
