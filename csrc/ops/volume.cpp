#include "ops/volume.h"

#include "ops/ops.h"

namespace pydl {
namespace {

Tensor channels_last(const Tensor& x, bool channels_first) {
  return channels_first ? permute(x, {0, 2, 3, 4, 1}) : x;
}

// What images gave, (batch * depth, height, width, channels), as volumes in the user's layout.
Tensor as_volumes(const Tensor& y, int64_t batch, int64_t depth, bool channels_first) {
  Tensor result = reshape(y, {batch, depth, y.size(1), y.size(2), y.size(3)});
  return channels_first ? permute(result, {0, 4, 1, 2, 3}) : result;
}

// The padding of height and width, without that of the depth.
Padding of_frames(const Padding& padding) {
  Padding result;
  result.mode = padding.mode;
  if (padding.mode == Padding::Mode::pairs) {
    result.before = {padding.before[1], padding.before[2]};
    result.after = {padding.after[1], padding.after[2]};
  }
  return result;
}

Dims tail(const Dims& d) { return {d[1], d[2]}; }

// The volumes with zero frames between theirs, `step` apart from `begin` on, `depth` frames in all.
Tensor spread(const Tensor& x, int64_t depth, int64_t begin, int64_t step) {
  if (begin == 0 && step == 1 && depth <= x.size(1)) return x;
  Dims shape = x.shape(), from = Dims::filled(5, 0), steps = Dims::filled(5, 1);
  shape[1] = std::max(depth, begin + (x.size(1) - 1) * step + 1);
  from[1] = begin;
  steps[1] = step;
  return embed(x, shape, from, steps);
}

// How a window lies along the depth.
struct Depth {
  int64_t out, taps, stride, dilation;
};

// For every position of the window an image that has the frames under its taps as channels, in the
// order (group, tap, channel of the group), in which the kernel for images expects them.
Tensor frames_under_taps(const Tensor& x, const Depth& d, int64_t groups) {
  int64_t batch = x.size(0), height = x.size(2), width = x.size(3), channels = x.size(4) / groups;
  std::vector<Tensor> frames;
  Dims begin = Dims::filled(5, 0), count = x.shape(), step = Dims::filled(5, 1);
  count[1] = d.out;
  step[1] = d.stride;
  for (int64_t tap = 0; tap < d.taps; ++tap) {
    begin[1] = tap * d.dilation;
    frames.push_back(reshape(slice(x, begin, count, step),
                             {batch, d.out, height * width * groups, channels}));
  }
  Tensor joined = d.taps == 1 ? frames[0] : stack(frames, 3);
  return reshape(joined, {batch * d.out, height, width, groups * d.taps * channels});
}

struct VolumeOptions {
  Dims strides, dilation;
  ConvOptions frames;  // for the images

