#include "ops/conv.h"

#include "core/prepared.h"
#include "ops/fused_activation.h"
#include "ops/ops.h"
#include "ops/volume.h"
#include "pydl/kernels/conv.h"

namespace pydl {
namespace {

using Geometry = PydlConvGeometry;

Dims input_shape(const Geometry& g) { return {g.batch, g.height, g.width, g.channels}; }
Dims result_shape(const Geometry& g) {
  return {g.batch, g.out_height, g.out_width, g.out_channels};
}
Dims kernel_shape(const Geometry& g) {
  return {g.kernel_height, g.kernel_width, g.channels / g.groups, g.out_channels};
}

// --- on images with channels last: three ops that are each other's gradients ------------------------

// What they have in common: names for errors and traces, and how the images lie.
struct Convolution {
  const char* name;
  Geometry geometry;
};

struct ConvExtras {
  std::string activation;
  Tensor residual = {};                    // images, or absent
  const PydlPrepared* prepared = nullptr;  // of the kernel
};

Tensor run_conv(const Convolution& c, const Tensor& x, const Tensor& kernel, const Tensor& bias = {},
                const ConvExtras& extras = {});
Tensor run_transposed(const Convolution& c, const Tensor& x, const Tensor& kernel,
                      const Tensor& bias = {}, const std::string& activation = "");
Tensor run_kernel_gradient(const Convolution& c, const Tensor& x, const Tensor& dy);

template <class Args>
Args fused_args(const Convolution& c, const Tensor& kernel, const Tensor& bias,
                const FusedResult& result) {
  Args args = {};
  args.dtype = static_cast<PydlDType>(kernel.dtype());
  args.geometry = c.geometry;
  args.kernel = kernel.data();
  result.fill(args, bias);
  return args;
}

Tensor run_conv(const Convolution& c, const Tensor& x, const Tensor& kernel, const Tensor& bias,
                const ConvExtras& extras) {
  const Tensor& residual = extras.residual;
  Op op(c.name, x, kernel, bias, residual);
  bool recorded = needs_grad(x, kernel, bias, residual);
  FusedResult result(op, result_shape(c.geometry), x.dtype(), FusedActivation(op, extras.activation),
                     recorded);
  Tensor addend = residual.defined() ? contiguous(residual.detach()) : Tensor();
  Tensor images = contiguous(x.detach()), weights = contiguous(kernel.detach());
  Tensor offsets = checked_bias(op, bias, c.geometry.out_channels, x.dtype());
  auto args = fused_args<PydlConvArgs>(c, weights, offsets, result);
  args.input = images.data();
  args.result = result.y.data();
  args.residual = data_or_null(addend);
  if (!recorded && weights.impl()->storage == kernel.impl()->storage)
    args.prepared_kernel = extras.prepared;
  if (result.y.count() > 0) op.launch(&PydlKernelTable::conv, args);
  if (recorded)
    record_fused(c.name, result, {&x, &kernel, &bias, &residual},
                 [c, x = saved_for(kernel, x), kernel = saved_for(x, kernel),
                  bias_dtype = bias.defined() ? bias.dtype() : x.dtype()](Backward& b, const Tensor& d) {
      if (b.needs(0)) b.give(0, run_transposed(c, d, b[kernel]));
      if (b.needs(1)) b.give(1, run_kernel_gradient(c, b[x], d));
      if (b.needs(2)) b.give(2, bias_gradient(d, bias_dtype));
      if (b.needs(3)) b.give(3, d);
    });
  return result.y;
}

Tensor run_transposed(const Convolution& c, const Tensor& x, const Tensor& kernel,
                      const Tensor& bias, const std::string& activation) {
  Op op(c.name, x, kernel, bias);
  bool recorded = needs_grad(x, kernel, bias);
  FusedResult result(op, input_shape(c.geometry), x.dtype(), FusedActivation(op, activation),
                     recorded);
  Tensor images = contiguous(x.detach()), weights = contiguous(kernel.detach());
  Tensor offsets = checked_bias(op, bias, c.geometry.channels, x.dtype());
  auto args = fused_args<PydlConvDataGradientArgs>(c, weights, offsets, result);
  args.result_gradient = images.data();
  args.input_gradient = result.y.data();
  if (result.y.count() > 0) op.launch(&PydlKernelTable::conv_data_gradient, args);
  if (recorded)
    record_fused(c.name, result, {&x, &kernel, &bias},
                 [c, x = saved_for(kernel, x), kernel = saved_for(x, kernel),
                  bias_dtype = bias.defined() ? bias.dtype() : x.dtype()](Backward& b, const Tensor& d) {
      if (b.needs(0)) b.give(0, run_conv(c, d, b[kernel]));
      if (b.needs(1)) b.give(1, run_kernel_gradient(c, d, b[x]));
      if (b.needs(2)) b.give(2, bias_gradient(d, bias_dtype));
    });
  return result.y;
}

Tensor run_kernel_gradient(const Convolution& c, const Tensor& x, const Tensor& dy) {
  Op op(c.name, x, dy);
  Tensor images = contiguous(x.detach()), gradient = contiguous(dy.detach());
  Tensor dk = Tensor::empty(kernel_shape(c.geometry), x.dtype(), op.device());
  PydlConvKernelGradientArgs args = {static_cast<PydlDType>(x.dtype()), c.geometry, images.data(),
                                     gradient.data(), dk.data()};
  if (dk.count() > 0) op.launch(&PydlKernelTable::conv_kernel_gradient, args);
  if (needs_grad(x, dy))
    record(c.name, {&dk}, {&x, &dy}, [c, x = saved_for(dy, x), dy = saved_for(x, dy)](Backward& b) {
      if (b.needs(0)) b.give(0, run_transposed(c, b[dy], b.grad()));
      if (b.needs(1)) b.give(1, run_conv(c, b[x], b.grad()));
    });
  return dk;
}

// --- sequences and images in either layout, as images with channels last ----------------------------

struct Operands {
  Tensor x, kernel;  // of rank 4; a sequence is an image of height 1
  Dims strides, dilation;
  bool sequence, channels_first;

