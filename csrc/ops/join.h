// Ops that join, split and repeat blocks of tensors.
#pragma once

#include <optional>
#include <vector>

#include "core/tensor.h"

namespace pydl {

Tensor concatenate(const std::vector<Tensor>& xs, int64_t axis = -1);
Tensor stack(const std::vector<Tensor>& xs, int64_t axis = 0);  // along a new axis
// Views of x that follow one another along the axis; `sizes` add up to its extent.
std::vector<Tensor> split(const Tensor& x, const std::vector<int64_t>& sizes, int64_t axis);
std::vector<Tensor> unstack(const Tensor& x, int64_t axis);  // the entries of the axis, without it
// Shifts entries along the axes; what leaves at one end comes in at the other.
Tensor roll(const Tensor& x, const Dims& shifts, const Dims& axes);
Tensor tile(const Tensor& x, const Dims& repeats);              // as numpy.tile
Tensor repeat(const Tensor& x, int64_t repeats, int64_t axis);  // each entry, `repeats` times
// x with the block that starts at `begin` replaced by `updates`.
Tensor slice_update(const Tensor& x, const Dims& begin, const Tensor& updates);

}  // namespace pydl
