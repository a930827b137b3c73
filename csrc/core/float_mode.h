// How the CPU treats floating-point numbers on the calling thread.
#pragma once

#include <cstdint>

namespace pydl {

// Numbers below the smallest normal one ("denormal") take CPUs a hundred times longer than others, and
// a trained model can be full of them. A flushing mode counts them as zero, as operands and results.
class FloatMode {
 public:
  static FloatMode current() {
    FloatMode mode;
#if defined(__x86_64__)
    mode.bits_ = __builtin_ia32_stmxcsr();
#elif defined(__aarch64__)
    asm volatile("mrs %0, fpcr" : "=r"(mode.bits_));
#endif
    return mode;
  }
  FloatMode flushing() const {
    FloatMode mode = *this;
#if defined(__x86_64__)
    mode.bits_ |= 1 << 15 | 1 << 6;  // results, operands
#elif defined(__aarch64__)
    mode.bits_ |= 1 << 24;
#endif
    return mode;
  }
  void set() const {
#if defined(__x86_64__)
    __builtin_ia32_ldmxcsr(bits_);
#elif defined(__aarch64__)
    asm volatile("msr fpcr, %0" ::"r"(bits_));
#endif
  }

 private:
#if defined(__aarch64__)
  uint64_t bits_ = 0;
#else
  uint32_t bits_ = 0;
#endif
};

// Sets a mode until the end of the scope.
class FloatModeScope {
 public:
  explicit FloatModeScope(FloatMode mode) : before_(FloatMode::current()) { mode.set(); }
  ~FloatModeScope() { before_.set(); }
  FloatModeScope(const FloatModeScope&) = delete;
  FloatModeScope& operator=(const FloatModeScope&) = delete;

 private:
  FloatMode before_;
};

}  // namespace pydl