  VolumeOptions(const Op& op, const Tensor& x, const Tensor& kernel, const char* layout,
                const ConvOptions& options)
      : strides(for_each_axis(op, "strides", options.strides, 3)),
        dilation(for_each_axis(op, "dilation_rate", options.dilation, 3)) {
    op.check<ShapeError>(kernel.rank() == 5, "expected a kernel of shape (*window, ", layout,
                         ") with 5 dimensions for x of shape ", x.shape(), ", got ", kernel.shape());
    check_window(op, kernel, 3);
    op.check(options.padding.mode != Padding::Mode::causal,
             "expected padding \"causal\" with sequences only, got x of shape ", x.shape());
    op.check(options.padding.mode != Padding::Mode::pairs || options.padding.before.size() == 3,
             "expected padding of 3 pairs, got ", options.padding.before.size());
    frames = {tail(strides), of_frames(options.padding), tail(dilation), false, options.activation};
  }
};

}  // namespace

Tensor conv_volumes(const Tensor& x, const Tensor& kernel, const Tensor& bias,
                    const ConvOptions& options, int64_t groups) {
  Op op("conv", x, kernel, bias);
  VolumeOptions o(op, x, kernel, "in / groups, out", options);
  Tensor volumes = channels_last(x, options.channels_first);
  op.check<ShapeError>(groups > 0 && volumes.size(4) % groups == 0 &&
                           kernel.size(3) == volumes.size(4) / groups,
                       "expected a kernel of shape (*window, in / groups, out) with in = ",
                       volumes.size(4), " and groups = ", groups, ", got ", kernel.shape());
  Depth d = {0, kernel.size(0), o.strides[0], o.dilation[0]};
  int64_t span = (d.taps - 1) * d.dilation + 1;
  WindowAxis placed = place_windows(op, 0, volumes.size(1), span, d.stride, options.padding);
  d.out = placed.out;
  Tensor padded = spread(volumes, (d.out - 1) * d.stride + span, placed.before, 1);
  Tensor flat = reshape(permute(kernel, {1, 2, 0, 3, 4}),
                        {kernel.size(1), kernel.size(2), d.taps * kernel.size(3), kernel.size(4)});
  Tensor y = conv(frames_under_taps(padded, d, groups), flat, bias, o.frames, groups);
  return as_volumes(y, volumes.size(0), d.out, options.channels_first);
}

// Along the depth, a convolution with the kernel turned around, over frames spread by the stride.
Tensor conv_transpose_volumes(const Tensor& x, const Tensor& kernel, const Tensor& bias,
                              const ConvOptions& options,
                              const std::optional<Dims>& output_padding) {
  Op op("conv_transpose", x, kernel, bias);
  VolumeOptions o(op, x, kernel, "out, in", options);
  Tensor volumes = channels_last(x, options.channels_first);
  op.check<ShapeError>(kernel.size(4) == volumes.size(4),
                       "expected a kernel of shape (*window, out, in) with in = ", volumes.size(4),
                       ", got ", kernel.shape());
  op.check(!output_padding || output_padding->size() == 1 || output_padding->size() == 3,
           "expected output_padding to be None, 1 or 3 integers");
  std::optional<int64_t> extra;
  std::optional<Dims> extra_of_frames = output_padding;
  if (output_padding) extra = (*output_padding)[0];
  if (output_padding && output_padding->size() == 3) extra_of_frames = tail(*output_padding);
  Depth d = {0, kernel.size(0), 1, o.dilation[0]};
  int64_t span = (d.taps - 1) * d.dilation + 1;
  WindowAxis placed = place_transposed(op, volumes.size(1), span, o.strides[0],
                                       options.padding.mode == Padding::Mode::same, extra);
  d.out = placed.out;
  Tensor padded = spread(volumes, d.out + span - 1, span - 1 - placed.before, o.strides[0]);
  Tensor flat = reshape(permute(flip(kernel, Dims{0}), {1, 2, 3, 0, 4}),
                        {kernel.size(1), kernel.size(2), kernel.size(3), d.taps * kernel.size(4)});
  Tensor y = conv_transpose(frames_under_taps(padded, d, 1), flat, bias, o.frames, extra_of_frames);
  return as_volumes(y, volumes.size(0), d.out, options.channels_first);
}

Tensor pool_volumes(const char* name, PoolImages pool, const Tensor& x, const Dims& pool_size,
                    const Dims& strides, const Padding& padding, bool channels_first) {
  Op op(name, x);
  Dims window = for_each_axis(op, "pool_size", pool_size, 3);
  Dims step = strides.empty() ? window : for_each_axis(op, "strides", strides, 3);
  op.check(padding.mode != Padding::Mode::pairs || padding.before.size() == 3,
           "expected padding of 3 pairs, got ", padding.before.size());
  Padding of_depth;
  of_depth.mode = padding.mode;
  if (padding.mode == Padding::Mode::pairs) {
    of_depth.before = {padding.before[0], 0};
    of_depth.after = {padding.after[0], 0};
  }
  Tensor v = channels_last(x, channels_first);
  int64_t batch = v.size(0), depth = v.size(1), channels = v.size(4);
  Tensor frames = pool(reshape(v, {batch * depth, v.size(2), v.size(3), channels}), tail(window),
                       tail(step), of_frames(padding), false);
  int64_t height = frames.size(1), width = frames.size(2);
  Tensor columns = pool(reshape(frames, {batch, depth, height * width, channels}), {window[0], 1},
                        {step[0], 1}, of_depth, false);
  return as_volumes(reshape(columns, {batch * columns.size(1), height, width, channels}), batch,
                    columns.size(1), channels_first);
}

}  // namespace pydl
