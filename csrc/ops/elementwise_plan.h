// Brings the operands of an elementwise kernel to the fewest dimensions that walk the same elements.
#pragma once

#include <array>
#include <cstdlib>

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

// The axes from the longest stride to the shortest; those of one element come first.
inline std::array<int, PYDL_MAX_RANK> axes_by_stride(const Dims& shape, const Dims& strides) {
  auto step = [&](int axis) { return shape[axis] == 1 ? INT64_MAX : std::abs(strides[axis]); };
  std::array<int, PYDL_MAX_RANK> order;
  for (int i = 0; i < shape.size(); ++i) {
    int at = i;
    for (; at > 0 && step(order[at - 1]) < step(i); --at) order[at] = order[at - 1];
    order[at] = i;
  }
  return order;
}

// Whether a tensor fills a block of memory without gaps, its axes in whatever order.
inline bool is_dense(const Tensor& tensor) {
  if (tensor.is_contiguous()) return true;
  auto order = axes_by_stride(tensor.shape(), tensor.strides());
  int64_t expected = 1;
  for (int i = tensor.rank() - 1; i >= 0; --i) {
    int axis = order[i];
    if (tensor.size(axis) != 1 && tensor.strides()[axis] != expected) return false;
    expected *= tensor.size(axis);
  }
  return true;
}

// An output of `shape`, with its axes in memory in the order of the operands' where these agree: a
// kernel then walks transposed operands as fast as others.
inline Tensor empty_result(const Dims& shape, DType dtype, Device device,
                           std::initializer_list<const Tensor*> operands) {
  Tensor out = Tensor::empty(shape, dtype, device);
  const Tensor* like = nullptr;
  for (const Tensor* operand : operands) {
    if (operand->shape() != shape) continue;
    if (operand->is_contiguous()) return out;
    if (!like && is_dense(*operand)) like = operand;
  }
  return like ? out.view(shape, like->strides(), 0) : out;
}

// The last operand is the output, of that shape; memory is walked in its order.
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
  auto order = axes_by_stride(shape, operands[N - 1]->strides());
  for (int j = 0; j < shape.size(); ++j) {
    int i = order[j];
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
