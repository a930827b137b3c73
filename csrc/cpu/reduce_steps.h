// The inner loops of a reduction as a table of functions, so that the code which cuts up the work is
// compiled once and not for every reducer and dtype.
#pragma once

#include "cpu/row_accumulator.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int kGroup = 8;          // rows that columns accumulate at a time
constexpr int kAccumulator = 256;  // bytes of a RowAccumulator

struct ReduceSteps {
  int64_t item, accumulator_item;  // sizes in bytes of elements and of accumulated values
  int64_t vector;                  // accumulated values per vector

  void (*run)(const void* x, int64_t n, void* result);  // a whole dense row

  // Rows in pieces.
  void (*begin)(void* accumulator);
  void (*add)(void* accumulator, const void* x, int64_t stride, int64_t n);
  void (*total)(const void* accumulator, void* result);

  // results[j] = combine(results[j], rows[0][j], ..., rows[kGroup - 1][j]) for whole vectors.
  void (*add_rows)(const void* const* rows, void* results, int64_t columns);
  void (*fill_results)(void* results, int64_t count);   // with the identity
  void (*fill_elements)(void* elements, int64_t count);  // with what changes no result
};

template <class R, class T>
struct ReduceStepsOf {
  using A = typename R::Acc;
  using V = Vec<A>;
  using Row = RowAccumulator<R, T>;

  static void run(const void* x, int64_t n, void* result) {
    *static_cast<A*>(result) = reduce_run<R>(static_cast<const T*>(x), n);
  }
  static void begin(void* row) {
    static_assert(sizeof(Row) == kAccumulator);
    *static_cast<Row*>(row) = Row();
  }
  static void add(void* row, const void* x, int64_t stride, int64_t n) {
    static_cast<Row*>(row)->add(static_cast<const T*>(x), stride, n);
  }
  static void total(const void* row, void* result) {
    *static_cast<A*>(result) = static_cast<const Row*>(row)->total();
  }
  static void add_rows(const void* const* rows, void* results, int64_t columns) {
    const T* r[kGroup];
    for (int k = 0; k < kGroup; ++k) r[k] = static_cast<const T*>(rows[k]);
    A* acc = static_cast<A*>(results);
    for (int64_t j = 0; j < columns; j += V::size) {
      const auto pair = [&](int k) { return R::combine(take<R>(r[k] + j), take<R>(r[k + 1] + j)); };
      const V low = R::combine(pair(0), pair(2)), high = R::combine(pair(4), pair(6));
      R::combine(V::load(acc + j), R::combine(low, high)).store(acc + j);
    }
  }
  static void fill_results(void* results, int64_t count) {
    for (int64_t i = 0; i < count; ++i) static_cast<A*>(results)[i] = R::identity;
  }
  static void fill_elements(void* elements, int64_t count) {
    for (int64_t i = 0; i < count; ++i) static_cast<T*>(elements)[i] = neutral<R, T>();
  }
};

template <class R, class T>
ReduceSteps reduce_steps() {
  using Steps = ReduceStepsOf<R, T>;
  return {sizeof(T),    sizeof(typename R::Acc), Vec<typename R::Acc>::size, Steps::run,
          Steps::begin, Steps::add,              Steps::total,               Steps::add_rows,
          Steps::fill_results, Steps::fill_elements};
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