  // Also checks ranks and dtypes; `layout` is what the kernel's last two axes hold.
  Operands(const Op& op, const Tensor& given_x, const Tensor& given_kernel, const Tensor& bias,
           const char* layout, const ConvOptions& options)
      : sequence(given_x.rank() == 3), channels_first(options.channels_first) {
    op.check<ShapeError>(given_x.rank() == 3 || given_x.rank() == 4,
                         "expected x of 3 dimensions (a batch of sequences), 4 (of images) or 5 (of volumes), got shape ",
                         given_x.shape());
    op.check<ShapeError>(given_kernel.rank() == given_x.rank(), "expected a kernel of shape (*window, ",
                         layout, ") with ", given_x.rank(), " dimensions for x of shape ",
                         given_x.shape(), ", got ", given_kernel.shape());
    DType dtype = promote(given_x.dtype(), given_kernel.dtype());
    if (bias.defined()) dtype = promote(dtype, bias.dtype());
    op.check<DTypeError>(is_floating(dtype), "expected a floating dtype, got ", given_x.dtype(),
                         " and ", given_kernel.dtype());
    int axes = given_x.rank() - 2;
    check_window(op, given_kernel, axes);
    strides = for_each_axis(op, "strides", options.strides, axes);
    dilation = for_each_axis(op, "dilation_rate", options.dilation, axes);
    op.check(options.padding.mode != Padding::Mode::causal || sequence,
             "expected padding \"causal\" with sequences only, got x of shape ", given_x.shape());
    op.check(options.padding.mode != Padding::Mode::pairs || options.padding.before.size() == axes,
             "expected padding of ", axes, " pairs, got ", options.padding.before.size());
    x = cast(channels_first ? channels_last(given_x) : given_x, dtype);
    kernel = cast(given_kernel, dtype);
    if (!sequence) return;
    x = reshape(x, {x.size(0), 1, x.size(1), x.size(2)});
    kernel = reshape(kernel, {1, kernel.size(0), kernel.size(1), kernel.size(2)});
    strides.insert(0, 1);
    dilation.insert(0, 1);
  }

