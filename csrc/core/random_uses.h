// Which random numbers this thread's ops draw, for a graph that will draw later ones at every launch.
#pragma once

#include <vector>

#include "core/random.h"

namespace pydl {

struct RandomUse {
  Generator* generator;
  uint64_t first, blocks;  // of its stream
};

// Where uses are noted; NULL for nowhere.
std::vector<RandomUse>*& random_uses();

}  // namespace pydl
