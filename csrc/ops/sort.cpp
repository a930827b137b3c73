#include "ops/sort.h"

#include <limits>

#include "ops/axes.h"

namespace pydl {
namespace {

// The kernel on the rows along `axis`: exactly one of values and positions is written.
void sort_rows(const Op& op, const Tensor& rows, void* values, int32_t* positions) {
  int64_t columns = rows.shape().back();
  op.check(columns <= std::numeric_limits<int32_t>::max(), "expected fewer than 2^31 elements, got shape ",
           rows.shape());
  if (rows.count() == 0) return;
  op.launch(&PydlKernelTable::sort,
            PydlSortArgs{static_cast<PydlDType>(rows.dtype()), rows.count() / columns, columns,
                         rows.data(), values, positions});
}

}  // namespace

Tensor argsort(const Tensor& x, int64_t wanted) {
  Op op("argsort", x);
  int axis = op.axis(wanted, x.rank());
  Tensor rows = to_rows(x.detach(), {axis});
  Tensor positions = Tensor::empty(rows.shape(), DType::int32, op.device());
  sort_rows(op, rows, nullptr, positions.data_as<int32_t>());
  return from_rows(positions, {axis});
}

Tensor sort(const Tensor& x, int64_t wanted) {
  Op op("sort", x);
  int axis = op.axis(wanted, x.rank());
  if (needs_grad(x)) return gather(x, argsort(x, axis), axis);
  Tensor rows = to_rows(x.detach(), {axis});
  Tensor values = Tensor::empty(rows.shape(), x.dtype(), op.device());
  sort_rows(op, rows, values.data(), nullptr);
  return from_rows(values, {axis});
}

std::pair<Tensor, Tensor> top_k(const Tensor& x, int64_t k) {
  Op op("top_k", x);
  op.check<ShapeError>(x.rank() > 0, "expected at least 1 dimension, got shape ()");
  int64_t columns = x.shape().back();
  op.check(k >= 0 && k <= columns, "expected 0 <= k <= ", columns, ", the last extent of shape ",
           x.shape(), ", got ", k);
  op.check(columns <= std::numeric_limits<int32_t>::max(), "expected fewer than 2^31 elements, got shape ",
           x.shape());
  Dims shape = x.shape();
  shape.back() = k;
  Tensor rows = contiguous(x.detach());
  Tensor values = Tensor::empty(shape, x.dtype(), op.device());
  Tensor positions = Tensor::empty(shape, DType::int32, op.device());
  if (values.count() > 0)
    op.launch(&PydlKernelTable::top_k,
              PydlTopKArgs{static_cast<PydlDType>(x.dtype()), x.count() / columns, columns, k,
                           rows.data(), values.data(), positions.data_as<int32_t>()});
  return {needs_grad(x) ? gather(x, positions, -1) : values, positions};
}

}  // namespace pydl
