// Attention of float16 and bfloat16, on tensor cores.
#pragma once

#include "pydl/kernels/attention.h"

namespace pydl::cuda {

__attribute__((visibility("hidden"))) PydlStatus tensor_attention_forward(
    const PydlContext* context, const PydlAttentionArgs& args);

}  // namespace pydl::cuda
