#include "core/prepared.h"
#include "ops/fused_activation.h"
#include "ops/gemm.h"

namespace pydl {

Tensor linear(const Tensor& x, const Tensor& kernel, const Tensor& bias,
              const std::string& activation, int64_t axes) {
  if (axes == 1 && kernel.rank() <= 2) return linear(x, kernel, bias, activation);
  Op op("linear", x, kernel, bias);
  const Dims &from = x.shape(), &sizes = kernel.shape();
  op.check<ShapeError>(axes > 0 && axes <= from.size() && axes < sizes.size() &&
                           std::equal(from.end() - axes, from.end(), sizes.begin()),
                       "expected x of shape (..., in) and a kernel of shape (in, out) with ", axes,
                       " axes for in, got ", from, " and ", sizes);
  const Dims in(sizes.begin(), sizes.begin() + axes), out(sizes.begin() + axes, sizes.end());
  op.check<ShapeError>(!bias.defined() || bias.shape() == out, "expected a bias of shape ", out,
                       ", got ", bias.defined() ? bias.shape() : out);
  Dims flat(from.begin(), from.end() - axes), shape = flat;
  flat.push_back(count_elements(in));
  for (int64_t size : out) shape.push_back(size);
  const int64_t columns = count_elements(out);
  const Tensor matrix = reshape(kernel, {flat.back(), columns});
  const Tensor offsets = bias.defined() ? reshape(bias, {columns}) : bias;
  return reshape(linear(reshape(x, flat), matrix, offsets, activation), shape);
}

Tensor linear(const Tensor& x, const Tensor& kernel, const Tensor& bias,
              const std::string& activation) {
  Op op("linear", x, kernel, bias);
  op.check<ShapeError>(x.rank() >= 1 && kernel.rank() == 2 && x.shape().back() == kernel.size(0),
                       "expected x of shape (..., in) and a kernel of shape (in, out), got ", x.shape(),
                       " and ", kernel.shape());
  DType dtype = promote(x.dtype(), kernel.dtype());
  if (bias.defined()) dtype = promote(dtype, bias.dtype());
  op.check<DTypeError>(is_floating(dtype), "expected a floating dtype, got ", x.dtype(), " and ",
                       kernel.dtype());
  if (x.dtype() != dtype || kernel.dtype() != dtype)
    return linear(cast(x, dtype), cast(kernel, dtype), bias, activation);

  bool recorded = needs_grad(x, kernel, bias);
  const PydlPrepared* prepared = recorded ? nullptr : prepared_operand(kernel);
  Tensor rows = with_unit_stride(as_rows(x.detach()));
  Tensor weights = with_unit_stride(kernel), offsets = checked_bias(op, bias, kernel.size(1), dtype);
  Dims shape = x.shape();
  shape.back() = kernel.size(1);
  FusedResult result(op, shape, dtype, FusedActivation(op, activation), recorded);
  PydlGemmArgs args = gemm_args(rows, weights, result.y.view({rows.size(0), kernel.size(1)},
                                                             {kernel.size(1), 1}, 0));
  result.fill(args, offsets);
  if (weights.impl()->storage == kernel.impl()->storage) args.prepared_b = prepared;
  op.launch(&PydlKernelTable::gemm, args);
  if (!recorded) return result.y;

  DType bias_dtype = bias.defined() ? bias.dtype() : dtype;
  record_fused("linear", result, {&x, &kernel, &bias},
               [x = saved_for(kernel, x),
                kernel = saved_for(x, kernel), bias_dtype](
                   Backward& b, const Tensor& d) {
    if (b.needs(0)) b.give(0, matmul(d, swap_last(b[kernel])));
    if (b.needs(1)) b.give(1, matmul(swap_last(as_rows(b[x])), as_rows(d)));
    if (b.needs(2)) b.give(2, bias_gradient(d, bias_dtype));
  });
  return result.y;
}

}  // namespace pydl
