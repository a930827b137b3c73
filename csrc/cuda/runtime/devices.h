// The GPUs that this process can use.
#pragma once

#include "pydl/backend.h"

namespace pydl::cuda {

constexpr int kMaxDevices = 64;

int32_t device_count();
const char* why_unavailable();
PydlStatus device_facts(int32_t device, PydlDeviceFacts* facts);
PydlStatus use_device(int32_t device);
PydlStatus device_of(const void* memory, int32_t* device);

}  // namespace pydl::cuda
