// What the programs that print what the PTX wrappers give have in common: a line a wrapper. Built by nvcc
// for a GPU and by a C++ compiler for the emulator, both must print the same.
#pragma once

#include <stdio.h>

#include <vector>

#include "cuda/kernel.h"
#include "pydl/cuda/launch.h"

namespace conformance {

using namespace pydl;
using namespace pydl::cuda;

// Numbers that look random. Sums of the small integers are exact in any order.
__device__ inline uint32_t mixed(uint32_t i) {
  i *= 0x9e3779b9u;
  i ^= i >> 15;
  i *= 0x85ebca6bu;
  return i ^ i >> 13;
}
__device__ inline float small_integer(uint32_t i) { return static_cast<float>(mixed(i) % 9) - 4.0f; }

inline PydlStatus print_message(const PydlContext*, PydlStatus status, const char* text) {
  printf("%s\n", text);
  return status;
}

inline void print_line(const char* name, const std::vector<uint32_t>& values) {
  uint64_t hash = 14695981039346656037u;  // Fowler, Noll and Vo's
  for (uint32_t value : values) hash = (hash ^ value) * 1099511628211u;
  printf("%s %016llx", name, static_cast<unsigned long long>(hash));
  if (values.size() <= 256) {
    for (uint32_t value : values) printf(" %08x", value);
  }
  printf("\n");
}

struct Grid {
  unsigned blocks, threads;
  size_t shared_bytes, words;  // words: of the result
};

// Runs kernel(result, arguments...) and prints the result. 1 where that fails, else 0.
template <class... Parameters, class... Arguments>
int run(const char* name, const Grid& grid, void (*kernel)(uint32_t*, Parameters...),
        Arguments... arguments) {
  PydlContext context = {};
  context.struct_size = sizeof context;
  context.fail = print_message;
  uint32_t* out = nullptr;
  const size_t bytes = grid.words * sizeof(uint32_t);
  if (cudaMalloc(reinterpret_cast<void**>(&out), bytes) != cudaSuccess) return 1;
  if (launch(&context, dim3(grid.blocks), dim3(grid.threads), grid.shared_bytes, kernel, out,
             arguments...) != PYDL_OK) {
    return 1;
  }
  std::vector<uint32_t> values(grid.words);
  if (cudaMemcpy(values.data(), out, bytes, cudaMemcpyDeviceToHost) != cudaSuccess) return 1;
  cudaFree(out);
  print_line(name, values);
  return 0;
}

}  // namespace conformance
