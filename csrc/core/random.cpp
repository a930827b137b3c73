#include "core/random.h"

#include <random>

namespace pydl {

PydlRandomState Generator::take(int64_t words) {
  std::lock_guard<std::mutex> lock(mutex_);
  PydlRandomState taken = state_;
  uint64_t groups = (static_cast<uint64_t>(words) + PYDL_RANDOM_WORDS - 1) / PYDL_RANDOM_WORDS;
  state_.offset += groups * PYDL_RANDOM_BLOCKS;
  return taken;
}

PydlRandomState Generator::state() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return state_;
}

void Generator::set_state(PydlRandomState state) {
  std::lock_guard<std::mutex> lock(mutex_);
  state_ = state;
}

Generator& default_generator() {
  static Generator* generator = [] {
    std::random_device entropy;
    return new Generator(static_cast<uint64_t>(entropy()) << 32 | entropy());
  }();
  return *generator;
}

}  // namespace pydl