  int64_t span(int axis) const { return (kernel.size(axis) - 1) * dilation[axis] + 1; }

  // Images with channels last from a tensor in the layout of what the user gave.
  Tensor as_images(const Tensor& y) const {
    if (!y.defined()) return y;
    Tensor last = channels_first ? channels_last(y) : y;
    return sequence ? reshape(last, {last.size(0), 1, last.size(1), last.size(2)}) : last;
  }

  Dims restored_shape(const Dims& images) const {
    const int64_t n = images[0], h = images[1], w = images[2], c = images[3];
    if (sequence) return channels_first ? Dims{n, c, w} : Dims{n, w, c};
    return channels_first ? Dims{n, c, h, w} : images;
  }
  // The result in the layout of what the user gave.
  Tensor restored(const Tensor& y) const {
    Tensor result = sequence ? reshape(y, {y.size(0), y.size(2), y.size(3)}) : y;
    if (!channels_first) return result;
    return permute(result, sequence ? Dims{0, 2, 1} : Dims{0, 3, 1, 2});
  }

 private:
  static Tensor channels_last(const Tensor& x) {
    return permute(x, x.rank() == 3 ? Dims{0, 2, 1} : Dims{0, 2, 3, 1});
  }
};

// Where the windows lie; the sizes of input and result are left to the caller.
Geometry placed(const Operands& o, const WindowAxis& down, const WindowAxis& across) {
  Geometry g = {};
  g.batch = o.x.size(0);
  g.kernel_height = o.kernel.size(0);
  g.kernel_width = o.kernel.size(1);
  g.groups = 1;
  g.stride_height = o.strides[0];
  g.stride_width = o.strides[1];
  g.dilation_height = o.dilation[0];
  g.dilation_width = o.dilation[1];
  g.pad_top = down.before;
  g.pad_left = across.before;
  return g;
}

Geometry forward_geometry(const Op& op, const Operands& o, const Padding& padding, int64_t groups) {
  Padding rows = o.sequence ? Padding() : padding;
  WindowAxis down = place_windows(op, 0, o.x.size(1), o.span(0), o.strides[0], rows);
  WindowAxis across =
      place_windows(op, o.sequence ? 0 : 1, o.x.size(2), o.span(1), o.strides[1], padding);
  Geometry g = placed(o, down, across);
  g.height = o.x.size(1);
  g.width = o.x.size(2);
  g.channels = o.x.size(3);
  g.out_height = down.out;
  g.out_width = across.out;
  g.out_channels = o.kernel.size(3);
  g.groups = groups;
  return g;
}

// Whether kernels for x add residuals: those of the CPU that are our own.
bool fuses_residual(const Tensor& x) {
  return x.rank() < 5 && x.device().type == DeviceType::cpu &&
         !has_overrides.load(std::memory_order_relaxed);
}

void check_residual(const Op& op, const Tensor& residual, const Dims& shape, DType dtype) {
  op.check<ShapeError>(residual.shape() == shape, "expected a residual of shape ", shape, ", got ",
                       residual.shape());
  op.check<DTypeError>(residual.dtype() == dtype, "expected a residual of dtype ", dtype, ", got ",
                       residual.dtype());
}

}  // namespace

Tensor conv(const Tensor& x, const Tensor& kernel, const Tensor& bias, const ConvOptions& options,
            int64_t groups, const Tensor& residual) {
  if (residual.defined() && !fuses_residual(x)) {
    ConvOptions linear = options;
    linear.activation.clear();
    Op op("conv", x, residual);
    Tensor result = conv(x, kernel, bias, linear, groups);
    check_residual(op, residual, result.shape(), result.dtype());
    return FusedActivation(op, options.activation).apply(add(result, residual));
  }
  if (x.rank() == 5) return conv_volumes(x, kernel, bias, options, groups);
  Op op("conv", x, kernel, bias);
  const PydlPrepared* prepared = kernel.is_contiguous() ? prepared_operand(kernel) : nullptr;
  Operands o(op, x, kernel, bias, "in / groups, out", options);
  op.check(groups > 0, "expected groups to be positive, got ", groups);
  int64_t channels = o.x.size(3), out_channels = o.kernel.size(3);
  op.check<ShapeError>(channels % groups == 0 && o.kernel.size(2) == channels / groups,
                       "expected a kernel of shape (*window, in / groups, out) with in = ", channels,
                       " and groups = ", groups, ", got ", kernel.shape());
  op.check<ShapeError>(out_channels % groups == 0, "expected groups to divide the output channels, got ",
                       groups, " groups and a kernel of shape ", kernel.shape());
  Geometry g = forward_geometry(op, o, options.padding, groups);
  if (residual.defined()) {
    check_residual(op, residual, o.restored_shape(result_shape(g)), o.x.dtype());
  }
  if (o.kernel.dtype() != kernel.dtype()) prepared = nullptr;
  ConvExtras extras = {options.activation, o.as_images(residual), prepared};
  return o.restored(run_conv({"conv", g}, o.x, o.kernel, bias, extras));
}

Tensor depthwise_conv(const Tensor& x, const Tensor& kernel, const Tensor& bias,
                      const ConvOptions& options) {
  Op op("depthwise_conv", x, kernel, bias);
  Operands o(op, x, kernel, bias, "in, multiplier", options);
  int64_t channels = o.x.size(3), multiplier = o.kernel.size(3);
  op.check<ShapeError>(o.kernel.size(2) == channels && channels > 0,
                       "expected a kernel of shape (*window, in, multiplier) with in = ", channels,
                       ", got ", kernel.shape());
  o.kernel = reshape(o.kernel, {o.kernel.size(0), o.kernel.size(1), 1, channels * multiplier});
  Geometry g = forward_geometry(op, o, options.padding, channels);
  return o.restored(run_conv({"depthwise_conv", g}, o.x, o.kernel, bias, {options.activation}));
}

Tensor conv_transpose(const Tensor& x, const Tensor& kernel, const Tensor& bias,
                      const ConvOptions& options, const std::optional<Dims>& output_padding) {
  if (x.rank() == 5) return conv_transpose_volumes(x, kernel, bias, options, output_padding);
  Op op("conv_transpose", x, kernel, bias);
  Operands o(op, x, kernel, bias, "out, in", options);
  op.check<ShapeError>(o.kernel.size(3) == o.x.size(3),
                       "expected a kernel of shape (*window, out, in) with in = ", o.x.size(3), ", got ",
                       kernel.shape());
  bool same = options.padding.mode == Padding::Mode::same;
  op.check(same || options.padding.mode == Padding::Mode::valid,
           "expected padding to be \"valid\" or \"same\"");
  int axes = o.sequence ? 1 : 2;
  op.check(!output_padding || output_padding->size() == 1 || output_padding->size() == axes,
           "expected output_padding to be None, 1 or ", axes, " integers");
  auto place = [&](int axis) {
    std::optional<int64_t> extra;
    if (output_padding) extra = (*output_padding)[output_padding->size() == 1 ? 0 : axis];
    return place_transposed(op, o.x.size(1 + axis), o.span(axis), o.strides[axis], same, extra);
  };
  // An image of height 1 stays one.
  WindowAxis down = o.sequence ? WindowAxis{1, 0} : place(0), across = place(1);
  Geometry g = placed(o, down, across);
  g.height = down.out;
  g.width = across.out;
  g.channels = o.kernel.size(2);
  g.out_height = o.x.size(1);
  g.out_width = o.x.size(2);
  g.out_channels = o.x.size(3);
  return o.restored(run_transposed({"conv_transpose", g}, o.x, o.kernel, bias, options.activation));
}

}  // namespace pydl
