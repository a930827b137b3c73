#include "ops/string_hash.h"

#include <cstring>
#include <utility>

namespace pydl {
namespace {

constexpr uint64_t kA = 0xc3a5c85c97cb3127, kB = 0xb492b66fbe98f273, kC = 0x9ae16a3b2f90404f;

template <class T = uint64_t>
uint64_t read(const char* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

uint64_t rotate_right(uint64_t x, int bits) { return x >> bits | x << (64 - bits); }
uint64_t rotate_left(uint64_t x, int bits) { return rotate_right(x, 64 - bits); }
uint64_t fold(uint64_t x) { return x ^ x >> 47; }
uint64_t mix(uint64_t u, uint64_t v, uint64_t factor) {
  return fold((v ^ fold((u ^ v) * factor)) * factor) * factor;
}

using Pair = std::pair<uint64_t, uint64_t>;

// 32 bytes at p into two running sums.
Pair mix_32(const char* p, uint64_t a, uint64_t b) {
  a += read(p);
  b = rotate_right(b + a + read(p + 24), 21);
  const uint64_t start = a;
  a += read(p + 8) + read(p + 16);
  b += rotate_right(a, 44);
  return {a + read(p + 24), b + start};
}

uint64_t hash_to_16(const char* p, size_t size) {
  const uint64_t factor = kC + size * 2;
  if (size >= 8) {
    const uint64_t a = read(p) + kC, b = read(p + size - 8);
    return mix(rotate_right(b, 37) * factor + a, (rotate_right(a, 25) + b) * factor, factor);
  }
  if (size >= 4) return mix(size + (read<uint32_t>(p) << 3), read<uint32_t>(p + size - 4), factor);
  if (size == 0) return kC;
  const uint64_t first = read<uint8_t>(p), middle = read<uint8_t>(p + size / 2);
  const uint64_t last = read<uint8_t>(p + size - 1);
  return fold((first + (middle << 8)) * kC ^ (size + (last << 2)) * kA) * kC;
}

uint64_t hash_to_32(const char* p, size_t size) {
  const uint64_t factor = kC + size * 2;
  const uint64_t a = read(p) * kB, b = read(p + 8);
  const uint64_t c = read(p + size - 8) * factor, d = read(p + size - 16) * kC;
  return mix(rotate_right(a + b, 43) + rotate_right(c, 30) + d, a + rotate_right(b + kC, 18) + c,
             factor);
}

uint64_t hash_to_64(const char* p, size_t size) {
  const uint64_t factor = kC + size * 2;
  const uint64_t a = read(p) * kC, b = read(p + 8);
  const uint64_t c = read(p + size - 8) * factor, d = read(p + size - 16) * kC;
  const uint64_t y = rotate_right(a + b, 43) + rotate_right(c, 30) + d;
  const uint64_t z = mix(y, a + rotate_right(b + kC, 18) + c, factor);
  const uint64_t e = read(p + 16) * factor, f = read(p + 24);
  const uint64_t g = (y + read(p + size - 32)) * factor, h = (z + read(p + size - 24)) * factor;
  return mix(rotate_right(e + f, 43) + rotate_right(g, 30) + h, e + rotate_right(f + a, 18) + g,
             factor);
}

// What goes from one block of 64 bytes to the next.
struct Blocks {
  uint64_t x, y, z;
  Pair v = {0, 0}, w = {0, 0};

  void add(const char* p, uint64_t factor, uint64_t weight) {
    x = rotate_right(x + y + v.first + read(p + 8), 37) * factor;
    y = rotate_right(y + v.second + read(p + 48), 42) * factor;
    x ^= w.second * weight;
    y += v.first * weight + read(p + 40);
    z = rotate_right(z + w.first, 33) * factor;
    v = mix_32(p, v.second * factor, x + w.first);
    w = mix_32(p + 32, z + w.second, y + read(p + 16));
    std::swap(z, x);
  }
};

uint64_t hash_long(const char* p, size_t size) {
  constexpr uint64_t kSeed = 81;
  const uint64_t y = kSeed * kB + 113;
  Blocks blocks = {kSeed * kC + read(p), y, fold(y * kC + 113) * kC};
  const char* last = p + size - 64;
  for (size_t i = 0; i < (size - 1) / 64; ++i, p += 64) blocks.add(p, kB, 1);
  const uint64_t factor = kB + ((blocks.z & 0xff) << 1);
  blocks.w.first += (size - 1) & 63;
  blocks.v.first += blocks.w.first;
  blocks.w.first += blocks.v.first;
  blocks.add(last, factor, 9);
  return mix(mix(blocks.v.first, blocks.w.first, factor) + fold(blocks.y) * kA + blocks.z,
             mix(blocks.v.second, blocks.w.second, factor) + blocks.x, factor);
}

struct Sip {
  uint64_t a, b, c, d;

  void round() {
    a += b, c += d;
    b = rotate_left(b, 13) ^ a, d = rotate_left(d, 16) ^ c;
    a = rotate_left(a, 32);
    c += b, a += d;
    b = rotate_left(b, 17) ^ c, d = rotate_left(d, 21) ^ a;
    c = rotate_left(c, 32);
  }
  void add(uint64_t word) {
    d ^= word;
    round(), round();
    a ^= word;
  }
};

}  // namespace

uint64_t fingerprint(std::string_view text) {
  const char* p = text.data();
  const size_t size = text.size();
  if (size <= 16) return hash_to_16(p, size);
  if (size <= 32) return hash_to_32(p, size);
  return size <= 64 ? hash_to_64(p, size) : hash_long(p, size);
}

uint64_t join_fingerprints(uint64_t first, uint64_t second) {
  constexpr uint64_t kFactor = 0xc6a4a7935bd1e995;
  const uint64_t joined = (first ^ kFactor ^ fold(second * kFactor) * kFactor) * kFactor;
  return fold(fold(joined) * kFactor);
}

uint64_t keyed_hash(std::string_view text, uint64_t key0, uint64_t key1) {
  Sip sip = {key0 ^ 0x736f6d6570736575, key1 ^ 0x646f72616e646f6d, key0 ^ 0x6c7967656e657261,
             key1 ^ 0x7465646279746573};
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) sip.add(read(text.data() + i));
  uint64_t last = text.size() << 56;
  std::memcpy(&last, text.data() + i, text.size() - i);
  sip.add(last);
  sip.c ^= 0xff;
  for (int n = 0; n < 4; ++n) sip.round();
  return sip.a ^ sip.b ^ sip.c ^ sip.d;
}

}  // namespace pydl
