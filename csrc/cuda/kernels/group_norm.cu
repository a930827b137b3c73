#include "cuda/device/channel_norm.cuh"
#include "pydl/cuda/visit.h"

namespace pydl::cuda {
namespace {

template <class C>
struct SaveMoments {
  C epsilon;
  C *mean, *inverse_std;
  __device__ void operator()(int64_t group, const Moments<C>& moments) const {
    mean[group] = moments.mean;
    inverse_std[group] = C(1) / ::sqrt(moments.squares / moments.count + epsilon);
  }
};

template <class T>
PydlStatus forward(const PydlContext* context, const PydlGroupNormArgs& args) {
  using C = Compute<T>;
  const Channels shape = {args.batch, args.rows, args.channels, args.groups};
  if (shape.batch * shape.channels == 0) return PYDL_OK;
  const T* x = static_cast<const T*>(args.x);
  const SaveMoments<C> save = {static_cast<C>(args.epsilon), static_cast<C*>(args.mean),
                               static_cast<C*>(args.inverse_std)};
  const PydlStatus status =
      group_moments(context, shape.batch, shape.rows, shape.channels, shape.groups, x, save);
  if (status != PYDL_OK) return status;
  return normalise(context, shape, x, args.gamma, args.beta, save.mean, save.inverse_std,
                   static_cast<T*>(args.y));
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

}  // namespace pydl::cuda
