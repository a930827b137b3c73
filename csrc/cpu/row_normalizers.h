// What cross entropy asks of rows of logits: their largest, the logarithm of their sum of
// exponentials, and, for a gradient in the same pass, the exponentials themselves.
#pragma once

#include "cpu/lanes.h"
#include "cpu/softmax_rows.h"
#include "cpu/transpose.h"
#include "pydl/kernel.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kPiece = 512;  // logits of a long row that are summed up together

// The sum of a row's exp(x - top), where top is the largest so far.
template <class T>
struct RowSum {
  using C = Compute<T>;
  using V = Vec<C>;

  C top = static_cast<C>(-INFINITY), sum = 0;

  C center() const { return top == static_cast<C>(-INFINITY) ? C{0} : top; }

  // Adds the piece at x, and calls each(i, exp(x[i] - center())) for its registers. Memory waits for
  // the exponentials: what comes next is asked for meanwhile.
  template <class Each>
  void add(const T* x, int64_t n, Each&& each) {
    const C largest = row_max(x, n, kPiece);
    if (largest > top) {
      if (sum != 0) sum *= exp(V(top - largest))[0];
      top = largest;
    }
    const T* later = x + 2 * kPiece;
    sum += sum_exponentials(x, n, center(), [&](int64_t i, V e) {
      __builtin_prefetch(later + i);
      each(i, e);
    });
  }
};

// The exponentials of a long row, each piece with a center of its own: the largest so far.
template <class T>
struct RowExponentials {
  using C = Compute<T>;
  using V = Vec<C>;

  const int64_t columns, pieces;
  const Scratch<C> memory;
  C* const values;  // whole vectors are written
  C* const factors;

  RowExponentials(const PydlContext* context, int64_t columns)
      : columns(columns),
        pieces((columns + kPiece - 1) / kPiece),
        memory(context, pieces * (kPiece + 1)),
        values(memory.data()),
        factors(memory.data() + pieces * kPiece) {}
  explicit operator bool() const { return static_cast<bool>(memory); }

  // Of the row x, whose softmax times `total` is then values[i] * factors[i / kPiece].
  RowSum<T> fill(const T* x, C total) const {
    RowSum<T> sum;
    for (int64_t first = 0; first < columns; first += kPiece) {
      sum.add(x + first, columns - first < kPiece ? columns - first : kPiece,
              [to = values + first](int64_t i, V e) { e.store(to + i); });
      factors[first / kPiece] = sum.center();
    }
    const V center(sum.center()), factor(total / sum.sum);
    for (int64_t i = 0; i < pieces; i += V::size) {
      const Lanes<C> lanes(factors, i, pieces);
      lanes.set(exp(lanes.get() - center) * factor);
    }
    return sum;
  }
};

// Of rows of logits: the largest, and log(sum(exp(logit - largest))).
template <class T>
struct Normalizers {
  using C = Compute<T>;
  using V = Vec<C>;

  C* tops;
  C* log_sums;

  Normalizers(const void* array, int64_t rows)
      : tops(static_cast<C*>(const_cast<void*>(array))), log_sums(tops + rows) {}

  void fill(const T* scores, int64_t columns, int64_t begin, int64_t end) const {
    if (columns <= kNarrow) return fill_narrow(scores, columns, begin, end);
    for (int64_t row = begin; row < end; ++row) {
      const T* x = scores + row * columns;
      RowSum<T> sum;
      for (int64_t i = 0; i < columns; i += kPiece)
        sum.add(x + i, columns - i < kPiece ? columns - i : kPiece, [](int64_t, V) {});
      set(row, sum);
    }
    take_logarithms(begin, end);
  }

  // Of single rows; then one logarithm takes a vector of them.
  void set(int64_t row, const RowSum<T>& sum) const {
    tops[row] = sum.top;
    log_sums[row] = sum.sum;
  }
  void take_logarithms(int64_t begin, int64_t end) const {
    for (int64_t row = begin; row < end; row += V::size) {
      const Lanes<C> sums(log_sums, row, end);
      sums.set(log(sums.get()));
    }
  }

 private:
  static constexpr int64_t kNarrow = 64;  // longer rows take less time one by one

  // A vector of rows at a time, each in a lane of its own: no maximum or sum goes across lanes.
  void fill_narrow(const T* scores, int64_t columns, int64_t begin, int64_t end) const {
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
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
