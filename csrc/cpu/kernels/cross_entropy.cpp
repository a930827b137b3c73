// Cross entropy of rows of logits (softmax fused in) or probabilities.
#include <stdio.h>

#include "cpu/elementwise.h"
#include "cpu/lanes.h"
#include "cpu/row_normalizers.h"
#include "pydl/kernels/loss.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kGrain = 4096;  // elements that make a thread worth waking

// What a row should be: `off` everywhere and `on` more at one class.
template <class T>
struct ClassTarget {
  using Item = T;
  using C = Compute<T>;
  using V = Vec<C>;
  C on, off;
  int64_t label;

  V at(int64_t i, int64_t) const {
    const int64_t lane = label - i;
    if (lane < 0 || lane >= V::size) return V(off);
    const int n = static_cast<int>(lane);
    return select(first_lanes<C>(n + 1) ^ first_lanes<C>(n), V(on + off), off);
  }
  C total(int64_t columns) const { return on + off * static_cast<C>(columns); }
};

// What a row should be: keep * labels + off.
template <class T>
struct DenseTarget {
  using Item = T;
  using C = Compute<T>;
  using V = Vec<C>;
  C keep, off;
  const T* labels;

  V at(int64_t i, int64_t end) const { return fma(Lanes<T>(labels, i, end).get(), V(keep), off); }
  C total(int64_t columns) const {
    V sums(0);
    for (int64_t i = 0; i < columns; i += V::size) sums += Lanes<T>(labels, i, columns).get();
    return keep * reduce_add(sums) + off * static_cast<C>(columns);
  }
};

// The sum over the columns of target * values(i). A target of 0 counts nothing, even if the value is
// infinite.
template <class Target, class Values>
inline auto weighted_sum(const Target& target, int64_t columns, Values&& values) {
  using V = typename Target::V;
  using C = typename Target::C;
  if constexpr (std::is_same_v<Target, ClassTarget<typename Target::Item>>) {
    if (target.off == 0) {
      const int64_t lane = target.label % V::size;
      return target.on * values(target.label - lane)[static_cast<int>(lane)];
    }
  }
  V sums(0);
  for (int64_t i = 0; i < columns; i += V::size) {
    const V t = target.at(i, columns);
    const V term = select(t == V(0), V(0), t * values(i));
    const int64_t rest = columns - i;
    sums += rest < V::size ? select(first_lanes<C>(static_cast<int>(rest)), term, 0) : term;
  }
  return reduce_add(sums);
}

template <class T>
Compute<T> sum_of(const T* x, int64_t columns) {
  using V = Vec<Compute<T>>;
  V sums(0);
  for (int64_t i = 0; i < columns; i += V::size) sums += Lanes<T>(x, i, columns).get();
  return reduce_add(sums);
}

template <class T, class Target>
Compute<T> loss_of_logits(const T* x, int64_t columns, const Target& target, Compute<T> top,
                          Compute<T> log_sum) {
  using V = Vec<Compute<T>>;
  if constexpr (std::is_same_v<Target, ClassTarget<T>>) {
    if (target.off == 0) return target.on * ((top - to_compute(x[target.label])) + log_sum);
  }
  return weighted_sum(target, columns, [&](int64_t i) {
    return (V(top) - Lanes<T>(x, i, columns).get()) + V(log_sum);
  });
}

// For the columns [begin, end); dx holds those only.
// Inlined, or every short row would load the constants of exp again.
template <class T, class Target>
__attribute__((always_inline)) inline void gradient_of_logits(
    const T* x, int64_t begin, int64_t end, const Target& target, Compute<T> target_total,
    Compute<T> top, Compute<T> log_sum, Compute<T> dloss, T* dx) {
  using V = Vec<Compute<T>>;
  const V total(target_total), scale(dloss);
  for (int64_t i = begin; i < end; i += V::size) {
    const V p = exp_up_to_0(ahead(x, i, end).get() - V(top) - V(log_sum));
    Lanes<T>(dx, i - begin, end - begin).set(scale * (p * total - target.at(i, end)));
  }
}

