// The library's own threads. Work is split statically, so results do not depend on timing.
#pragma once

#include <cstdint>

namespace pydl {

using RangeBody = void (*)(void* arg, int64_t begin, int64_t end);

// Splits [0, count) into at most num_threads() ranges of at least `grain` items and runs them in the
// caller's floating-point mode, one on the calling thread. Runs inline when called from inside a range
// or while another thread of the program has the pool. `body` must not throw.
void parallel_for(int64_t count, int64_t grain, RangeBody body, void* arg);

int num_threads();
void set_num_threads(int count);

}  // namespace pydl
