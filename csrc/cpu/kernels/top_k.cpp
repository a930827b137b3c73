// The k largest of each row. Candidates that beat the k-th best so far collect in a buffer of 2k;
// when it is full, sorting it raises the bar, so that most of a long row is rejected by one
// comparison.
#include "cpu/simd/dtype.h"
#include "cpu/sort_keys.h"
#include "pydl/kernels/sort.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kTaskWork = 16384;  // elements worth a thread

template <class T>
class Candidates {
 public:
  using E = KeyAndPosition<T>;
  using V = Vec<Compute<T>>;
  static constexpr int64_t kBlock = 4 * V::size;  // elements compared with the bar at a time

  Candidates(const PydlContext* context, int64_t k)
      : k_(k),
        capacity_(2 * k > kBlock ? 2 * k : kBlock),
        keys_(context, capacity_),
        spare_(context, KeySort<E>::spare_size(capacity_)) {}
  explicit operator bool() const { return keys_ && spare_; }

  // The best k of x, best first; the low 32 bits are their positions.
  const E* select(const T* x, int64_t n) {
    count_ = 0;
    const int64_t direct = n < capacity_ ? n : capacity_;
    for (int64_t i = 0; i < direct; ++i) append(x, i);
    if (n > direct) raise_bar(x);
    // Once the bar is NaN nothing beats it.
    for (int64_t i = direct; i < n && bar_ == bar_; i += kBlock) {
      const int64_t end = n - i < kBlock ? n : i + kBlock;
      if (end - i == kBlock && !any_beats(x + i)) continue;
      for (int64_t j = i; j < end; ++j) {
        if (to_compute(x[j]) <= bar_) continue;
        append(x, j);
        if (count_ == capacity_) raise_bar(x);
      }
    }
    KeySort<E>::sort(keys_.data(), spare_.data(), count_, [](const E*, int64_t) {});
    return keys_.data();
  }

 private:
  static Mask<Compute<T>> beats(V v, V bar) { return ~(v <= bar); }  // true of NaN
  bool any_beats(const T* x) const {
    const V bar = bar_;
    return any((beats(load(x), bar) | beats(load(x + V::size), bar)) |
               (beats(load(x + 2 * V::size), bar) | beats(load(x + 3 * V::size), bar)));
  }
  void append(const T* x, int64_t i) {
    // Of the inverted key the smallest comes first.
    keys_[count_++] = with_position<T>(~to_equal_key(x[i]), i);
  }
  void raise_bar(const T* x) {
    KeySort<E>::sort(keys_.data(), spare_.data(), count_, [](const E*, int64_t) {});
    count_ = k_;
    bar_ = to_compute(x[static_cast<uint32_t>(keys_[k_ - 1])]);
  }

  int64_t k_, capacity_, count_ = 0;
  Compute<T> bar_{};
  Scratch<E> keys_, spare_;
};

template <class T>
PydlStatus top_k_as(const PydlContext* context, const PydlTopKArgs& a) {
  if (a.rows * a.k == 0) return PYDL_OK;
  const T* x = static_cast<const T*>(a.x);
  T* values = static_cast<T*>(a.values);
  PydlStatus status = PYDL_OK;
  parallel_for(context, a.rows, kTaskWork / a.columns + 1, [&](int64_t begin, int64_t end) {
    Candidates<T> candidates(context, a.k);
    if (!candidates) return __atomic_store_n(&status, PYDL_ERROR_MEMORY, __ATOMIC_RELAXED);
    for (int64_t row = begin; row < end; ++row) {
      const auto* best = candidates.select(x + row * a.columns, a.columns);
      for (int64_t i = 0; i < a.k; ++i) {
        const int32_t position = static_cast<int32_t>(best[i]);
        a.indices[row * a.k + i] = position;
        values[row * a.k + i] = x[row * a.columns + position];
      }
    }
  });
  return status;
}

}  // namespace

PydlStatus top_k(const PydlContext* context, const PydlTopKArgs* args) {
  const PydlDType dtype = args->dtype == PYDL_BOOL ? PYDL_UINT8 : args->dtype;
  return visit_number(context, "top_k", dtype, [&](auto zero) {
    return top_k_as<decltype(zero)>(context, *args);
  });
}

}  // namespace pydl::cpu::PYDL_ISA
