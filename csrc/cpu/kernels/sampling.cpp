// Random permutations, and draws from a discrete distribution.
#include "cpu/philox.h"
#include "cpu/simd/dtype.h"
#include "cpu/simd/math.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int kDraws = PYDL_RANDOM_WORDS / 2;  // 64-bit numbers in a group

// cumulative[i] = sum of exp(logits[0 .. i] - the largest).
template <class T>
inline void accumulate_exp(const T* logits, int64_t classes, double* cumulative) {
  T largest = logits[0];
  for (int64_t i = 1; i < classes; ++i) largest = logits[i] > largest ? logits[i] : largest;
  for (int64_t i = 0; i < classes; ++i) cumulative[i] = static_cast<double>(logits[i]) - largest;
  using V = Vec<double>;
  int64_t i = 0;
  for (; i + V::size <= classes; i += V::size) exp(V::load(cumulative + i)).store(cumulative + i);
  const int rest = static_cast<int>(classes - i);
  if (rest) exp(V::load(cumulative + i, rest)).store(cumulative + i, rest);
  for (int64_t j = 1; j < classes; ++j) cumulative[j] += cumulative[j - 1];
}

// The first index whose cumulative weight exceeds `target`, which is below the last.
inline int64_t search(const double* cumulative, int64_t classes, double target) {
  int64_t low = 0, high = classes - 1;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (cumulative[middle] > target)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

template <class T>
PydlStatus sample_rows(const PydlContext* context, const PydlCategoricalArgs* args) {
  const int64_t classes = args->classes, samples = args->samples;
  const T* logits = static_cast<const T*>(args->logits);
  const int64_t grain = 1 + 4096 / (classes + samples);
  PydlStatus status = PYDL_OK;
  parallel_for(context, args->rows, grain, [&](int64_t begin, int64_t end) {
    const Scratch<double> cumulative(context, classes);
    if (!cumulative) return __atomic_store_n(&status, PYDL_ERROR_MEMORY, __ATOMIC_RELAXED);
    const Philox philox(args->state);
    uint64_t bits[kDraws];
    int64_t drawn = -1;  // the group that `bits` holds
    for (int64_t row = begin; row < end; ++row) {
      accumulate_exp(logits + row * classes, classes, cumulative.data());
      for (int64_t i = row * samples; i < (row + 1) * samples; ++i) {
        if (i / kDraws != drawn) draw(philox, drawn = i / kDraws, bits);
        const double u = static_cast<double>(bits[i % kDraws] >> 11) * 0x1p-53;
        args->out[i] = search(cumulative.data(), classes, u * cumulative[classes - 1]);
      }
    }
  });
  return status;
}

}  // namespace

// Fisher and Yates's shuffle. The places to swap with are known a group ahead, so they can be
// fetched.
PydlStatus permutation(const PydlContext*, const PydlPermutationArgs* args) {
  int64_t* out = args->out;
  for (int64_t i = 0; i < args->count; ++i) out[i] = i;
  const Philox philox(args->state);
  uint64_t places[kDraws];
  for (int64_t group = 0, i = args->count - 1; i > 0; ++group) {
    draw(philox, group, places);
    const int n = static_cast<int>(i < kDraws ? i : kDraws);
    for (int k = 0; k < n; ++k) {
      const uint64_t choices = static_cast<uint64_t>(i - k + 1);
      places[k] = static_cast<uint64_t>(static_cast<unsigned __int128>(places[k]) * choices >> 64);
      __builtin_prefetch(out + places[k], 1);
    }
    for (int k = 0; k < n; ++k, --i) {
      const int64_t kept = out[i];
      out[i] = out[places[k]];
      out[places[k]] = kept;
    }
  }
  return PYDL_OK;
}

PydlStatus categorical(const PydlContext* context, const PydlCategoricalArgs* args) {
  if (args->dtype == PYDL_FLOAT32) return sample_rows<float>(context, args);
  if (args->dtype == PYDL_FLOAT64) return sample_rows<double>(context, args);
  return fail_dtype(context, "categorical", "float32 or float64", args->dtype);
}

}  // namespace pydl::cpu::PYDL_ISA
