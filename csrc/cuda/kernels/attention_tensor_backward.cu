// The gradient of attention on tensor cores.
#include "cuda/attention/choose.cuh"
#include "cuda/attention/tensor.h"
#include "cuda/attention/tensor_backward.cuh"

namespace pydl::cuda {
namespace {

template <class Shape>
PydlStatus run_backward(const PydlContext* context, const PydlAttentionBackwardArgs& args,
                         const float* dots) {
  const PydlAttentionGeometry& g = args.geometry;
  const auto run = [&](int64_t blocks, auto kernel) {
    return launch(context, dim3(static_cast<uint32_t>(blocks)), dim3(Shape::kThreads),
                  Shape::kSharedBytes, kernel, args, AttentionDropout(context, g), dots);
  };
  const int64_t rows = Shape::kRows;
  const PydlStatus status =
      run(g.batch * g.heads * divide_up(g.queries, rows), query_tiles_kernel<Shape>);
  if (status != PYDL_OK) return status;
  return run(g.batch * g.key_heads * divide_up(g.keys, rows) * Shape::kParts,
             key_tiles_kernel<Shape>);
}

template <class T>
PydlStatus run_backward_of(const PydlContext* context, const PydlAttentionBackwardArgs& args,
                              const float* dots) {
  return visit_head<T>(context, args.geometry, [&](auto head) {
    return visit_fitting<BackwardShape<T, decltype(head)::kHead>>(context, [&](auto shape) {
      return run_backward<decltype(shape)>(context, args, dots);
    });
  });
}

}  // namespace

PydlStatus tensor_attention_backward(const PydlContext* context,
                                     const PydlAttentionBackwardArgs& args, const float* dots) {
  return args.dtype == PYDL_FLOAT16 ? run_backward_of<float16>(context, args, dots)
                                    : run_backward_of<bfloat16>(context, args, dots);
}

}  // namespace pydl::cuda
