#include "ops/attention.h"

#include <cmath>

#include "autograd/engine.h"
#include "ops/elementwise_plan.h"
#include "ops/op.h"
#include "ops/ops.h"

namespace pydl {
namespace {

constexpr const char* kName = "scaled_dot_product_attention";
constexpr int64_t kDropoutGroup = 2 * PYDL_RANDOM_WORDS;  // keys that one group of words decides on

// What remains of the options once the inputs are known.
struct Attention {
  double scale;
  bool causal;
  double dropout;
  PydlRandomState random;
};

DType computed_dtype(DType dtype) { return dtype == DType::float64 ? dtype : DType::float32; }

// --- as separate ops, which can be differentiated any number of times
// ----------------------------------

// Which scores count, bool and broadcastable to (batch, heads, queries, keys); undefined for all.
Tensor allowed_scores(const Tensor& mask, bool causal, int64_t queries, int64_t keys,
                      Device device) {
  Tensor allowed;
  if (causal) allowed = tril(full({queries, keys}, 1, DType::boolean, device));
  if (!mask.defined()) return allowed;
  Tensor open = mask.detach();
  if (mask.dtype() != DType::boolean)
    open = greater(open, constant(-INFINITY, mask));
  return allowed.defined() ? logical_and(allowed, open) : open;
}

// What dropout multiplies weights by: the factors that the kernels make.
Tensor dropout_factors(const Attention& a, const Dims& shape, DType dtype, Device device) {
  Dims padded = shape;
  padded.back() = (shape.back() + kDropoutGroup - 1) / kDropoutGroup * kDropoutGroup;
  Tensor factors = dropout(full(padded, 1, dtype, device), a.dropout, a.random);
  return slice(factors, Dims::filled(4, 0), shape, Dims::filled(4, 1));
}

Tensor attention_by_ops(const Attention& a, const Tensor& query, const Tensor& key,
                        const Tensor& value, const Tensor& mask) {
  int64_t batch = query.size(0), queries = query.size(1), heads = query.size(2), keys = key.size(1);
  int64_t key_heads = key.size(2), group = heads / key_heads;
  DType dtype = computed_dtype(query.dtype());
  auto split = [&](const Tensor& x) {  // to (batch, key heads, heads of a group or 1, length, size)
    Tensor parts =
        reshape(cast(x, dtype), {batch, x.size(1), key_heads, x.size(2) / key_heads, x.size(3)});
    return permute(parts, {0, 2, 3, 1, 4});
  };
  auto constant = [&](double value) { return full({}, value, dtype, query.device()); };

  Dims shape = {batch, heads, queries, keys};
  Tensor scores =
      reshape(matmul(multiply(split(query), constant(a.scale)), swap_last(split(key))), shape);
  Tensor allowed = allowed_scores(mask, a.causal, queries, keys, query.device());
  if (mask.defined() && mask.dtype() != DType::boolean)
    scores = add(scores, where(greater(mask.detach(), constant(-INFINITY)), mask, constant(0)));
  // A large finite number keeps rows in which nothing is allowed free of NaN.
  if (allowed.defined()) scores = where(allowed, scores, constant(-1e30));
  Tensor weights = softmax(scores);
  if (allowed.defined()) weights = where(allowed, weights, constant(0));
  if (a.dropout > 0) weights = multiply(weights, dropout_factors(a, shape, dtype, query.device()));
  Tensor out = matmul(reshape(weights, {batch, key_heads, group, queries, keys}), split(value));
  Tensor merged = reshape(permute(out, {0, 3, 1, 2, 4}), {batch, queries, heads, value.size(3)});
  return cast(merged, query.dtype());
}

// --- as one kernel
// -------------------------------------------------------------------------------------

// Kernels take any strides but those of the last axis.
Tensor with_dense_rows(const Tensor& x) {
  return x.strides()[3] == 1 || x.size(3) == 1 ? x : contiguous(x);
}

void copy_strides(const Tensor& x, int64_t* strides) {
  std::copy(x.strides().begin(), x.strides().begin() + 3, strides);
}

PydlAttentionGeometry geometry(const Attention& a, const Tensor& query, const Tensor& key,
                               const Tensor& value, const Tensor& mask) {
  PydlAttentionGeometry g = {};
  g.batch = query.size(0);
  g.queries = query.size(1);
  g.heads = query.size(2);
  g.head_size = query.size(3);
  g.keys = key.size(1);
  g.key_heads = key.size(2);
  g.value_size = value.size(3);
  g.scale = a.scale;
  g.causal = a.causal;
  g.dropout_rate = a.dropout;
  g.random = a.random;
  if (mask.defined()) {
    Dims strides = broadcast_strides(mask, {g.batch, g.heads, g.queries, g.keys});
    g.mask = mask.data();
    g.mask_dtype = static_cast<PydlDType>(mask.dtype());
    std::copy(strides.begin(), strides.end(), g.mask_strides);
  }
  return g;
}

struct Gradients {
  Tensor query, key, value;
};

// What forward keeps for backward. The mask is in the dtype that kernels take and needs no
// gradient.
struct AttentionBackward {
  Attention attention;
  Saved query, key, value, mask;
  SavedOutput out;
  Tensor log_sums;

