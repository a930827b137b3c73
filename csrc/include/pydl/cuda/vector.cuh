// Several neighbouring elements that one instruction moves.
#pragma once

#include <cuda_runtime.h>
#include <stdint.h>

namespace pydl::cuda {

constexpr int kVectorBytes = 16;

template <class T, int N>
struct alignas(sizeof(T) * N) Pack {
  T v[N];
};

template <int N, class T>
__device__ inline void load_pack(const T* from, T* to) {
  const Pack<T, N> pack = *reinterpret_cast<const Pack<T, N>*>(from);
#pragma unroll
  for (int i = 0; i < N; ++i) to[i] = pack.v[i];
}

template <int N, class T>
__device__ inline void store_pack(const T* from, T* to) {
  Pack<T, N> pack;
#pragma unroll
  for (int i = 0; i < N; ++i) pack.v[i] = from[i];
  *reinterpret_cast<Pack<T, N>*>(to) = pack;
}

// Whether packs of `bytes` may be read from here on.
inline bool is_aligned(const void* data, int bytes = kVectorBytes) {
  return reinterpret_cast<uintptr_t>(data) % bytes == 0;
}

}  // namespace pydl::cuda
