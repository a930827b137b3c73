// Random permutations, and draws from a discrete distribution.
#include <math.h>

#include "cuda/kernel.h"
#include "pydl/cuda/grid.cuh"
#include "pydl/cuda/philox.cuh"
#include "pydl/cuda/visit.h"

namespace pydl::cuda {
namespace {

using Word = unsigned long long;  // what 64-bit atomics take

// Fisher and Yates's shuffle swaps out[i] with out[places[i]] for falling i. Swaps that share no
// element with an unfinished earlier one commute, so they run in rounds: every swap left bids for
// its two elements, the earliest gets an element, and who gets both swaps. Shun et al., "Sequential
// random permutation ... are highly parallel", 2015.
struct Shuffle {
  int64_t count;
  int64_t* out;
  int64_t* places;
  Word* reserved;  // of each element, the highest bid so far: a later round's beats all before

  __device__ static Word bid(int64_t round, int64_t i) {
    return static_cast<Word>(round) << 40 | static_cast<Word>(i);
  }
  __device__ void reserve(int64_t round, int64_t i) const {
    atomicMax(reserved + i, bid(round, i));
    atomicMax(reserved + places[i], bid(round, i));
  }
  __device__ bool swap(int64_t round, int64_t i) const {
    const int64_t j = places[i];
    const Word own = bid(round, i);
    if (__ldcg(reserved + i) != own || __ldcg(reserved + j) != own) return false;
    const int64_t kept = out[i];
    out[i] = out[j];
    out[j] = kept;
    return true;
  }
};

// The swaps that are left; in the first round, all.
struct Remaining {
  const int64_t* swaps;
  const Word* size;