// The same from the exponentials that the sum of the row was made of.
template <class T, class Target>
void gradient_of_exponentials(const RowExponentials<T>& row, int64_t begin, int64_t end,
                              const Target& target, Compute<T> dloss, T* dx) {
  using V = Vec<Compute<T>>;
  const V scale(dloss);
  for (int64_t i = begin; i < end;) {
    const int64_t piece = i / kPiece, next = (piece + 1) * kPiece, last = next < end ? next : end;
    const V factor(row.factors[piece]);
    for (; i < last; i += V::size) {
      const V e = Lanes<Compute<T>>(row.values, i, last).get();
      Lanes<T>(dx, i - begin, last - begin).set(scale * fma(e, factor, -target.at(i, last)));
    }
    i = last;
  }
}

// Either past the caches, which would have to read what is overwritten and not keep it either.
template <class T, class Gradient>
void stream_row(T* dx, int64_t columns, Gradient&& gradient) {
  alignas(64) T block[kPiece];
  // All pieces but the first begin where a register does: what streams cannot write costs a read.
  const int64_t skew = reinterpret_cast<uintptr_t>(dx) % isa::kVectorBytes / sizeof(T);
  for (int64_t begin = 0, next = kPiece - skew; begin < columns; begin = next, next += kPiece) {
    const int64_t end = next < columns ? next : columns;
    gradient(begin, end, block);
    stream_bytes(reinterpret_cast<const char*>(block), reinterpret_cast<char*>(dx + begin),
                 (end - begin) * sizeof(T));
  }
  isa::stream_fence();
}

// Rows of the gradient of logits.
template <class T>
struct LogitGradient {
  const T* scores;
  T* dscores;
  Normalizers<T> normalizers;
  int64_t columns;
  bool streams;

  template <class Args>
  explicit LogitGradient(const Args& args)
      : scores(static_cast<const T*>(args.scores)),
        dscores(static_cast<T*>(args.dscores)),
        normalizers(args.normalizers, args.rows),
        columns(args.columns),
        streams(args.rows * columns * static_cast<int64_t>(sizeof(T)) >= kStreamBytes &&
                columns >= kBlock) {}  // as elementwise ops do

  template <class Target>
  void write(int64_t row, const Target& target, Compute<T> dloss) const {
    const T* x = scores + row * columns;
    T* dx = dscores + row * columns;
    const Compute<T> top = normalizers.tops[row], log_sum = normalizers.log_sums[row];
    const Compute<T> total = target.total(columns);
    if (!streams)
      return gradient_of_logits(x, 0, columns, target, total, top, log_sum, dloss, dx);
    stream_row(dx, columns, [=](int64_t first, int64_t last, T* to) {
      gradient_of_logits(x, first, last, target, total, top, log_sum, dloss, to);
    });
  }

  // Together with the row's normalizers, as long as its logits are in the cache.
  template <class Target>
  void write(int64_t row, const Target& target, Compute<T> dloss,
             const RowExponentials<T>& kept) const {
    T* dx = dscores + row * columns;
    normalizers.set(row, kept.fill(scores + row * columns, target.total(columns)));
    if (!streams) return gradient_of_exponentials(kept, 0, columns, target, dloss, dx);
    stream_row(dx, columns, [&](int64_t first, int64_t last, T* to) {
      gradient_of_exponentials(kept, first, last, target, dloss, to);
    });
  }
};

template <class T>
struct Clip {
  using V = Vec<Compute<T>>;
  V low, high;

  explicit Clip(double epsilon)
      : low(static_cast<Compute<T>>(epsilon)), high(static_cast<Compute<T>>(1 - epsilon)) {}
  V operator()(V p) const { return min(max(p, low), high); }
};

template <class T, class Target>
Compute<T> loss_of_probabilities(const T* x, int64_t columns, const Target& target,
                                 const Clip<T>& clip) {
  using V = Vec<Compute<T>>;
  const V sum(sum_of(x, columns));
  return weighted_sum(target, columns, [&](int64_t i) {
    return -log(clip(Lanes<T>(x, i, columns).get() / sum));
  });
}

