// Memory that this thread's ops use, for a recording that will use it again at every repetition.
#pragma once

#include <vector>

#include "core/tensor.h"

namespace pydl {

// Where new storages are kept; NULL for nowhere.
std::vector<Ref<Storage>>*& kept_storages();

}  // namespace pydl