  __device__ int64_t operator[](int64_t k) const { return swaps ? swaps[k] : k + 1; }
};

constexpr int64_t kFewSwaps = 2048;  // that one block finishes
constexpr int kFinishThreads = 512;

__global__ void __launch_bounds__(kThreads)
    begin_shuffle(RandomStream stream, Shuffle shuffle, Word* sizes, int rounds) {
  const Philox philox(stream);
  for (int64_t i = first_element(); i < shuffle.count; i += element_step()) {
    const uint64_t bits = philox.bits64(shuffle.count - 1 - i);
    shuffle.out[i] = i;
    shuffle.places[i] = static_cast<int64_t>(scale_bits(bits, static_cast<uint64_t>(i) + 1));
    shuffle.reserved[i] = 0;
  }
  for (int64_t r = first_element(); r <= rounds; r += element_step())
    sizes[r] = r == 0 ? static_cast<Word>(shuffle.count - 1) : 0;
}

__global__ void __launch_bounds__(kThreads)
    reserve_kernel(Shuffle shuffle, Remaining remaining, int64_t round) {
  const int64_t size = static_cast<int64_t>(*remaining.size);
  for (int64_t k = first_element(); k < size; k += element_step())
    shuffle.reserve(round, remaining[k]);
}

__global__ void __launch_bounds__(kThreads)
    swap_kernel(Shuffle shuffle, Remaining remaining, int64_t round, int64_t* next,
                Word* next_size) {
  const int64_t size = static_cast<int64_t>(*remaining.size);
  for (int64_t k = first_element(); k < size; k += element_step()) {
    const int64_t i = remaining[k];
    if (!shuffle.swap(round, i)) next[atomicAdd(next_size, Word{1})] = i;
  }
}

// One block runs all rounds that are left.
__global__ void __launch_bounds__(kFinishThreads)
    finish_shuffle(Shuffle shuffle, Remaining remaining, int64_t round, int64_t* next,
                   int64_t* after_next) {
  __shared__ Word next_size;
  int64_t size = static_cast<int64_t>(*remaining.size);
  for (; size > 0; ++round) {
    if (threadIdx.x == 0) next_size = 0;
    for (int64_t k = threadIdx.x; k < size; k += blockDim.x) shuffle.reserve(round, remaining[k]);
    __syncthreads();
    for (int64_t k = threadIdx.x; k < size; k += blockDim.x) {
      const int64_t i = remaining[k];
      if (!shuffle.swap(round, i)) next[atomicAdd(&next_size, Word{1})] = i;
    }
    __syncthreads();
    size = static_cast<int64_t>(next_size);
    remaining.swaps = next;
    next = after_next;
    after_next = const_cast<int64_t*>(remaining.swaps);
    __syncthreads();
  }
}

int shuffle_rounds(int64_t count) {
  int rounds = 0;
  for (; count > kFewSwaps; ++rounds) count -= count / 4;  // a quarter finishes, or more
  return rounds;
}

PydlStatus run_rounds(const PydlContext* context, const Shuffle& shuffle, int64_t* (&lists)[2],
                      Word* sizes, int rounds) {
  Remaining remaining = {nullptr, sizes};
  int64_t expected = shuffle.count;
  for (int r = 0; r < rounds; ++r, expected -= expected / 4) {
    PydlStatus status =
        launch_elements(context, expected, reserve_kernel, shuffle, remaining, int64_t{r} + 1);
    if (status != PYDL_OK) return status;
    status = launch_elements(context, expected, swap_kernel, shuffle, remaining, int64_t{r} + 1,
                             lists[r % 2], sizes + r + 1);
    if (status != PYDL_OK) return status;
    remaining = {lists[r % 2], sizes + r + 1};
  }
  return launch(context, dim3(1), dim3(kFinishThreads), 0, finish_shuffle, shuffle, remaining,
                int64_t{rounds} + 1, lists[rounds % 2], lists[(rounds + 1) % 2]);
}

// The cumulative sums of exp(logits - the largest) of each row, a block a row. Each thread goes on
// where the thread before it ended, so that the sums never fall and a class of weight 0 has no
// share.
template <class T>
__global__ void __launch_bounds__(kThreads)
    cumulative_kernel(const T* logits, int64_t classes, double* cumulative) {
  __shared__ double totals[kThreads];
  const int threads = static_cast<int>(blockDim.x), t = static_cast<int>(threadIdx.x);
  const T* x = logits + blockIdx.x * classes;
  double* sums = cumulative + blockIdx.x * classes;
  double largest = static_cast<double>(x[0]);
  for (int64_t i = t; i < classes; i += threads) {
    const double value = static_cast<double>(x[i]);
    largest = value > largest ? value : largest;
  }
  totals[t] = largest;
  __syncthreads();
  for (int i = 0; i < threads; ++i) largest = totals[i] > largest ? totals[i] : largest;
  __syncthreads();
  const int64_t share = (classes + threads - 1) / threads;
  const int64_t begin = t * share, end = begin + share < classes ? begin + share : classes;
  double sum = 0;
#pragma unroll 1
  for (int64_t i = begin; i < end; ++i) sums[i] = sum += ::exp(static_cast<double>(x[i]) - largest);
  totals[t] = sum;
  __syncthreads();
  double before = 0;
  for (int i = 0; i < t; ++i) before += totals[i];
  for (int64_t i = begin; i < end; ++i) sums[i] += before;
}

// The first index whose cumulative weight exceeds `target`, which is below the last.
__device__ int64_t search(const double* cumulative, int64_t classes, double target) {
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

__global__ void __launch_bounds__(kThreads)
    draw_kernel(RandomStream stream, const double* cumulative, int64_t rows, int64_t classes,
                int64_t samples, int64_t* out) {
  const Philox philox(stream);
  for (int64_t i = first_element(); i < rows * samples; i += element_step()) {
    const double* sums = cumulative + i / samples * classes;
    const double u = static_cast<double>(philox.bits64(i) >> 11) * 0x1p-53;
    out[i] = search(sums, classes, u * sums[classes - 1]);
  }
}

template <class T>
PydlStatus sample_rows(const PydlContext* context, const PydlCategoricalArgs* args) {
  const Scratch<double> cumulative(context, args->rows * args->classes);
  if (!cumulative) return PYDL_ERROR_MEMORY;
  const int threads = args->classes <= 128 ? 32 : kThreads;
  const PydlStatus status = launch(context, dim3(static_cast<unsigned>(args->rows)), dim3(threads),
                                   0, cumulative_kernel<T>, static_cast<const T*>(args->logits),
                                   args->classes, cumulative.data());
  if (status != PYDL_OK) return status;
  return launch_elements(context, args->rows * args->samples, draw_kernel,
                         random_stream(context, args->state),
                         static_cast<const double*>(cumulative.data()), args->rows, args->classes,
                         args->samples, args->out);
}

}  // namespace

PydlStatus permutation(const PydlContext* context, const PydlPermutationArgs* args) {
  const int64_t count = args->count;
  if (count == 0) return PYDL_OK;
  const int rounds = shuffle_rounds(count);
  const Scratch<int64_t> places(context, count), list(context, count), other(context, count);
  const Scratch<Word> reserved(context, count), sizes(context, rounds + 1);
  if (!places || !list || !other || !reserved || !sizes) return PYDL_ERROR_MEMORY;
  const Shuffle shuffle = {count, args->out, places.data(), reserved.data()};
  const PydlStatus status =
      launch_elements(context, count, begin_shuffle, random_stream(context, args->state), shuffle,
                      sizes.data(), rounds);
  if (status != PYDL_OK) return status;
  int64_t* lists[2] = {list.data(), other.data()};
  return run_rounds(context, shuffle, lists, sizes.data(), rounds);
}

PydlStatus categorical(const PydlContext* context, const PydlCategoricalArgs* args) {
  if (args->rows * args->samples == 0) return PYDL_OK;
  if (args->dtype == PYDL_FLOAT32) return sample_rows<float>(context, args);
  if (args->dtype == PYDL_FLOAT64) return sample_rows<double>(context, args);
  return fail_dtype(context, "categorical", "float32 or float64", args->dtype);
}

}  // namespace pydl::cuda