// With q = x / sum(x): dx = (u - sum(u q)) / sum(x), where u = dloss/dq.
template <class T, class Target>
void gradient_of_probabilities(const T* x, int64_t columns, const Target& target,
                               const Clip<T>& clip, Compute<T> dloss, T* dx) {
  using C = Compute<T>;
  using V = Vec<C>;
  const V sum(sum_of(x, columns)), scale(dloss);
  const auto share = [&](int64_t i) { return Lanes<T>(x, i, columns).get() / sum; };
  const auto slope = [&](int64_t i, V q) {
    const V c = clip(q);
    return select(c == q, -target.at(i, columns) / c, V(0));
  };
  V dots(0);
  for (int64_t i = 0; i < columns; i += V::size) {
    const V q = share(i);
    dots = fma(slope(i, q), q, dots);
  }
  const V dot(reduce_add(dots));
  for (int64_t i = 0; i < columns; i += V::size)
    Lanes<T>(dx, i, columns).set(scale * (slope(i, share(i)) - dot) / sum);
}

// Calls body(begin, end, target_of) for ranges of rows; target_of(row) is what the row should be.
template <class T, class Args, class Body>
PydlStatus for_each_range(const PydlContext* context, const Args* args, Body&& body) {
  using C = Compute<T>;
  const int64_t columns = args->columns;
  const C keep = static_cast<C>(1 - args->label_smoothing);
  const C off = static_cast<C>(args->label_smoothing / static_cast<double>(columns));
  const auto run = [&](auto target_of) {
    parallel_for(context, args->rows, 1 + kGrain / columns,
                 [&](int64_t begin, int64_t end) { body(begin, end, target_of); });
    return PYDL_OK;
  };
  const auto classes = [&](const auto* labels) {
    return run([=](int64_t row) { return ClassTarget<T>{keep, off, labels[row]}; });
  };
  if (args->label_dtype == PYDL_INT32) return classes(static_cast<const int32_t*>(args->labels));
  if (args->label_dtype == PYDL_INT64) return classes(static_cast<const int64_t*>(args->labels));
  const T* labels = static_cast<const T*>(args->labels);
  return run([=](int64_t row) { return DenseTarget<T>{keep, off, labels + row * columns}; });
}

template <class Label>
PydlStatus check_classes(const PydlContext* context, const PydlCrossEntropyArgs* args) {
  const Label* labels = static_cast<const Label*>(args->labels);
  for (int64_t row = 0; row < args->rows; ++row) {
    if (labels[row] >= 0 && labels[row] < args->columns) continue;
    char message[200];
    snprintf(message, sizeof message,
             "[%s] expected labels in [0, %lld), the number of classes, got %lld at position %lld. "
             "Check the labels and the units of the last layer",
             args->from_logits ? "softmax_cross_entropy" : "categorical_cross_entropy",
             static_cast<long long>(args->columns), static_cast<long long>(labels[row]),
             static_cast<long long>(row));
    return context->fail(context, PYDL_ERROR_VALUE, message);
  }
  return PYDL_OK;
}

