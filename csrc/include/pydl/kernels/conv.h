// 2-D convolution, channels last; 1-D is height 1. A convolution with one input channel to a group is
// a depthwise one: its kernel (kernel_height, kernel_width, channels, multiplier) is the same memory.
#pragma once

#include "pydl/abi.h"
#include "pydl/kernels/activation.h"
#include "pydl/prepared.h"

typedef struct PydlConvGeometry {
  int64_t batch;
  int64_t height, width, channels;               // of the input
  int64_t out_height, out_width, out_channels;   // of the result
  int64_t kernel_height, kernel_width, groups;   // kernel: (height, width, channels / groups, out)
  int64_t stride_height, stride_width;
  int64_t dilation_height, dilation_width;
  int64_t pad_top, pad_left;  // zeros before the input; those after it follow from the sizes
} PydlConvGeometry;

// result = activation(conv(input, kernel) + bias + residual)
typedef struct PydlConvArgs {
  PydlDType dtype;  // of everything; float16 and bfloat16 accumulate in float32
  PydlConvGeometry geometry;
  const void* input;
  const void* kernel;
  const void* bias;  // (out_channels,) or NULL
  PydlActivation activation;
  void* result;
  void* pre_activation;  // like result: receives what the activation is applied to; or NULL
  const PydlPrepared* prepared_kernel;  // what was made of the kernel; NULL when its values may change
  const void* residual;                 // like result, or NULL. Only CPU kernels take it
} PydlConvArgs;

// input_gradient = what result_gradient is to the input: the transposed convolution. As a layer of its
// own it has bias and activation too.
typedef struct PydlConvDataGradientArgs {
  PydlDType dtype;
  PydlConvGeometry geometry;
  const void* result_gradient;
  const void* kernel;
  const void* bias;  // (channels,) or NULL
  PydlActivation activation;
  void* input_gradient;
  void* pre_activation;  // like input_gradient, or NULL
} PydlConvDataGradientArgs;

typedef struct PydlConvKernelGradientArgs {
  PydlDType dtype;
  PydlConvGeometry geometry;
  const void* input;
  const void* result_gradient;
  void* kernel_gradient;
} PydlConvKernelGradientArgs;

#define PYDL_CONV_KERNELS(X)                        \
  X(conv, PydlConvArgs)                             \
  X(conv_data_gradient, PydlConvDataGradientArgs)   \
  X(conv_kernel_gradient, PydlConvKernelGradientArgs)
