// Warp collectives. __activemask is missing: what it returns is a matter of luck on a real GPU.
#pragma once

#include "emulator/thread.h"

namespace pydl::emulator {

template <class T>
struct Shuffled {
  T value, result;
  int source;
};

template <class T>
T shuffle(const char* operation, uint32_t mask, T value, int source, Site site) {
  if (source < 0 || source > 31 || !(mask >> source & 1))
    fail_thread("%s reads lane %d, which is not in the mask %08x", operation, source, mask);
  Shuffled<T> mine{value, value, source};
  warp_collective(
      operation, mask, &mine,
      [](void** operands) {
        for (int lane = 0; lane < 32; ++lane)
          if (auto* own = static_cast<Shuffled<T>*>(operands[lane]))
            if (auto* source = static_cast<Shuffled<T>*>(operands[own->source]))
              own->result = source->value;
      },
      site);
  return mine.result;
}

template <class T, class Combine>
T warp_reduce(const char* operation, uint32_t mask, T value, Combine, Site site) {
  struct Operand {
    T value, result;
  } mine{value, value};
  warp_collective(
      operation, mask, &mine,
      [](void** operands) {
        T total{};
        bool first = true;
        for (int lane = 0; lane < 32; ++lane)
          if (auto* one = static_cast<Operand*>(operands[lane])) {
            total = first ? one->value : Combine()(total, one->value);
            first = false;
          }
        for (int lane = 0; lane < 32; ++lane)
          if (auto* one = static_cast<Operand*>(operands[lane])) one->result = total;
      },
      site);
  return mine.result;
}

inline int lane() { return static_cast<int>(this_thread->lane); }

}  // namespace pydl::emulator

#define PYDL_SITE pydl::emulator::Site site = pydl::emulator::Site::here()

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, PYDL_SITE) {
  const int first = pydl::emulator::lane() & ~(width - 1);
  return pydl::emulator::shuffle("__shfl_sync", mask, value, first | (source & (width - 1)), site);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, PYDL_SITE) {
  const int lane = pydl::emulator::lane(), source = lane - static_cast<int>(delta);
  const bool inside = source >= (lane & ~(width - 1));
  return pydl::emulator::shuffle("__shfl_up_sync", mask, value, inside ? source : lane, site);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, PYDL_SITE) {
  const int lane = pydl::emulator::lane(), source = lane + static_cast<int>(delta);
  const bool inside = source <= (lane | (width - 1));
  return pydl::emulator::shuffle("__shfl_down_sync", mask, value, inside ? source : lane, site);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, PYDL_SITE) {
  const int lane = pydl::emulator::lane(), source = lane ^ bits;
  const bool inside = source <= (lane | (width - 1));
  return pydl::emulator::shuffle("__shfl_xor_sync", mask, value, inside ? source : lane, site);
}

inline void __syncwarp(unsigned mask = ~0u, PYDL_SITE) {
  pydl::emulator::warp_collective("__syncwarp", mask, nullptr, [](void**) {}, site);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, PYDL_SITE) {
  const uint32_t bit = predicate ? 1u << pydl::emulator::lane() : 0;
  return pydl::emulator::warp_reduce("__ballot_sync", mask, bit,
                                     [](uint32_t a, uint32_t b) { return a | b; }, site);
}
inline int __any_sync(unsigned mask, int predicate, PYDL_SITE) {
  return pydl::emulator::warp_reduce("__any_sync", mask, predicate != 0,
                                     [](bool a, bool b) { return a || b; }, site);
}
inline int __all_sync(unsigned mask, int predicate, PYDL_SITE) {
  return pydl::emulator::warp_reduce("__all_sync", mask, predicate != 0,
                                     [](bool a, bool b) { return a && b; }, site);
}

// The lanes whose value is the same as this one's.
template <class T>
unsigned __match_any_sync(unsigned mask, T value, PYDL_SITE) {
  struct Operand {
    T value;
    unsigned same;
  } mine{value, 0};
  pydl::emulator::warp_collective(
      "__match_any_sync", mask, &mine,
      [](void** operands) {
        for (int a = 0; a < 32; ++a)
          for (int b = 0; b < 32; ++b)
            if (operands[a] && operands[b] &&
                static_cast<Operand*>(operands[a])->value == static_cast<Operand*>(operands[b])->value)
              static_cast<Operand*>(operands[a])->same |= 1u << b;
      },
      site);
  return mine.same;
}
template <class T>
unsigned __match_all_sync(unsigned mask, T value, int* all, PYDL_SITE) {
  *all = __match_any_sync(mask, value, site) == mask;
  return *all ? mask : 0;
}

#define PYDL_WARP_REDUCE(name, T, expression)                                        \
  inline T name(unsigned mask, T value, PYDL_SITE) {                                 \
    return pydl::emulator::warp_reduce(#name, mask, value,                           \
                                       [](T a, T b) -> T { return expression; }, site); \
  }
PYDL_WARP_REDUCE(__reduce_add_sync, unsigned, a + b)
PYDL_WARP_REDUCE(__reduce_add_sync, int, a + b)
PYDL_WARP_REDUCE(__reduce_min_sync, unsigned, a < b ? a : b)
PYDL_WARP_REDUCE(__reduce_min_sync, int, a < b ? a : b)
PYDL_WARP_REDUCE(__reduce_max_sync, unsigned, a > b ? a : b)
PYDL_WARP_REDUCE(__reduce_max_sync, int, a > b ? a : b)
PYDL_WARP_REDUCE(__reduce_and_sync, unsigned, a & b)
PYDL_WARP_REDUCE(__reduce_or_sync, unsigned, a | b)
PYDL_WARP_REDUCE(__reduce_xor_sync, unsigned, a ^ b)
#undef PYDL_WARP_REDUCE
#undef PYDL_SITE