template <class T>
PydlStatus forward(const PydlContext* context, const PydlCrossEntropyArgs* args) {
  using C = Compute<T>;
  Scratch<C> row_losses(context, args->rows + 1);
  if (!row_losses)
    return context->fail(context, PYDL_ERROR_MEMORY, "[cross_entropy] out of memory");
  const T* scores = static_cast<const T*>(args->scores);
  const LogitGradient<T> gradient(*args);
  const Normalizers<T>& normalizers = gradient.normalizers;
  const Clip<T> clip(args->epsilon);
  const int64_t columns = args->columns;
  const auto block = [&](int64_t begin, int64_t end, const auto& target_of) {
    if (args->from_logits && !gradient.dscores) normalizers.fill(scores, columns, begin, end);
    for (int64_t row = begin; row < end; ++row) {
      const T* x = scores + row * columns;
      const auto target = target_of(row);
      row_losses[row] = args->from_logits
                            ? loss_of_logits(x, columns, target, normalizers.tops[row],
                                             normalizers.log_sums[row])
                            : loss_of_probabilities(x, columns, target, clip);
      if (args->losses) static_cast<T*>(args->losses)[row] = from_compute<T>(row_losses[row]);
    }
  };
  PydlStatus status = PYDL_OK;
  for_each_range<T>(context, args, [&](int64_t begin, int64_t end, const auto& target_of) {
    if (gradient.dscores) {
      const RowExponentials<T> kept(context, columns);
      if (!kept) return __atomic_store_n(&status, PYDL_ERROR_MEMORY, __ATOMIC_RELAXED);
      for (int64_t row = begin; row < end; ++row)
        gradient.write(row, target_of(row), static_cast<C>(args->factor), kept);
      normalizers.take_logarithms(begin, end);
    }
    // Few enough rows to find their scores in the cache again.
    const int64_t rows = (1 + kGrain / columns / 16) * 16;
    for (; begin < end; begin += rows)
      block(begin, begin + rows < end ? begin + rows : end, target_of);
  });
  if (args->total) {
    double total = 0;
    for (int64_t row = 0; row < args->rows; ++row) total += row_losses[row];
    *static_cast<T*>(args->total) = from_compute<T>(static_cast<C>(total * args->factor));
  }
  return status;
}

// What forward wrote is the gradient for a dlosses of 1.
template <class T>
PydlStatus rescale(const PydlContext* context, const PydlCrossEntropyBackwardArgs* args) {
  using V = Vec<Compute<T>>;
  const V scale(to_compute(*static_cast<const T*>(args->dlosses)));
  if (scale[0] == 1) return PYDL_OK;
  T* dx = static_cast<T*>(args->dscores);
  parallel_for(context, args->rows * args->columns, kCheapGrain, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += V::size) {
      const Lanes<T> lanes = ahead(dx, i, end);
      lanes.set(lanes.get() * scale);
    }
  });
  return PYDL_OK;
}

template <class T>
PydlStatus backward(const PydlContext* context, const PydlCrossEntropyBackwardArgs* args) {
  using C = Compute<T>;
  if (!args->scores) return rescale<T>(context, args);
  const T* dlosses = static_cast<const T*>(args->dlosses);
  const LogitGradient<T> gradient(*args);
  const Clip<T> clip(args->epsilon);
  const int64_t columns = args->columns, stride = args->dlosses_stride;
  const C factor = static_cast<C>(args->factor);
  const bool from_logits = args->from_logits;
  return for_each_range<T>(context, args, [=](int64_t begin, int64_t end, auto target_of) {
    const LogitGradient<T> own = gradient;  // which stays in registers from row to row
    for (int64_t row = begin; row < end; ++row) {
      const C dloss = to_compute(dlosses[row * stride]) * factor;
      const int64_t at = row * columns;
      if (from_logits)
        own.write(row, target_of(row), dloss);
      else
        gradient_of_probabilities(own.scores + at, columns, target_of(row), clip, dloss,
                                  own.dscores + at);
    }
  });
}

}  // namespace

PydlStatus cross_entropy(const PydlContext* context, const PydlCrossEntropyArgs* args) {
  PydlStatus status = PYDL_OK;
  if (args->label_dtype == PYDL_INT32) status = check_classes<int32_t>(context, args);
  if (args->label_dtype == PYDL_INT64) status = check_classes<int64_t>(context, args);
  if (status != PYDL_OK) return status;
  return visit_floating(context, "cross_entropy", args->dtype,
                        [&](auto zero) { return forward<decltype(zero)>(context, args); });
}

PydlStatus cross_entropy_backward(const PydlContext* context,
                                  const PydlCrossEntropyBackwardArgs* args) {
  return visit_floating(context, "cross_entropy", args->dtype,
                        [&](auto zero) { return backward<decltype(zero)>(context, args); });
}

}  // namespace pydl::cpu::PYDL_ISA