  Gradients by_kernel(const Tensor& query, const Tensor& key, const Tensor& value,
                      const Tensor& mask, const Tensor& out, const Tensor& dy) const {
    Op op(kName, query, key, value, dy);
    Tensor q = with_dense_rows(query), k = with_dense_rows(key), v = with_dense_rows(value);
    Tensor d = with_dense_rows(dy);
    auto like = [&](const Tensor& x) { return Tensor::empty(x.shape(), x.dtype(), op.device()); };
    Gradients result = {like(q), like(k), like(v)};
    PydlAttentionBackwardArgs args = {};
    args.dtype = static_cast<PydlDType>(q.dtype());
    args.geometry = geometry(attention, q, k, v, mask);
    args.query = q.data();
    args.key = k.data();
    args.value = v.data();
    copy_strides(q, args.query_strides);
    copy_strides(k, args.key_strides);
    copy_strides(v, args.value_strides);
    args.out = out.data();
    args.log_sums = log_sums.data();
    args.out_gradient = d.data();
    copy_strides(d, args.out_gradient_strides);
    args.query_gradient = result.query.data();
    args.key_gradient = result.key.data();
    args.value_gradient = result.value.data();
    op.launch(&PydlKernelTable::attention_backward, args);
    return result;
  }

  Gradients by_ops(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& mask,
                   const Tensor& dy) const {
    // Through new nodes, so that a gradient does not also flow through what one input shares with
    // another.
    auto entry = [](const Tensor& x) { return reshape(x, x.shape()); };
    std::vector<Tensor> inputs = {entry(query), entry(key), entry(value)};
    std::vector<Tensor> wanted;
    for (const Tensor& input : inputs)
      if (requires_grad(input)) wanted.push_back(input);
    Tensor out = attention_by_ops(attention, inputs[0], inputs[1], inputs[2], mask);
    std::vector<Tensor> given = grad({out}, wanted, {dy}, true, true, false);
    Tensor* results[3];
    Gradients gradients;
    results[0] = &gradients.query;
    results[1] = &gradients.key;
    results[2] = &gradients.value;
    for (size_t i = 0, next = 0; i < 3; ++i)
      if (requires_grad(inputs[i])) *results[i] = given[next++];
    return gradients;
  }

