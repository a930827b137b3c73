#include "ops/random.h"

#include <cmath>

#include "ops/op.h"
#include "ops/ops.h"

namespace pydl {
namespace {

constexpr int64_t kMaxCount = int64_t{1} << 60;  // so that counts of words do not overflow

// Kernels make float32 and float64; 16-bit floats are rounded from the former.
DType generated(const Op& op, DType dtype) {
  op.check<DTypeError>(is_floating(dtype), "expected a floating dtype, got ", dtype);
  return dtype == DType::float64 ? DType::float64 : DType::float32;
}

int64_t words_for(int64_t count, DType dtype) {
  if (count > kMaxCount)
    fail<ValueError>("[random] expected fewer than 2^60 elements, got ", count);
  return dtype == DType::float32 ? count : 2 * count;
}

Tensor normal_values(const Op& op, const Dims& shape, double mean, double stddev, DType dtype,
                     Generator& generator, bool truncated) {
  op.check(stddev >= 0, "expected a stddev of at least 0, got ", stddev);
  Tensor out = Tensor::empty(shape, generated(op, dtype), op.device());
  PydlNormalArgs args = {};
  args.state = generator.take(words_for(out.count(), out.dtype()));
  args.dtype = static_cast<PydlDType>(out.dtype());
  args.count = out.count();
  args.out = out.data();
  args.mean = mean;
  args.stddev = stddev;
  args.truncated = truncated;
  op.launch(&PydlKernelTable::normal, args);
  return cast(out, dtype);
}

// The largest number of a 16-bit dtype below `bound`.
Tensor largest_below(double bound, DType dtype) {
  Tensor bounds[2] = {full({}, bound, dtype), full({}, bound, DType::float64)};
  Tensor rounded_up = greater_equal(cast(bounds[0], DType::float64), bounds[1]);
  if (*rounded_up.data_as<bool>()) {
    uint16_t& bits = *bounds[0].data_as<uint16_t>();
    bits = bits == 0 ? 0x8001 : bits & 0x8000 ? bits + 1 : bits - 1;
  }
  return bounds[0];
}

}  // namespace

Tensor uniform(const Dims& shape, double low, double high, DType dtype, Generator& generator) {
  Op op("uniform", default_device());
  op.check(low <= high && std::isfinite(high - low), "expected finite minval <= maxval, got ", low,
           " and ", high);
  Tensor out = Tensor::empty(shape, generated(op, dtype), op.device());
  PydlUniformArgs args = {};
  args.state = generator.take(words_for(out.count(), out.dtype()));
  args.dtype = static_cast<PydlDType>(out.dtype());
  args.count = out.count();
  args.out = out.data();
  args.low = low;
  args.high = high;
  op.launch(&PydlKernelTable::uniform, args);
  if (dtype == out.dtype() || low == high) return cast(out, dtype);
  // which rounding may reach
  return minimum(cast(out, dtype), to_device(largest_below(high, dtype), op.device()));
}

Tensor normal(const Dims& shape, double mean, double stddev, DType dtype, Generator& generator) {
  Op op("normal", default_device());
  return normal_values(op, shape, mean, stddev, dtype, generator, false);
}

Tensor truncated_normal(const Dims& shape, double mean, double stddev, DType dtype,
                        Generator& generator) {
  Op op("truncated_normal", default_device());
  return normal_values(op, shape, mean, stddev, dtype, generator, true);
}

Tensor randint(const Dims& shape, int64_t low, int64_t high, DType dtype, Generator& generator) {
  Op op("randint", default_device());
  op.check(low < high, "expected minval < maxval, got ", low, " and ", high);
  op.check<DTypeError>(is_integer(dtype), "expected an integer dtype, got ", dtype);
  int bits = 8 * static_cast<int>(item_size(dtype));
  bool is_unsigned = dtype == DType::uint8;
  int64_t least = is_unsigned ? 0 : -(int64_t{1} << (bits - 2)) * 2;
  int64_t most = is_unsigned ? 255 : -(least + 1);
  op.check(low >= least && high - 1 <= most, "expected numbers that fit ", dtype,
           ", got the range [", low, ", ", high, ")");
  DType wide = dtype == DType::int64 ? DType::int64 : DType::int32;
  Tensor out = Tensor::empty(shape, wide, op.device());
  PydlRandintArgs args = {};
  args.state = generator.take(words_for(out.count(), dtype));
  args.dtype = static_cast<PydlDType>(out.dtype());
  args.count = out.count();
  args.out = out.data();
  args.low = low;
  args.range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  op.launch(&PydlKernelTable::randint, args);
  return cast(out, dtype);
}

Tensor bernoulli(const Dims& shape, double probability, DType dtype, Generator& generator) {
  Op op("bernoulli", default_device());
  op.check(probability >= 0 && probability <= 1, "expected a probability in [0, 1], got ",
           probability);
  Tensor out = Tensor::empty(shape, DType::boolean, op.device());
  PydlRandomState state = generator.take(words_for(out.count(), DType::float32));
  op.launch(&PydlKernelTable::bernoulli,
            PydlBernoulliArgs{state, out.count(), out.data_as<uint8_t>(), probability});
  return cast(out, dtype);
}

Tensor permutation(int64_t count, Generator& generator) {
  Op op("permutation", default_device());
  op.check(count >= 0, "expected a count of at least 0, got ", count);
  Tensor out = Tensor::empty({count}, DType::int64, op.device());
  PydlRandomState state = generator.take(words_for(count, DType::int64));
  op.launch(&PydlKernelTable::permutation,
            PydlPermutationArgs{state, count, out.data_as<int64_t>()});
  return out;
}

Tensor categorical(const Tensor& logits, int64_t samples, DType dtype, Generator& generator) {
  Op op("categorical", logits);
  op.check<ShapeError>(logits.rank() == 2, "expected logits of shape (rows, classes), got shape ",
                       logits.shape());
  op.check<DTypeError>(is_integer(dtype), "expected an integer dtype, got ", dtype);
  op.check(samples >= 0, "expected a number of samples of at least 0, got ", samples);
  Tensor rows = contiguous(cast(logits.detach(), generated(op, logits.dtype())));
  int64_t count = logits.size(0), classes = logits.size(1);
  Tensor out = Tensor::empty({count, samples}, DType::int64, op.device());
  if (out.count() == 0) return cast(out, dtype);
  op.check<ShapeError>(classes > 0, "expected at least one class, got shape ", logits.shape());
  PydlRandomState state = generator.take(words_for(out.count(), DType::int64));
  op.launch(&PydlKernelTable::categorical,
            PydlCategoricalArgs{state, static_cast<PydlDType>(rows.dtype()), count, classes,
                                samples, rows.data(), out.data_as<int64_t>()});
  return cast(out, dtype);
}

// With the same state this is a linear function of x, so it is its own gradient.
Tensor dropout(const Tensor& x, double rate, PydlRandomState state) {
  Op op("dropout", x);
  Tensor dense = contiguous(x.detach());
  Tensor y = Tensor::empty(x.shape(), x.dtype(), op.device());
  op.launch(&PydlKernelTable::dropout, PydlDropoutArgs{state, static_cast<PydlDType>(x.dtype()),
                                                       x.count(), dense.data(), y.data(), rate});
  if (needs_grad(x))
    record("dropout", {&y}, {&x},
           [rate, state](Backward& b) { b.give(0, dropout(b.grad(), rate, state)); });
  return y;
}

Tensor dropout(const Tensor& x, double rate, Generator& generator) {
  if (!is_floating(x.dtype()))
    fail<DTypeError>("[dropout] expected a floating dtype, got ", x.dtype());
  if (!(rate >= 0 && rate <= 1))
    fail<ValueError>("[dropout] expected a rate in [0, 1], got ", rate);
  return dropout(x, rate, generator.take(x.count() / 2 + 1));
}

}  // namespace pydl
