// Random numbers. Philox4x32-10 turns a key (the seed) and a counter into a block of four 32-bit
// words, so that every element can be computed anywhere, in any order, on any device.
//
// Blocks are used in groups of 16, which make 64 words: word w of block b of a group is its word
// 16 w + b. Group g of a call starts at the counter offset + 16 g. An element takes one word
// (float32 and bool), two (float64 and integers: words i and i + 32 of the group) or half a word
// (dropout).
#pragma once

#include "pydl/abi.h"

#define PYDL_RANDOM_BLOCKS 16  // in a group
#define PYDL_RANDOM_WORDS 64

typedef struct PydlRandomState {
  uint64_t seed;
  uint64_t offset;  // in blocks
} PydlRandomState;

typedef struct PydlUniformArgs {
  PydlRandomState state;
  PydlDType dtype;  // float32 or float64
  int64_t count;
  void* out;
  double low, high;  // [low, high)
} PydlUniformArgs;

typedef struct PydlNormalArgs {
  PydlRandomState state;
  PydlDType dtype;  // float32 or float64
  int64_t count;
  void* out;
  double mean, stddev;
  int32_t truncated;  // at two standard deviations from the mean
} PydlNormalArgs;

typedef struct PydlRandintArgs {
  PydlRandomState state;
  PydlDType dtype;  // int32 or int64
  int64_t count;
  void* out;
  int64_t low;
  uint64_t range;  // out is in [low, low + range)
} PydlRandintArgs;

typedef struct PydlBernoulliArgs {
  PydlRandomState state;
  int64_t count;
  uint8_t* out;  // bool
  double probability;
} PydlBernoulliArgs;

// out = x / (1 - rate) or, for a share `rate` of the elements, 0. The rate is rounded to a multiple
// of 2^-16. The gradient is the same kernel on the gradient of out.
typedef struct PydlDropoutArgs {
  PydlRandomState state;
  PydlDType dtype;  // floating
  int64_t count;
  const void* x;
  void* out;
  double rate;
} PydlDropoutArgs;

// The numbers 0 .. count - 1 in random order.
typedef struct PydlPermutationArgs {
  PydlRandomState state;
  int64_t count;
  int64_t* out;
} PydlPermutationArgs;

// Indices of classes, drawn for each row in proportion to exp(logits).
typedef struct PydlCategoricalArgs {
  PydlRandomState state;
  PydlDType dtype;  // float32 or float64
  int64_t rows, classes, samples;
  const void* logits;  // (rows, classes)
  int64_t* out;        // (rows, samples)
} PydlCategoricalArgs;

#define PYDL_RANDOM_KERNELS(X)        \
  X(uniform, PydlUniformArgs)         \
  X(normal, PydlNormalArgs)           \
  X(randint, PydlRandintArgs)         \
  X(bernoulli, PydlBernoulliArgs)     \
  X(dropout, PydlDropoutArgs)         \
  X(permutation, PydlPermutationArgs) \
  X(categorical, PydlCategoricalArgs)
