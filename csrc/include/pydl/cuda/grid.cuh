// One thread an element, in a loop where a grid does not have as many.
#pragma once

#include "pydl/cuda/launch.h"

namespace pydl::cuda {

constexpr int kThreads = 256;

template <class... Parameters, class... Arguments>
PydlStatus launch_elements(LaunchSite site, int64_t count, void (*kernel)(Parameters...),
                           Arguments... arguments) {
  return launch(site, dim3(blocks_for(count, kThreads)), dim3(kThreads), 0, kernel, arguments...);
}

// for (int64_t i = first_element(); i < count; i += element_step()) ...
__device__ inline int64_t first_element() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ inline int64_t element_step() { return static_cast<int64_t>(gridDim.x) * blockDim.x; }

}  // namespace pydl::cuda
