// Convolutions of 16-bit floats by warpgroups (sm_90a). Each entry sets *done to whether they serve; where
// they do not, nothing has happened.
#pragma once

#include "pydl/kernels/conv.h"

namespace pydl::cuda {

PydlStatus conv_with_warpgroups(const PydlContext* context, const PydlConvArgs& args, bool* done);
PydlStatus conv_data_gradient_with_warpgroups(const PydlContext* context,
                                              const PydlConvDataGradientArgs& args, bool* done);
PydlStatus conv_kernel_gradient_with_warpgroups(const PydlContext* context,
                                                const PydlConvKernelGradientArgs& args, bool* done);

}  // namespace pydl::cuda