  void operator()(Backward& b) {
    const Tensor &q = b[query], &k = b[key], &v = b[value], &m = b[mask], &dy = b.grad();
    Gradients gradients =
        grad_enabled() ? by_ops(q, k, v, m, dy) : by_kernel(q, k, v, m, b[out], dy);
    if (b.needs(0)) b.give(0, gradients.query);
    if (b.needs(1)) b.give(1, gradients.key);
    if (b.needs(2)) b.give(2, gradients.value);
  }
};

Tensor attention_by_kernel(const Op& op, const Attention& a, const Tensor& query, const Tensor& key,
                           const Tensor& value, const Tensor& mask) {
  Tensor q = with_dense_rows(query.detach()), k = with_dense_rows(key.detach());
  Tensor v = with_dense_rows(value.detach());
  Dims shape = query.shape();
  shape.back() = value.size(3);
  Tensor out = Tensor::empty(shape, query.dtype(), op.device());
  Tensor log_sums = Tensor::empty({query.size(0), query.size(2), query.size(1)},
                                  computed_dtype(query.dtype()), op.device());
  PydlAttentionArgs args = {};
  args.dtype = static_cast<PydlDType>(query.dtype());
  args.geometry = geometry(a, q, k, v, mask);
  args.query = q.data();
  args.key = k.data();
  args.value = v.data();
  copy_strides(q, args.query_strides);
  copy_strides(k, args.key_strides);
  copy_strides(v, args.value_strides);
  args.out = out.data();
  args.log_sums = log_sums.data();
  op.launch(&PydlKernelTable::attention_forward, args);
  if (needs_grad(query, key, value))
    record(kName, {&out}, {&query, &key, &value},
           AttentionBackward{a, query, key, value, mask, SavedOutput(out), log_sums});
  return out;
}

void check_operands(const Op& op, const Tensor& q, const Tensor& k, const Tensor& v) {
  op.check_floating(q);
  op.check_floating(k);
  op.check_floating(v);
  op.check<ShapeError>(
      q.rank() == 4 && k.rank() == 4 && v.rank() == 4,
      "expected (batch, length, heads, head_size) for query, key and value, got shapes ", q.shape(),
      ", ", k.shape(), " and ", v.shape());
  op.check<ShapeError>(q.size(0) == k.size(0) && k.size(0) == v.size(0),
                       "expected one batch size, got ", "query ", q.shape(), ", key ", k.shape(),
                       " and value ", v.shape());
  op.check<ShapeError>(k.size(1) == v.size(1) && k.size(2) == v.size(2),
                       "expected key and value of one ", "length and number of heads, got shapes ",
                       k.shape(), " and ", v.shape());
  op.check<ShapeError>(q.size(3) == k.size(3),
                       "expected query and key of one head_size, got shapes ", q.shape(), " and ",
                       k.shape());
  op.check<ShapeError>(k.size(2) > 0 && q.size(2) % k.size(2) == 0,
                       "expected a number of key heads that ", "divides the ", q.size(2),
                       " query heads, got ", k.size(2));
}

void check_mask(const Op& op, const Tensor& mask, const Dims& scores) {
  op.check<DTypeError>(mask.dtype() == DType::boolean || is_floating(mask.dtype()),
                       "expected a mask of bool or a floating dtype, got ", mask.dtype(),
                       ". Hint: cast it to bool");
  bool fits = mask.rank() <= 4;
  for (int i = 0; fits && i < mask.rank(); ++i) {
    int64_t extent = mask.size(mask.rank() - 1 - i);
    fits = extent == 1 || extent == scores[3 - i];
  }
  op.check<ShapeError>(fits, "expected a mask that broadcasts to (batch, heads, queries, keys) = ",
                       scores, ", got ", mask.shape());
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const Tensor& mask_in, const AttentionOptions& options,
                                    Generator& generator) {
  Op op(kName, query, key, value, mask_in);
  check_operands(op, query, key, value);
  op.check(options.dropout >= 0 && options.dropout < 1, "expected dropout in [0, 1), got ",
           options.dropout);
  Dims scores = {query.size(0), query.size(2), query.size(1), key.size(1)};
  DType dtype = promote(promote(query.dtype(), key.dtype()), value.dtype());
  Tensor mask = mask_in;
  if (mask.defined()) {
    check_mask(op, mask, scores);
    if (mask.dtype() == DType::float64) dtype = DType::float64;
    if (mask.dtype() != DType::boolean) mask = cast(mask, computed_dtype(dtype));
  }
  Tensor q = cast(query, dtype), k = cast(key, dtype), v = cast(value, dtype);

  Attention a = {
      options.scale.value_or(1 / std::sqrt(static_cast<double>(std::max<int64_t>(q.size(3), 1)))),
      options.causal,
      options.dropout,
      {}};
  if (a.dropout > 0) {
    int64_t groups = (scores[3] + kDropoutGroup - 1) / kDropoutGroup;
    a.random = generator.take(scores[0] * scores[1] * scores[2] * groups * PYDL_RANDOM_WORDS);
  }
  return needs_grad(mask) ? attention_by_ops(a, q, k, v, mask)
                          : attention_by_kernel(op, a, q, k, v, mask);
}

}  // namespace pydl
