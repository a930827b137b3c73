// The backend behind gpu:0, gpu:1, ..., opened on first use.
#pragma once

#include <string>

#include "core/device.h"
#include "core/error.h"
#include "pydl/backend.h"
#include "pydl/kernel_table.h"

namespace pydl {

// The backend, after making `device` current; throws DeviceError where there is no such device.
const PydlBackend& gpu_backend(Device device);
const PydlKernelTable& gpu_kernels();

int gpu_count();                      // 0 where there is none, for whatever reason
const std::string& why_no_gpu();      // empty where there is one
const std::string& gpu_backend_name();  // "cuda"

// Raises what a function of the backend returned.
void check_gpu(const char* op, PydlStatus status);

// The stream that this thread's work on a device goes to; NULL is the device's own.
void* current_stream(Device device);
void set_current_stream(Device device, void* stream);

// Makes later work on one stream of a device wait for the work so far on another.
void order_streams(Device device, void* before, void* after);

// Waits for all work of a device and raises the errors that its kernels found.
void synchronize(Device device);

// Whether each op waits for its kernels and raises what they found, which else shows late. First set by
// CUDA_LAUNCH_BLOCKING=1.
bool launch_blocking();
void set_launch_blocking(bool blocking);

// The op that was launched last on any GPU, for errors that show late.
void note_gpu_op(const char* op);

}  // namespace pydl
