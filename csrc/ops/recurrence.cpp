#include "ops/recurrence.h"

namespace pydl {
namespace {

void check_shapes(const Op& op, const Recurrence& r, int gates, int states,
                  const Dims& bias_shape) {
  op.check<ShapeError>(r.x.rank() == 3, "expected x of shape (batch, steps, features), got ",
                       r.x.shape());
  op.check<ShapeError>(r.recurrent_kernel.rank() == 2 &&
                           r.recurrent_kernel.size(1) == gates * r.recurrent_kernel.size(0),
                       "expected a recurrent kernel of shape (units, ", gates, " * units), got ",
                       r.recurrent_kernel.shape());
  Dims kernel = {r.x.size(2), r.recurrent_kernel.size(1)};
  op.check<ShapeError>(r.kernel.shape() == kernel, "expected a kernel of shape ", kernel,
                       " for x of shape ", r.x.shape(), " and a recurrent kernel of shape ",
                       r.recurrent_kernel.shape(), ", got ", r.kernel.shape());
  op.check<ShapeError>(!r.bias.defined() || r.bias.shape() == bias_shape,
                       "expected a bias of shape ", bias_shape, ", got ",
                       r.bias.defined() ? r.bias.shape() : Dims());
  op.check(r.states.empty() || static_cast<int>(r.states.size()) == states, "expected ", states,
           " initial states, got ", r.states.size());
  Dims state = {r.x.size(0), r.recurrent_kernel.size(0)}, mask = {r.x.size(0), r.x.size(1)};
  for (const Tensor& each : r.states)
    op.check<ShapeError>(each.shape() == state, "expected initial states of shape ", state,
                         ", got ", each.shape());
  op.check<ShapeError>(!r.mask.defined() || r.mask.shape() == mask,
                       "expected a mask of shape (batch, steps) = ", mask, ", got ",
                       r.mask.defined() ? r.mask.shape() : Dims());
}

}  // namespace

Recurrence prepared(const Op& op, const Recurrence& inputs, int gates, int states,
                    const Dims& bias_shape) {
  check_shapes(op, inputs, gates, states, bias_shape);
  Recurrence r = inputs;
  DType dtype = DType::float32;
  std::vector<Tensor*> floating = {&r.x, &r.kernel, &r.recurrent_kernel};
  if (r.bias.defined()) floating.push_back(&r.bias);
  for (Tensor& state : r.states) floating.push_back(&state);
  for (const Tensor* each : floating) {
    op.check_floating(*each);
    if (each->dtype() == DType::float64) dtype = DType::float64;
  }
  for (Tensor* each : floating) *each = cast(*each, dtype);
  Dims state = {r.x.size(0), r.recurrent_kernel.size(0)};
  while (static_cast<int>(r.states.size()) < states)
    r.states.push_back(full(state, 0, dtype, op.device()));
  if (r.mask.defined()) r.mask = cast(r.mask.detach(), DType::boolean);
  if (r.go_backwards) {
    r.x = flip(r.x, Dims{1});
    if (r.mask.defined()) r.mask = flip(r.mask, Dims{1});
  }
  r.x = contiguous(r.x);
  if (r.mask.defined()) r.mask = contiguous(r.mask);
  return r;
}

PydlSequence sequence_args(const Recurrence& r) {
  PydlSequence s = {};
  s.dtype = static_cast<PydlDType>(r.x.dtype());
  s.batch = r.x.size(0);
  s.steps = r.x.size(1);
  s.units = r.recurrent_kernel.size(0);
  s.recurrent_kernel = r.recurrent_kernel.data();
  s.mask = r.mask.defined() ? r.mask.data_as<uint8_t>() : nullptr;
  return s;
}

Tensor last_state(const Tensor& sequence, const Tensor& initial) {
  int64_t steps = sequence.size(1);
  if (steps == 0) return copy(initial);
  Dims count = sequence.shape();
  count[1] = 1;
  return copy(reshape(slice(sequence, {0, steps - 1, 0}, count, {1, 1, 1}), initial.shape()));
}

Tensor previous_rows(const Tensor& hidden, const Tensor& initial) {
  Dims count = hidden.shape();
  if (count[1] == 0) return as_rows(hidden);
  --count[1];
  Tensor earlier = slice(hidden, {0, 0, 0}, count, {1, 1, 1});
  return as_rows(concatenate({expand_dims(initial, {1}), earlier}, 1));
}

std::vector<Tensor> kernel_gradients(const Recurrence& r, const Tensor& hidden,
                                     const Tensor& gates) {
  int64_t batch = r.x.size(0), steps = r.x.size(1), features = r.x.size(2), units = hidden.size(2);
  Tensor rows = Tensor::empty({batch, steps, features + units}, r.x.dtype(), r.x.device());
  auto part = [&](int64_t step, int64_t column, int64_t count, int64_t width) {
    return slice_view(rows, {0, step, column}, {batch, count, width}, {1, 1, 1});
  };
  if (rows.count() > 0) {
    assign(part(0, 0, steps, features), r.x);
    assign(part(0, features, 1, units), expand_dims(r.states[0], {1}));
    if (steps > 1)
      assign(part(1, features, steps - 1, units),
             slice_view(hidden, {0, 0, 0}, {batch, steps - 1, units}, {1, 1, 1}));
  }
  return split(matmul(swap_last(as_rows(rows)), as_rows(gates)), {features, units}, 0);
}

Tensor sum_of_rows(const Tensor& x, DType dtype) {
  Tensor rows = as_rows(x);
  return gradient_for(rows, {rows.size(1)}, dtype);
}

}  // namespace pydl
