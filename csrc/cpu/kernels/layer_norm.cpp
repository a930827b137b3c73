#include <math.h>

#include "cpu/norm_parameters.h"
#include "cpu/rows.h"
#include "cpu/simd/dtype.h"
#include "pydl/kernels/norm.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kGrainElements = 1 << 13;  // fewer are not worth waking a thread for

int64_t row_grain(int64_t columns) { return columns > 0 ? kGrainElements / columns + 1 : 1; }

// The row stays in the first cache between the passes over it, unless it is very long.
template <class S, class T = Compute<S>>
void forward_row(const PydlLayerNormArgs& args, int64_t row, const T* gamma, const T* beta) {
  const int64_t n = args.columns;
  const S* x = static_cast<const S*>(args.x) + row * n;
  S* y = static_cast<S*>(args.y) + row * n;
  T mean = 0;
  if (!args.rms) {
    const auto value = [&](int64_t i, auto... count) { return load(ask_after(x + i), count...); };
    mean = sum_vectors<T>(n, value) / n;
    static_cast<T*>(args.mean)[row] = mean;
  }
  const T squares = sum_vectors<T>(n, [&](int64_t i, auto... count) {
    const Vec<T> centred = keep(load(ask_after(x + i), count...) - mean, count...);
    return centred * centred;
  });
  const T inverse_std = 1 / ::sqrt(squares / n + static_cast<T>(args.epsilon));
  static_cast<T*>(args.inverse_std)[row] = inverse_std;
  for_each_vector<T>(n, [&](int64_t i, auto... count) {
    const Vec<T> normal = (load(x + i, count...) - mean) * inverse_std;
    store(fma(normal, load(gamma + i, count...), load(beta + i, count...)), y + i, count...);
  });
}

// With x^ the normalised row and g = dy gamma: dx = inverse_std (g - mean(g) - x^ mean(g x^)).
// Adds dy x^ and dy to `dgamma` and `dbeta`.
template <class S, class T = Compute<S>>
void backward_row(const PydlLayerNormBackwardArgs& args, int64_t row, const T* gamma, T* dgamma,
                  T* dbeta) {
  const int64_t n = args.columns;
  const S* x = static_cast<const S*>(args.x) + row * n;
  const S* dy = static_cast<const S*>(args.dy) + row * n;
  const T mean = args.rms ? 0 : static_cast<const T*>(args.mean)[row];
  const T inverse_std = static_cast<const T*>(args.inverse_std)[row];
  Vec<T> sum(T(0)), product(T(0));
  for_each_vector<T>(n, [&](int64_t i, auto... count) {
    const Vec<T> normal = (load(ask_after(x + i), count...) - mean) * inverse_std;
    const Vec<T> d = load(ask_after(dy + i), count...), g = d * load(gamma + i, count...);
    store(fma(d, normal, load(dgamma + i, count...)), dgamma + i, count...);
    store(d + load(dbeta + i, count...), dbeta + i, count...);
    sum += g;
    product = fma(g, normal, product);
  });
  if (!args.dx) return;
  S* dx = static_cast<S*>(args.dx) + row * n;
  const T g_mean = args.rms ? 0 : reduce_add(sum) / n, slope = reduce_add(product) / n;
  for_each_vector<T>(n, [&](int64_t i, auto... count) {
    const Vec<T> normal = (load(x + i, count...) - mean) * inverse_std;
    const Vec<T> g = load(dy + i, count...) * load(gamma + i, count...);
    store((g - g_mean - normal * slope) * inverse_std, dx + i, count...);
  });
}

template <class S>
PydlStatus forward(const PydlContext* context, const PydlLayerNormArgs& args) {
  using T = Compute<S>;
  const Parameter<T> gamma(context, args.gamma, args.columns, 1),
      beta(context, args.beta, args.columns, 0);
  if (!gamma || !beta) return PYDL_ERROR_MEMORY;
  parallel_for(context, args.rows, row_grain(args.columns), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      forward_row<S>(args, row, gamma.data(), beta.data());
    }
  });
  return PYDL_OK;
}

template <class S>
PydlStatus backward(const PydlContext* context, const PydlLayerNormBackwardArgs& args) {
  using T = Compute<S>;
  const Parts parts(args.rows, 16, 64);
  const Parameter<T> gamma(context, args.gamma, args.columns, 1);
  const Scratch<T> sums(context, 2 * parts.count * args.columns);
  if (!gamma || !sums) return PYDL_ERROR_MEMORY;
  const int64_t grain = row_grain(args.columns * parts.longest());
  parallel_for(context, parts.count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      T* dgamma = sums.data() + 2 * part * args.columns;
      for (int64_t i = 0; i < 2 * args.columns; ++i) dgamma[i] = 0;
      for (int64_t row = parts.begin(part); row < parts.begin(part + 1); ++row) {
        backward_row<S>(args, row, gamma.data(), dgamma, dgamma + args.columns);
      }
    }
  });
  add_parts(sums.data(), parts.count, 2 * args.columns, args.columns, static_cast<T*>(args.dgamma));
  add_parts(sums.data() + args.columns, parts.count, 2 * args.columns, args.columns,
            static_cast<T*>(args.dbeta));
  return PYDL_OK;
}

}  // namespace

PydlStatus layer_norm_forward(const PydlContext* context, const PydlLayerNormArgs* args) {
  return visit_floating(context, args->rms ? "rms_norm" : "layer_norm", args->dtype,
                        [&](auto zero) { return forward<decltype(zero)>(context, *args); });
}

PydlStatus layer_norm_backward(const PydlContext* context, const PydlLayerNormBackwardArgs* args) {
  return visit_floating(context, args->rms ? "rms_norm" : "layer_norm", args->dtype,
                        [&](auto zero) { return backward<decltype(zero)>(context, *args); });
}

}  // namespace pydl::cpu::PYDL_ISA
