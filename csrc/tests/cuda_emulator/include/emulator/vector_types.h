// CUDA's short vectors, with the alignment that 8- and 16-byte loads need.
#pragma once

#include <stdint.h>

struct uint3 {
  unsigned x, y, z;
};

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

#define PYDL_EMULATOR_VECTORS(name, T)                                                      \
  struct alignas(2 * sizeof(T)) name##2 {                                                   \
    T x, y;                                                                                 \
  };                                                                                        \
  struct alignas(4 * sizeof(T) < 16 ? 4 * sizeof(T) : 16) name##4 {                         \
    T x, y, z, w;                                                                           \
  };                                                                                        \
  constexpr name##2 make_##name##2(T x, T y) { return {x, y}; }                             \
  constexpr name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }

PYDL_EMULATOR_VECTORS(float, float)
PYDL_EMULATOR_VECTORS(double, double)
PYDL_EMULATOR_VECTORS(char, signed char)
PYDL_EMULATOR_VECTORS(uchar, unsigned char)
PYDL_EMULATOR_VECTORS(short, short)
PYDL_EMULATOR_VECTORS(ushort, unsigned short)
PYDL_EMULATOR_VECTORS(int, int)
PYDL_EMULATOR_VECTORS(uint, unsigned)
PYDL_EMULATOR_VECTORS(longlong, long long)
PYDL_EMULATOR_VECTORS(ulonglong, unsigned long long)
#undef PYDL_EMULATOR_VECTORS

struct int3 {
  int x, y, z;
};
struct float3 {
  float x, y, z;
};
constexpr int3 make_int3(int x, int y, int z) { return {x, y, z}; }
constexpr uint3 make_uint3(unsigned x, unsigned y, unsigned z) { return {x, y, z}; }
constexpr float3 make_float3(float x, float y, float z) { return {x, y, z}; }
