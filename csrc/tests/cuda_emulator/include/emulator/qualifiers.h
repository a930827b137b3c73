// CUDA's keywords. __noinline__ is missing on purpose: the C++ library uses that word itself.
#pragma once

#define __global__
#define __device__
#define __host__
#define __constant__ static const
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(bytes) __attribute__((aligned(bytes)))

// A block never leaves its OS thread, and an OS thread runs one block at a time.
#define __shared__ static thread_local
