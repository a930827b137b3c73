// Attention of float16 and bfloat16, on tensor cores.
#pragma once

#include "pydl/kernels/attention.h"

namespace pydl::cuda {

__attribute__((visibility("hidden"))) PydlStatus tensor_attention_forward(
    const PydlContext* context, const PydlAttentionArgs& args);

// The same on sm_90a, without a mask or dropout; false where it does not serve these arguments.
__attribute__((visibility("hidden"))) bool warpgroup_attention_forward(
    const PydlContext* context, const PydlAttentionArgs& args, PydlStatus* status);

// dots: the product of each row of the result with its gradient, (batch, heads, queries).
__attribute__((visibility("hidden"))) PydlStatus tensor_attention_backward(
    const PydlContext* context, const PydlAttentionBackwardArgs& args, const float* dots);

}  // namespace pydl::cuda
