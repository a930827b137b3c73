// The compiler's vector types, as wide as the registers of the instruction set.
#pragma once

#include <stdint.h>

namespace pydl::cpu::PYDL_ISA {
namespace {
namespace isa {

#if defined(PYDL_ISA_avx512)
constexpr int kVectorBytes = 64;
#elif defined(PYDL_ISA_avx2)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

template <class T>
struct RawOf {
  typedef T type __attribute__((vector_size(kVectorBytes)));
};
template <class T>
using Raw = typename RawOf<T>::type;
typedef uint16_t HalfBits __attribute__((vector_size(kVectorBytes / 2)));  // as many as floats

}  // namespace isa
}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
