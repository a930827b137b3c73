#pragma once

#include <string>

#include "core/tensor.h"

namespace pydl {

// What padding is made of: one value; the elements next to the outermost ones, mirrored; the
// outermost ones too; or the outermost ones over and over.
enum class PadMode { constant, reflect, symmetric, edge };
PadMode pad_mode_from_name(const std::string& name);

Tensor pad(const Tensor& x, const Dims& before, const Dims& after, PadMode mode, double value);

}  // namespace pydl
