#include "core/random.h"

#include <random>

#include "core/random_uses.h"

namespace pydl {

PydlRandomState Generator::take(int64_t words) {
  uint64_t groups = (static_cast<uint64_t>(words) + PYDL_RANDOM_WORDS - 1) / PYDL_RANDOM_WORDS;
  uint64_t offset = offset_.fetch_add(groups * PYDL_RANDOM_BLOCKS);
  if (auto* uses = random_uses()) uses->push_back({this, offset, groups * PYDL_RANDOM_BLOCKS});
  return {seed_, offset};
}

PydlRandomState Generator::state() const { return {seed_, offset_}; }

void Generator::set_state(PydlRandomState state) {
  seed_ = state.seed;
  offset_ = state.offset;
}

std::vector<RandomUse>*& random_uses() {
  thread_local std::vector<RandomUse>* uses = nullptr;
  return uses;
}

Generator& default_generator() {
  static Generator* generator = [] {
    std::random_device entropy;
    return new Generator(static_cast<uint64_t>(entropy()) << 32 | entropy());
  }();
  return *generator;
}

}  // namespace pydl
