// Copies between devices.
#pragma once

#include "core/tensor.h"
#include "dispatch/recording.h"

namespace pydl {

// x itself when it is there; else a dense copy, whose gradient is copied back. A copy to the CPU waits
// for the work on x and raises the errors that it met.
Tensor to_device(const Tensor& x, Device device);
inline Tensor to_cpu(const Tensor& x) { return to_device(x, Device{}); }

// The only element of a tensor, wherever it is.
template <class T>
T value_of(const Tensor& x) {
  refuse_recording("it reads values");
  return *to_cpu(x.detach()).data_as<T>();
}

}  // namespace pydl
