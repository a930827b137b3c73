// Attention forward on tensor cores.
#include "cuda/attention/choose.cuh"
#include "cuda/attention/tensor.h"
#include "cuda/attention/tensor_forward.cuh"

namespace pydl::cuda {
namespace {

template <class Shape>
PydlStatus attend(const PydlContext* context, const PydlAttentionArgs& args) {
  const PydlAttentionGeometry& g = args.geometry;
  const int64_t blocks = g.batch * g.heads * divide_up(g.queries, Shape::kQueries);
  return launch(context, dim3(static_cast<uint32_t>(blocks)), dim3(Shape::kThreads),
                Shape::kSharedBytes, attend_kernel<Shape>, args,
                AttentionDropout(context, g));
}

template <class T>
PydlStatus attend_with(const PydlContext* context, const PydlAttentionArgs& args) {
  const PydlAttentionGeometry& g = args.geometry;
  const bool plain = !g.mask && g.dropout_rate == 0 && g.scale > 0;
  const auto run = [&](auto shape) { return attend<decltype(shape)>(context, args); };
  return visit_head<T>(context, g, [&](auto head) {
    constexpr int kHead = decltype(head)::kHead;
    return plain ? visit_fitting<ForwardShape<T, kHead, true>>(context, run)
                 : visit_fitting<ForwardShape<T, kHead, false>>(context, run);
  });
}

}  // namespace

PydlStatus tensor_attention_forward(const PydlContext* context, const PydlAttentionArgs& args) {
  PydlStatus status = PYDL_OK;
  if (warpgroup_attention_forward(context, args, &status)) return status;
  return args.dtype == PYDL_FLOAT16 ? attend_with<float16>(context, args)
                                    : attend_with<bfloat16>(context, args);
}

}  // namespace pydl::cuda
