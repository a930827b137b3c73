// The device code that pydl's own CUDA kernels are written with, for the .cu sources of extensions.
//
//   using namespace pydl::cuda;
//   template <class T>
//   __global__ void __launch_bounds__(kThreads) scale_kernel(const T* x, float factor, T* y, int64_t n) {
//     for (int64_t i = first_element(); i < n; i += element_step())
//       y[i] = from_float<T>(to_float(x[i]) * factor);
//   }
//   template <class T>
//   PydlStatus scale(const pydl::Context& context, pydl::Tensor x, double factor, pydl::Tensor y) {
//     return launch_elements(context.get(), x.count(), scale_kernel<T>, x.data<T>(),
//                            static_cast<float>(factor), y.data<T>(), x.count());
//   }
#pragma once

#include "pydl/cuda/dtype.cuh"   // float16, bfloat16, what they compute in, conversions
#include "pydl/cuda/grid.cuh"    // a thread an element
#include "pydl/cuda/launch.h"    // launch, dynamic shared memory, check
#include "pydl/cuda/philox.cuh"  // pydl's random stream
#include "pydl/cuda/vector.cuh"  // 16 bytes at a time
#include "pydl/cuda/visit.h"     // from a PydlDType to a C++ type
#include "pydl/cuda/warp.cuh"    // reductions of warps and blocks
