#include "ops/pool.h"

#include "ops/ops.h"
#include "ops/volume.h"

namespace pydl {
namespace {

// The sizes of one pooling, with a height of 1 for sequences.
struct Pooling {
  DType dtype;
  Device device;
  Dims in_shape, out_shape;  // channels last
  int64_t size[2] = {1, 1}, out_size[2] = {1, 1}, window[2] = {1, 1}, strides[2] = {1, 1};
  int64_t padding[2] = {0, 0};

  template <class Args>
  Args args() const {
    Args args = {};
    args.dtype = static_cast<PydlDType>(dtype);
    args.batch = in_shape[0];
    args.channels = in_shape.back();
    for (int i = 0; i < 2; ++i) {
      args.size[i] = size[i];
      args.out_size[i] = out_size[i];
      args.window[i] = window[i];
      args.strides[i] = strides[i];
      args.padding[i] = padding[i];
    }
    return args;
  }
  Tensor empty_input() const { return Tensor::empty(in_shape, dtype, device); }
  Tensor empty_output() const { return Tensor::empty(out_shape, dtype, device); }
};

// `x` has its channels last.
Pooling plan(const Op& op, const Tensor& x, const Dims& pool_size, const Dims& strides,
             const Padding& padding) {
  op.check_floating(x);
  op.check<ShapeError>(
      x.rank() == 3 || x.rank() == 4,
      "expected (batch, length, channels), (batch, height, width, channels) or (batch, depth, height, "
      "width, channels), got shape ",
      x.shape());
  int axes = x.rank() - 2;
  Dims window = for_each_axis(op, "pool_size", pool_size, axes);
  Dims step = strides.empty() ? window : for_each_axis(op, "strides", strides, axes);
  Pooling pooling;
  pooling.dtype = x.dtype();
  pooling.device = x.device();
  pooling.in_shape = pooling.out_shape = x.shape();
  op.check(padding.mode != Padding::Mode::pairs || padding.before.size() == axes,
           "expected padding of ", axes, " pairs, got ", padding.before.size());
  for (int i = 0; i < axes; ++i) {
    // A window of nothing but padding has no largest element and no mean.
    op.check(padding.mode != Padding::Mode::pairs ||
                 (padding.before[i] < window[i] && padding.after[i] < window[i]),
             "expected padding smaller than the window ", window, ", got ", padding.before,
             " before and ", padding.after, " behind");
    WindowAxis placed = place_windows(op, i, x.size(1 + i), window[i], step[i], padding);
    op.check<ShapeError>(placed.out == 0 || x.size(1 + i) > 0,
                         "expected at least one element along spatial axis ", i, ", got shape ",
                         x.shape());
    int to = 2 - axes + i;
    pooling.size[to] = x.size(1 + i);
    pooling.out_size[to] = pooling.out_shape[1 + i] = placed.out;
    pooling.window[to] = window[i];
    pooling.strides[to] = step[i];
    pooling.padding[to] = placed.before;
  }
  return pooling;
}

// The gradient of average_pool and, as both are linear, the other way around.
Tensor average_pool_forward(const Pooling& pooling, const Tensor& x);

Tensor average_pool_backward(const Pooling& pooling, const Tensor& dy) {
  Op op("average_pool_backward", dy);
  Tensor d = contiguous(dy.detach()), dx = pooling.empty_input();
  auto args = pooling.args<PydlPoolBackwardArgs>();
  args.dy = d.data();
  args.dx = dx.data();
  if (dx.count() > 0) op.launch(&PydlKernelTable::average_pool_backward, args);
  if (needs_grad(dy))
    record(op.name(), {&dx}, {&dy},
           [pooling](Backward& b) { b.give(0, average_pool_forward(pooling, b.grad())); });
  return dx;
}

Tensor average_pool_forward(const Pooling& pooling, const Tensor& x) {
  Op op("average_pool", x);
  Tensor dense = contiguous(x.detach()), y = pooling.empty_output();
  auto args = pooling.args<PydlPoolArgs>();
  args.x = dense.data();
  args.y = y.data();
  if (y.count() > 0) op.launch(&PydlKernelTable::average_pool_forward, args);
  if (needs_grad(x))
    record(op.name(), {&y}, {&x},
           [pooling](Backward& b) { b.give(0, average_pool_backward(pooling, b.grad())); });
  return y;
}

// The elements of x at the places that won, and its gradient: dy at those places, 0 elsewhere.
Tensor max_pool_pick(const Pooling& pooling, const Tensor& winners, const Tensor& x);

Tensor max_pool_backward(const Pooling& pooling, const Tensor& winners, const Tensor& dy) {
  Op op("max_pool_backward", dy);
  Tensor d = contiguous(dy.detach()), dx = pooling.empty_input();
  auto args = pooling.args<PydlPoolBackwardArgs>();
  args.dy = d.data();
  args.dx = dx.data();
  args.winners = winners.data_as<uint16_t>();
  if (dx.count() > 0) op.launch(&PydlKernelTable::max_pool_backward, args);
  if (needs_grad(dy))
    record(op.name(), {&dx}, {&dy}, [pooling, winners](Backward& b) {
      b.give(0, max_pool_pick(pooling, winners, b.grad()));
    });
  return dx;
}

Tensor max_pool_pick(const Pooling& pooling, const Tensor& winners, const Tensor& x) {
  Op op("max_pool_pick", x);
  Tensor dense = contiguous(x.detach()), y = pooling.empty_output();
  auto args = pooling.args<PydlPoolArgs>();
  args.x = dense.data();
  args.y = y.data();
  args.winners = winners.data_as<uint16_t>();
  if (y.count() > 0) op.launch(&PydlKernelTable::max_pool_pick, args);
  if (needs_grad(x))
    record(op.name(), {&y}, {&x}, [pooling, winners](Backward& b) {
      b.give(0, max_pool_backward(pooling, winners, b.grad()));
    });
  return y;
}

Tensor max_pool_forward(const Pooling& pooling, const Tensor& x) {
  Op op("max_pool", x);
  op.check(pooling.window[0] <= 65536 / pooling.window[1],
           "expected a window of at most 65536 elements, ", "got ", pooling.window[0], " x ",
           pooling.window[1], ". Hint: max() reduces whole axes");
  Tensor dense = contiguous(x.detach()), y = pooling.empty_output();
  Tensor winners;
  auto args = pooling.args<PydlPoolArgs>();
  args.x = dense.data();
  args.y = y.data();
  if (needs_grad(x)) {
    winners = Tensor::empty({2 * y.count()}, DType::uint8, op.device());  // two bytes each
    args.winners = winners.data_as<uint16_t>();
  }
  if (y.count() > 0) op.launch(&PydlKernelTable::max_pool_forward, args);
  if (needs_grad(x))
    record(op.name(), {&y}, {&x}, [pooling, winners](Backward& b) {
      b.give(0, max_pool_backward(pooling, winners, b.grad()));
    });
  return y;
}

using Forward = Tensor (*)(const Pooling& pooling, const Tensor& x);

Tensor pool(const char* name, Forward forward, const Tensor& x, const Dims& pool_size,
            const Dims& strides, const Padding& padding, bool channels_first) {
  Op op(name, x);
  if (!channels_first || x.rank() < 3) return forward(plan(op, x, pool_size, strides, padding), x);
  bool image = x.rank() == 4;
  Tensor last = permute(x, image ? Dims{0, 2, 3, 1} : Dims{0, 2, 1});
  Tensor y = forward(plan(op, last, pool_size, strides, padding), last);
  return permute(y, image ? Dims{0, 3, 1, 2} : Dims{0, 2, 1});
}

}  // namespace

Tensor max_pool(const Tensor& x, const Dims& pool_size, const Dims& strides, const Padding& padding,
                bool channels_first) {
  if (x.rank() == 5)
    return pool_volumes("max_pool", max_pool, x, pool_size, strides, padding, channels_first);
  return pool("max_pool", max_pool_forward, x, pool_size, strides, padding, channels_first);
}

Tensor average_pool(const Tensor& x, const Dims& pool_size, const Dims& strides,
                    const Padding& padding, bool channels_first) {
  if (x.rank() == 5)
    return pool_volumes("average_pool", average_pool, x, pool_size, strides, padding, channels_first);
  return pool("average_pool", average_pool_forward, x, pool_size, strides, padding, channels_first);
}

namespace {

Dims spatial_axes(const Op& op, const Tensor& x, bool channels_first) {
  op.check_floating(x);
  op.check<ShapeError>(x.rank() >= 3,
                       "expected (batch, ..., channels) with at least 3 dimensions, got shape ",
                       x.shape());
  Dims axes;
  for (int i = 1; i < x.rank() - 1; ++i) axes.push_back(channels_first ? i + 1 : i);
  return axes;
}

}  // namespace

Tensor global_max_pool(const Tensor& x, bool channels_first, bool keepdims) {
  Op op("global_max_pool", x);
  return max(x, spatial_axes(op, x, channels_first), keepdims);
}

Tensor global_average_pool(const Tensor& x, bool channels_first, bool keepdims) {
  Op op("global_average_pool", x);
  return mean(x, spatial_axes(op, x, channels_first), keepdims);
}

}  // namespace pydl
