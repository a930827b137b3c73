#include "ops/quantized_linear.h"

#include "ops/fused_activation.h"
#include "ops/gemm.h"
#include "ops/unary.h"

namespace pydl {
namespace {

constexpr double kLargest = 127, kEpsilon = 1e-7;

// The sums of products, exact in int32.
Tensor integer_product(const Op& op, const Tensor& x, const Tensor& kernel) {
  Tensor rows = contiguous(as_rows(x)), weights = with_unit_stride(kernel);
  Tensor sums = Tensor::empty({rows.size(0), kernel.size(1)}, DType::int32, op.device());
  PydlGemmArgs args = gemm_args(rows, weights, sums);
  op.launch(&PydlKernelTable::gemm, args);
  return sums;
}

Tensor activated(const Tensor& y, PydlActivation kind) {
  switch (kind) {
    case PYDL_ACTIVATION_RELU: return relu(y);
    case PYDL_ACTIVATION_RELU6: return relu6(y);
    case PYDL_ACTIVATION_SIGMOID: return sigmoid(y);
    case PYDL_ACTIVATION_TANH: return tanh(y);
    case PYDL_ACTIVATION_SILU: return silu(y);
    case PYDL_ACTIVATION_GELU: return gelu(y);
    case PYDL_ACTIVATION_GELU_TANH: return gelu_tanh(y);
    default: return y;
  }
}

// A scale of rows or columns as float32 of this shape.
Tensor checked_scale(const Tensor& scale, const Dims& shape) {
  return broadcast_to(cast(scale.detach(), DType::float32), shape);
}

}  // namespace

Tensor quantized_linear(const Tensor& x, const Tensor& kernel, const Tensor& kernel_scale,
                        const Tensor& bias, const std::string& activation, const Tensor& x_scale) {
  Op op("quantized_linear", x, kernel, kernel_scale, bias, x_scale);
  op.check<ShapeError>(x.rank() >= 1 && kernel.rank() == 2 && x.shape().back() == kernel.size(0),
                       "expected x of shape (..., in) and a kernel of shape (in, out), got ", x.shape(),
                       " and ", kernel.shape());
  op.check<DTypeError>(kernel.dtype() == DType::int8, "expected a kernel of int8, got ",
                       kernel.dtype());
  const bool given = x.dtype() == DType::int8;
  op.check<DTypeError>(given || (is_floating(x.dtype()) && x.dtype() != DType::float64),
                       "expected x of int8, float32, float16 or bfloat16, got ", x.dtype());
  op.check(given == x_scale.defined(), "expected x_scale if x is int8, and only then");
  const PydlActivation kind = FusedActivation(op, activation).kind;

  Dims one = x.shape(), shape = x.shape();
  one.back() = 1;
  shape.back() = kernel.size(1);
  Tensor integers = x, scale;
  if (given) {
    scale = checked_scale(x_scale, one);
  } else {
    Tensor wide = cast(x.detach(), DType::float32);
    Tensor largest = x.shape().back() ? max(abs(wide), Dims{-1}, true)
                                      : full(one, 0, DType::float32, op.device());
    scale = divide(constant(kLargest, largest), largest + kEpsilon);
    integers = cast(round(wide * scale), DType::int8);
  }
  Tensor sums = reshape(cast(integer_product(op, integers, kernel), DType::float32), shape);
  Tensor of_columns = reshape(kernel_scale, {kernel_scale.count()});
  of_columns = reciprocal(checked_scale(of_columns, {kernel.size(1)}));
  Tensor y = sums * reciprocal(scale) * of_columns;
  if (bias.defined()) y = y + checked_bias(op, bias.detach(), kernel.size(1), DType::float32);
  y = activated(y, kind);
  return given ? y : cast(y, x.dtype());
}

}  // namespace pydl
