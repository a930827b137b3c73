// Kernels on images: dense (batch, height, width, channels) arrays.
#pragma once

#include "pydl/abi.h"

// Resampling of both axes: out[i] = sum over k of weights[i * taps + k] * in[first[i] + k], where every
// first[i] + k lies inside. Any interpolation, and the gradient of any, is such a table.
typedef struct PydlResampleArgs {
  PydlDType dtype;
  int64_t batch, channels;
  int64_t size[2];      // height and width of x
  int64_t out_size[2];  // of y
  int64_t taps[2];
  const int32_t* first[2];
  const double* weights[2];
  const void* x;
  void* y;
} PydlResampleArgs;

// What lies outside of an image: one value, the nearest pixel, the image again, or its mirror image
// without (mirror) or with (reflect) the pixels of the edge.
enum {
  PYDL_FILL_CONSTANT = 0,
  PYDL_FILL_NEAREST = 1,
  PYDL_FILL_WRAP = 2,
  PYDL_FILL_MIRROR = 3,
  PYDL_FILL_REFLECT = 4,
};

// y at (row, column) is x at ((b0 column + b1 row + b2) / k, (a0 column + a1 row + a2) / k) with
// k = c0 column + c1 row + 1, from the 8 numbers a0 a1 a2 b0 b1 b2 c0 c1 of the image.
// transform_images_backward goes the other way: x is the gradient of y, and y that of x.
typedef struct PydlTransformArgs {
  PydlDType dtype;
  int64_t batch, channels;
  int64_t size[2];
  const double* transforms;  // 8 an image
  int32_t bilinear;          // or the nearest pixel
  int32_t fill_mode;
  double fill_value;
  const void* x;
  void* y;
} PydlTransformArgs;

// Pixels of red, green and blue, as x; y gets them with another hue and saturation.
typedef struct PydlHueArgs {
  PydlDType dtype;
  int64_t batch, pixels;     // of an image
  const double* hue;         // added, in turns, one an image
  const double* saturation;  // a factor, one an image
  double largest_saturation;
  const void* x;
  void* y;
} PydlHueArgs;

#define PYDL_IMAGE_KERNELS(X)                     \
  X(resample, PydlResampleArgs)                   \
  X(transform_images, PydlTransformArgs)          \
  X(transform_images_backward, PydlTransformArgs) \
  X(adjust_hue, PydlHueArgs)
