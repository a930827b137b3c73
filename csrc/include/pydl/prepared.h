// What a kernel makes once of an operand whose values stay, such as weights in the order in which tiles
// read them, and finds again at later calls.
#pragma once

#include "pydl/abi.h"

// What tells apart the things made of one operand: two calls with equal keys would make the same.
typedef struct PydlPreparedKey {
  const void* data;   // of the operand
  int64_t layout[6];  // whatever else the outcome depends on
  int64_t bytes;      // of the outcome
} PydlPreparedKey;

typedef struct PydlPrepared {
  // Returns memory that make(arg, memory) filled, at this call or at an earlier one since which the
  // operand was not written to. NULL: nothing is kept of it, or not yet; do without.
  const void* (*get)(const struct PydlPrepared* self, const PydlPreparedKey* key,
                     void (*make)(void* arg, void* memory), void* arg);
} PydlPrepared;
