// What changes from one replay of a captured graph to the next comes from device memory.
#pragma once

#include "pydl/backend.h"

namespace pydl::cuda {

// In device memory while the stream is being captured, else NULL.
inline const PydlReplay* replay_of(const PydlContext* context) {
  return reinterpret_cast<const PydlDeviceContext*>(context)->replay;
}

}  // namespace pydl::cuda
