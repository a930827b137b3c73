// Activations that linear, convolution and normalisation kernels apply to a result while it is in
// registers.
#pragma once

#include "pydl/abi.h"

typedef int32_t PydlActivation;
enum {
  PYDL_ACTIVATION_NONE = 0,
  PYDL_ACTIVATION_RELU = 1,
  PYDL_ACTIVATION_RELU6 = 2,
  PYDL_ACTIVATION_SIGMOID = 3,
  PYDL_ACTIVATION_TANH = 4,
  PYDL_ACTIVATION_SILU = 5,
  PYDL_ACTIVATION_GELU = 6,       // with erf
  PYDL_ACTIVATION_GELU_TANH = 7,  // the tanh approximation
};
