// Cross entropy of rows of logits (softmax fused in) or probabilities.
#include <stdio.h>

#include "cpu/elementwise.h"
#include "cpu/lanes.h"
#include "cpu/softmax_rows.h"
#include "cpu/transpose.h"
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

// Of rows of logits: the largest, and log(sum(exp(logit - largest))).
template <class T>
struct Normalizers {
  Compute<T>* tops;
  Compute<T>* log_sums;

  Normalizers(const void* array, int64_t rows)
      : tops(static_cast<Compute<T>*>(const_cast<void*>(array))), log_sums(tops + rows) {}

  // For the rows [begin, end); one logarithm takes a vector of rows.
  void fill(const T* scores, int64_t columns, int64_t begin, int64_t end) const {
    if (columns <= kNarrow) return fill_narrow(scores, columns, begin, end);
    for (int64_t row = begin; row < end; ++row) fill_sum(scores + row * columns, columns, row);
    using C = Compute<T>;
    for (int64_t row = begin; row < end; row += Vec<C>::size) {
      const Lanes<C> sums(log_sums, row, end);
      sums.set(log(sums.get()));
    }
  }

 private:
  static constexpr int64_t kNarrow = 64;  // longer rows take less time one by one

  // A vector of rows at a time, each in a lane of its own: no maximum or sum goes across lanes.
  void fill_narrow(const T* scores, int64_t columns, int64_t begin, int64_t end) const {
    using C = Compute<T>;
    using V = Vec<C>;
    using Bits = IntLike<T>;
    constexpr C nothing = static_cast<C>(-INFINITY);
    alignas(64) T turned[kNarrow * V::size];
    const auto column = [&](int64_t c) { return load(turned + c * V::size); };
    for (int64_t row = begin; row < end; row += V::size) {
      const int64_t rows = end - row < V::size ? end - row : V::size;
      if (rows < V::size) memset(turned, 0, columns * V::size * sizeof(T));
      transpose(reinterpret_cast<const Bits*>(scores + row * columns), columns,
                reinterpret_cast<Bits*>(turned), V::size, columns, rows);
      V top(nothing), sum(0);
      for (int64_t c = 0; c < columns; ++c) top = isa::max_of(column(c).v, top.v);
      const V center = select(top == V(nothing), V(0), top);
      for (int64_t c = 0; c < columns; ++c) sum += exp(column(c) - center);
      Lanes<C>(tops, row, end).set(top);
      Lanes<C>(log_sums, row, end).set(log(sum));
    }
  }

  // Piece by piece, each read from memory once, and short: memory waits for the exponentials.
  void fill_sum(const T* x, int64_t columns, int64_t row) const {
    using C = Compute<T>;
    using V = Vec<C>;
    constexpr int64_t kPiece = 512;
    constexpr C nothing = static_cast<C>(-INFINITY);
    C top = nothing, sum = 0;
    for (int64_t first = 0; first < columns; first += kPiece) {
      const int64_t n = columns - first < kPiece ? columns - first : kPiece;
      const C largest = row_max(x + first, n, kPiece);
      if (largest > top) {
        if (first > 0) sum *= exp(V(top - largest))[0];
        top = largest;
      }
      const C center = top == nothing ? C{0} : top;
      const T* later = x + first + 2 * kPiece;
      sum += sum_exponentials(x + first, n, center,
                              [&](int64_t i, V) { __builtin_prefetch(later + i); });
    }
    tops[row] = top;
    log_sums[row] = sum;
  }
};

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
  const Normalizers<T> normalizers(args->normalizers, args->rows);
  const Clip<T> clip(args->epsilon);
  const int64_t columns = args->columns;
  const auto block = [&](int64_t begin, int64_t end, const auto& target_of) {
    if (args->from_logits) normalizers.fill(scores, columns, begin, end);
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
  const PydlStatus status = for_each_range<T>(
      context, args, [&](int64_t begin, int64_t end, const auto& target_of) {
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

// The same past the caches, which would have to read what is overwritten and not keep it either.
template <class T, class Gradient>
void stream_row(T* dx, int64_t columns, Gradient&& gradient) {
  constexpr int64_t kPiece = 512;
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

template <class T>
PydlStatus backward(const PydlContext* context, const PydlCrossEntropyBackwardArgs* args) {
  using C = Compute<T>;
  const T* scores = static_cast<const T*>(args->scores);
  const T* dlosses = static_cast<const T*>(args->dlosses);
  T* dscores = static_cast<T*>(args->dscores);
  const Normalizers<T> normalizers(args->normalizers, args->rows);
  const Clip<T> clip(args->epsilon);
  const int64_t columns = args->columns, stride = args->dlosses_stride;
  const C factor = static_cast<C>(args->factor);
  const int64_t bytes = args->rows * columns * static_cast<int64_t>(sizeof(T));
  const bool streams = bytes >= kStreamBytes && columns >= kBlock;  // as elementwise ops do
  const bool from_logits = args->from_logits;
  // Copies, which stay in registers from row to row.
  return for_each_range<T>(context, args, [=](int64_t begin, int64_t end, auto target_of) {
    for (int64_t row = begin; row < end; ++row) {
      const T* x = scores + row * columns;
      T* dx = dscores + row * columns;
      const C dloss = to_compute(dlosses[row * stride]) * factor;
      const auto target = target_of(row);
      if (!from_logits) {
        gradient_of_probabilities(x, columns, target, clip, dloss, dx);
        continue;
      }
      const C top = normalizers.tops[row], log_sum = normalizers.log_sums[row];
      const C total = target.total(columns);
      if (!streams) {
        gradient_of_logits(x, 0, columns, target, total, top, log_sum, dloss, dx);
        continue;
      }
      stream_row(dx, columns, [=](int64_t first, int64_t last, T* to) {
        gradient_of_logits(x, first, last, target, total, top, log_sum, dloss, to);
      });
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
