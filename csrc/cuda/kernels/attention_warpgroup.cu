// Attention forward of warpgroups: when they serve, and the launch.
#include "cuda/attention/choose.cuh"
#include "cuda/attention/tensor.h"
#include "cuda/attention/warpgroup_forward.cuh"
#include "cuda/device_attribute.h"

namespace pydl::cuda {
namespace {

// An operand as a tensor (batch, heads, length, size); false where it cannot be mapped.
bool map_heads(PydlDType dtype, const void* data, const int64_t (&strides)[3], int64_t batch,
               int64_t length, int64_t heads, int64_t size, uint32_t rows, ptx::TensorMap* map) {
  const int64_t sizes[4] = {size, length, heads, batch};
  int64_t steps[4] = {1, strides[1], strides[2], strides[0]};
  for (int d = 1; d < 4; ++d) {
    if (sizes[d] == 1) steps[d] = (size + 7) / 8 * 8;  // any will do
    if (steps[d] <= 0 || steps[d] % 8 != 0 || sizes[d] > INT32_MAX) return false;
  }
  return is_aligned(data) &&
         ptx::encode_boxes<4>(data, dtype == PYDL_BFLOAT16, sizes, steps, rows, map);
}

template <class Shape>
bool fill(const PydlAttentionArgs& args, WarpgroupAttention* attention) {
  const PydlAttentionGeometry& g = args.geometry;
  attention->geometry = g;
  attention->out = args.out;
  attention->log_sums = static_cast<float*>(args.log_sums);
  return map_heads(args.dtype, args.query, args.query_strides, g.batch, g.queries, g.heads,
                   g.head_size, 64, &attention->queries) &&
         map_heads(args.dtype, args.key, args.key_strides, g.batch, g.keys, g.key_heads,
                   g.head_size, Shape::kKeys, &attention->keys) &&
         map_heads(args.dtype, args.value, args.value_strides, g.batch, g.keys, g.key_heads,
                   g.value_size, Shape::kKeys, &attention->values);
}

template <class Shape>
bool attend(const PydlContext* context, const PydlAttentionArgs& args, PydlStatus* status) {
  const PydlAttentionGeometry& g = args.geometry;
  WarpgroupAttention attention = {};
  if (!has_warpgroup_code(attend_with_warpgroups<Shape>) ||
      !fill<Shape>(args, &attention))
    return false;
  const int64_t blocks = g.batch * g.heads * divide_up(g.queries, Shape::kQueries);
  *status = launch(context, dim3(static_cast<uint32_t>(blocks)), dim3(Shape::kThreads),
                   Shape::kSharedBytes, attend_with_warpgroups<Shape>, attention);
  return true;
}

template <class T>
bool attend_with(const PydlContext* context, const PydlAttentionArgs& args, PydlStatus* status) {
  const int64_t size = largest_size(args.geometry);
  if (size <= 64) return attend<WarpgroupShape<T, 64>>(context, args, status);
  if (size <= 128) return attend<WarpgroupShape<T, 128>>(context, args, status);
  return attend<WarpgroupShape<T, 256>>(context, args, status);
}

}  // namespace

bool warpgroup_attention_forward(const PydlContext* context, const PydlAttentionArgs& args,
                                 PydlStatus* status) {
  const PydlAttentionGeometry& g = args.geometry;
  if (g.mask || g.dropout_rate > 0 || g.scale <= 0) return false;
  // Heads of up to 32 and few queries do better with smaller tiles.
  if (largest_size(g) <= 32 || largest_size(g) > 256 || g.queries <= 64 || g.keys == 0) return false;
  if (g.batch * g.heads == 0 || device_attribute(cudaDevAttrComputeCapabilityMajor) != 9) return false;
  return args.dtype == PYDL_FLOAT16 ? attend_with<float16>(context, args, status)
                                    : attend_with<bfloat16>(context, args, status);
}

}  // namespace pydl::cuda
