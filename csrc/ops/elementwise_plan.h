// Brings the operands of an elementwise kernel to the fewest dimensions that walk the same elements.
#pragma once

#include <array>

#include "core/tensor.h"

namespace pydl {

// `tensor` must broadcast to `shape`: the strides to walk it by.
inline Dims broadcast_strides(const Tensor& tensor, const Dims& shape) {
  Dims strides = Dims::filled(shape.size(), 0);
  int shift = shape.size() - tensor.rank();
  for (int i = 0; i < tensor.rank(); ++i)
    strides[i + shift] = tensor.size(i) == 1 ? 0 : tensor.strides()[i];
  return strides;
}

template <int N>
struct ElementwisePlan {
  int rank;
  int64_t shape[PYDL_MAX_RANK];
  int64_t strides[N][PYDL_MAX_RANK];

  // Writes rank and shape into a kernel's argument struct.
  template <class Args>
  void fill(Args& args) const {
    args.rank = rank;
    std::copy(shape, shape + PYDL_MAX_RANK, args.shape);
  }
  void copy_strides(int operand, int64_t* to) const {
    std::copy(strides[operand], strides[operand] + PYDL_MAX_RANK, to);
  }
};

template <int N>
ElementwisePlan<N> plan_elementwise(const Dims& shape, const std::array<const Tensor*, N>& operands) {
  ElementwisePlan<N> plan = {};
  std::array<Dims, N> strides;
  bool dense = true;
  for (int k = 0; k < N; ++k) {
    dense &= operands[k]->is_contiguous() && operands[k]->shape() == shape;
    if (!dense) break;
  }
  if (dense) {  // the common case needs no walk
    plan.rank = 1;
    plan.shape[0] = operands[0]->count();
    for (int k = 0; k < N; ++k) plan.strides[k][0] = 1;
    return plan;
  }
  for (int k = 0; k < N; ++k) strides[k] = broadcast_strides(*operands[k], shape);
  for (int i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    bool mergeable = plan.rank > 0;
    for (int k = 0; k < N && mergeable; ++k)
      mergeable = plan.strides[k][plan.rank - 1] == strides[k][i] * shape[i];
    if (!mergeable) ++plan.rank;
    int at = plan.rank - 1;
    plan.shape[at] = mergeable ? plan.shape[at] * shape[i] : shape[i];
    for (int k = 0; k < N; ++k) plan.strides[k][at] = strides[k][i];
  }
  if (plan.rank == 0) {  // a single element
    plan.rank = 1;
    plan.shape[0] = 1;
    for (int k = 0; k < N; ++k) plan.strides[k][0] = 1;
  }
  return plan;
}

}  // namespace pydl
