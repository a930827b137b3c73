// The k largest of each row. Candidates above the k-th best so far collect in a buffer of 2k; when it
// is full, sorting it raises the bar, so that most of a long row is rejected by one comparison.
#include "cpu/simd/dtype.h"
#include "cpu/sort_keys.h"
#include "pydl/kernels/sort.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kBlock = 64;        // elements compared with the bar at a time
constexpr int64_t kTaskWork = 16384;  // elements worth a thread

// Keys are inverted, so that the largest value has the smallest key.
template <class T>
class Candidates {
 public:
  using E = KeyAndPosition<T>;
  using Order = Sorter<E, sizeof(T)>;

  Candidates(const PydlContext* context, int64_t k)
      : k_(k),
        capacity_(2 * k > kBlock ? 2 * k : kBlock),
        keys_(context, 2 * capacity_),
        counts_(context, Order::counts(capacity_, 1)) {}
  explicit operator bool() const { return keys_ && counts_; }

  const E* select(const T* x, int64_t n) {
    count_ = 0;
    Key<T> bar = 0;  // once the buffer was full, keys from here on are not among the best k
    for (int64_t first = 0; first < n; first += kBlock) {
      const int64_t size = n - first < kBlock ? n - first : kBlock;
      Key<T> keys[kBlock];
      const bool open = first < capacity_;
      bool any = open;
      for (int64_t i = 0; i < size; ++i) {
        keys[i] = static_cast<Key<T>>(~to_equal_key(x[first + i]));
        any |= keys[i] < bar;
      }
      if (!any) continue;
      for (int64_t i = 0; i < size; ++i)
        if (open || keys[i] < bar) bar = insert(keys[i], static_cast<uint32_t>(first + i), bar);
    }
    sort();
    return keys_.data();
  }

 private:
  Key<T> insert(Key<T> key, uint32_t position, Key<T> bar) {
    keys_[count_++] = with_position<T>(key, position);
    if (count_ < capacity_) return bar;
    sort();
    count_ = k_;
    return static_cast<Key<T>>(keys_[k_ - 1] >> 32);
  }
  void sort() {
    const E* sorted = Order{32}.run(keys_.data(), keys_.data() + capacity_, count_, counts_.data());
    if (sorted != keys_.data()) memcpy(keys_.data(), sorted, count_ * sizeof(E));
  }

  int64_t k_, capacity_, count_ = 0;
  Scratch<E> keys_;  // the candidates, and as much space to sort them
  Scratch<uint32_t> counts_;
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
