#include "ops/quantized_linear.h"

#include "core/prepared.h"
#include "ops/fused_activation.h"
#include "ops/gemm.h"
#include "pydl/kernels/quantized.h"

namespace pydl {
namespace {

// A scale of rows or columns as float32 of this shape.
Tensor checked_scale(const Tensor& scale, const Dims& shape) {
  return broadcast_to(cast(scale.detach(), DType::float32), shape);
}

struct Operands {
  const Tensor &x, &kernel, &kernel_scale, &bias, &x_scale;
  PydlActivation activation;

  bool given() const { return x_scale.defined(); }  // x of int8
  Dims shape() const {
    Dims shape = x.shape();
    shape.back() = kernel.size(1);
    return shape;
  }
  Tensor row_scale() const {
    Dims one = x.shape();
    one.back() = 1;
    return checked_scale(x_scale, one);
  }
  Tensor column_scale() const {
    return checked_scale(reshape(kernel_scale, {kernel_scale.count()}), {kernel.size(1)});
  }
  Tensor checked_offsets(const Op& op) const {
    return checked_bias(op, bias, kernel.size(1), DType::float32);
  }
};

Tensor scaled_product(const Op& op, const Operands& of) {
  const PydlPrepared* prepared = prepared_operand(of.kernel);
  Tensor rows = contiguous(as_rows(of.x.detach())), weights = with_unit_stride(of.kernel);
  Tensor row_scale = of.given() ? contiguous(of.row_scale()) : Tensor();
  Tensor column_scale = contiguous(of.column_scale()), offsets = of.checked_offsets(op);
  DType dtype = of.given() ? DType::float32 : of.x.dtype();
  Tensor y = Tensor::empty(of.shape(), dtype, op.device());
  PydlQuantizedLinearArgs args = {};
  args.dtype = static_cast<PydlDType>(of.x.dtype());
  args.m = rows.size(0);
  args.n = weights.size(1);
  args.k = weights.size(0);
  args.x = rows.data();
  args.kernel = static_cast<const int8_t*>(weights.data());
  args.kernel_row_stride = weights.strides()[0];
  args.kernel_col_stride = weights.strides()[1];
  args.x_scale = static_cast<const float*>(data_or_null(row_scale));
  args.kernel_scale = static_cast<const float*>(column_scale.data());
  args.bias = static_cast<const float*>(data_or_null(offsets));
  args.activation = of.activation;
  args.y = y.data();
  if (weights.impl()->storage == of.kernel.impl()->storage) args.prepared_kernel = prepared;
  op.launch(&PydlKernelTable::quantized_linear, args);
  return y;
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
  const Operands of = {x,    kernel,  kernel_scale,
                       bias, x_scale, FusedActivation(op, activation).kind};
  return scaled_product(op, of);
}

}  // namespace pydl
