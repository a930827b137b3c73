// Where random numbers come from: a seed and how far its stream has been used.
#pragma once

#include <atomic>

#include "pydl/kernels/random.h"

namespace pydl {

// Hands out stretches of one stream; safe to share between threads.
class Generator {
 public:
  explicit Generator(uint64_t seed) : seed_(seed), offset_(0) {}

  // The state for `words` random words, which no later call will get again.
  PydlRandomState take(int64_t words);

  PydlRandomState state() const;
  void set_state(PydlRandomState state);

 private:
  std::atomic<uint64_t> seed_, offset_;  // no mutex, which a forked child might inherit locked
};

// What calls without a seed draw from; seeded by the system at first.
Generator& default_generator();

}  // namespace pydl
