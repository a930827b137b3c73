// Reductions. A block works on some results, with a share of its threads for each; where there are few
// results, the reduced elements are cut into chunks and the chunks' results reduced again. The cuts
// depend on nothing but the shape.
#include "cuda/device/math.cuh"
#include "cuda/device/strided.cuh"
#include "cuda/kernel.h"
#include "pydl/cuda/vector.cuh"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/reduce.h"

namespace pydl::cuda {
namespace {

constexpr int kThreads = 256;

// Elements of a vector: 16 counters of 8 bytes would not fit in the registers.
template <class T>
constexpr int kWidthOf = sizeof(T) == 1 ? 8 : kVectorBytes / static_cast<int>(sizeof(T));

enum Combine { kAdd, kMultiply, kLargest, kSmallest };
enum Map { kSame, kAbsolute, kSquare };

// What happens to elements; the same for all of a launch, so that one kernel serves all reductions.
struct Recipe {
  Combine combine;
  Map map;
};

template <class A>
struct Steps {
  Recipe recipe;

  __device__ A identity() const {
    constexpr bool is_real = std::is_floating_point_v<A>;
    switch (recipe.combine) {
      case kAdd: return is_real ? A(-0.0) : A(0);  // x + 0.0 would lose the sign of x = -0.0
      case kMultiply: return A(1);
      default: break;
    }
    if constexpr (is_real) {
      return recipe.combine == kLargest ? -static_cast<A>(INFINITY) : static_cast<A>(INFINITY);
    } else {
      constexpr A lowest = static_cast<A>(std::make_unsigned_t<A>(1) << (8 * sizeof(A) - 1));
      return recipe.combine == kLargest ? lowest : static_cast<A>(-1 - lowest);
    }
  }
  __device__ A mapped(A x) const {
    if (recipe.map == kSquare) return product(x, x);
    if (recipe.map == kSame) return x;
    if constexpr (std::is_floating_point_v<A>) {
      return ::fabs(x);
    } else {
      return x < 0 ? static_cast<A>(-static_cast<std::make_unsigned_t<A>>(x)) : x;
    }
  }
  __device__ A combined(A a, A b) const {
    switch (recipe.combine) {
      case kAdd: return sum(a, b);
      case kMultiply: return product(a, b);
      case kLargest: return maximum(a, b);
      default: return minimum(a, b);
    }
  }

 private:  // integers wrap around
  __device__ static A sum(A a, A b) {
    if constexpr (std::is_floating_point_v<A>) return a + b;
    else return static_cast<A>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  }
  __device__ static A product(A a, A b) {
    if constexpr (std::is_floating_point_v<A>) return a * b;
    else return static_cast<A>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  }
};

struct ReduceGrid {
  StridedIndex<1> kept, reduced;
  int64_t kept_count, reduced_count;
  int64_t chunks, chunk_size, kept_blocks;
  int groups;         // threads of one result
  bool kept_fastest;  // neighbouring threads work on neighbouring results
  bool is_line, vectors;  // reduced elements have one stride; and lie in aligned vectors
};

struct Result {
  void* data;
  PydlDType dtype;
  double divisor;

  template <class A>
  __device__ void write(int64_t i, A value) const {
    if constexpr (std::is_floating_point_v<A>) {
      if (divisor != 1) value /= static_cast<A>(divisor);
    }
    switch (dtype) {
      case PYDL_FLOAT32: static_cast<float*>(data)[i] = static_cast<float>(value); break;
      case PYDL_FLOAT64: static_cast<double*>(data)[i] = static_cast<double>(value); break;
      case PYDL_FLOAT16:
        static_cast<float16*>(data)[i] = from_compute<float16>(static_cast<float>(value));
        break;
      case PYDL_BFLOAT16:
        static_cast<bfloat16*>(data)[i] = from_compute<bfloat16>(static_cast<float>(value));
        break;
      case PYDL_INT8: static_cast<int8_t*>(data)[i] = static_cast<int8_t>(value); break;
      case PYDL_INT32: static_cast<int32_t*>(data)[i] = static_cast<int32_t>(value); break;
      case PYDL_INT64: static_cast<int64_t*>(data)[i] = static_cast<int64_t>(value); break;
      default: static_cast<uint8_t*>(data)[i] = static_cast<uint8_t>(value); break;
    }
  }
};

// What counting does to an element, and every other reduction.
template <class T, class A, bool kCounts>
__device__ inline A element(const Steps<A>& steps, T x) {
  if constexpr (kCounts) return to_compute(x) != Compute<T>(0) ? A(1) : A(0);
  else return steps.mapped(static_cast<A>(to_compute(x)));
}

// One thread's share of elements [begin, end) of a result.
template <class T, class A, bool kCounts>
__device__ A reduce_share(const ReduceGrid& grid, const Steps<A>& steps, const T* x, int64_t begin,
                          int64_t end, int group) {
  constexpr int kWidth = kWidthOf<T>, kParts = 4;
  A parts[kParts];
#pragma unroll
  for (int k = 0; k < kParts; ++k) parts[k] = steps.identity();
  const auto take = [&](int k, T value) {
    parts[k] = steps.combined(parts[k], element<T, A, kCounts>(steps, value));
  };
  if (grid.vectors) {
#pragma unroll 2
    for (int64_t i = begin + group * kWidth; i < end; i += grid.groups * kWidth) {
      if (i + kWidth <= end) {
        T values[kWidth];
        load_pack<kWidth>(x + i, values);
#pragma unroll
        for (int j = 0; j < kWidth; ++j) take(j % kParts, values[j]);
      } else {
        for (int64_t j = i; j < end; ++j) take(0, x[j]);
      }
    }
  } else {
    const int64_t step = grid.groups;
    for (int64_t i = begin + group; i < end; i += kParts * step) {
#pragma unroll
      for (int k = 0; k < kParts; ++k) {
        const int64_t at = i + k * step;
        if (at >= end) break;
        const int64_t offset = grid.is_line ? at * grid.reduced.strides[0][0]
                                            : grid.reduced.offset(static_cast<uint32_t>(at));
        take(k, x[offset]);
      }
    }
  }
  return steps.combined(steps.combined(parts[0], parts[1]), steps.combined(parts[2], parts[3]));
}

// Results of chunks go to partials[chunk][kept]; without partials there is one chunk.
template <class T, class A, bool kCounts>
__global__ void __launch_bounds__(kThreads)
    reduce_kernel(ReduceGrid grid, Recipe recipe, const T* x, A* partials, Result result) {
  __shared__ A shared[kThreads];
  const Steps<A> steps = {recipe};
  const int kept_threads = kThreads / grid.groups, thread = threadIdx.x;
  const int lane = grid.kept_fastest ? thread % kept_threads : thread / grid.groups;
  const int group = grid.kept_fastest ? thread / kept_threads : thread % grid.groups;
  const int stride = grid.kept_fastest ? kept_threads : 1;  // from one group to the next
  const int64_t kept = blockIdx.x % grid.kept_blocks * kept_threads + lane;
  const int64_t chunk = blockIdx.x / grid.kept_blocks, begin = chunk * grid.chunk_size;
  const int64_t rest = grid.reduced_count - begin;
  A value = steps.identity();
  if (kept < grid.kept_count)
    value = reduce_share<T, A, kCounts>(grid, steps,
                                        x + grid.kept.offset(static_cast<uint32_t>(kept)), begin,
                                        begin + (rest < grid.chunk_size ? rest : grid.chunk_size),
                                        group);
  for (int step = grid.groups / 2; step > 0; step /= 2) {
    shared[thread] = value;
    __syncthreads();
    if (group < step) value = steps.combined(value, shared[thread + step * stride]);
    __syncthreads();
  }
  if (group != 0 || kept >= grid.kept_count) return;
  if (partials) partials[chunk * grid.kept_count + kept] = value;
  else result.write(kept, value);
}

int64_t power_of_two(int64_t n, int64_t most) {  // at least n
  int64_t power = 1;
  while (power < n && power < most) power *= 2;
  return power;
}

template <class T>
ReduceGrid plan(const PydlReduceArgs& a) {
  constexpr int64_t kWidth = kWidthOf<T>, kEnoughBlocks = 1024;
  ReduceGrid grid = {};
  grid.kept = {a.kept_rank, a.kept_shape, {a.kept_strides}};
  grid.reduced = {a.reduced_rank, a.reduced_shape, {a.reduced_strides}};
  grid.kept_count = count_of(a.kept_rank, a.kept_shape);
  grid.reduced_count = count_of(a.reduced_rank, a.reduced_shape);
  grid.is_line = a.reduced_rank <= 1;
  const int64_t run = a.reduced_rank ? a.reduced_strides[a.reduced_rank - 1] : 1;
  const int64_t step = a.kept_rank ? a.kept_strides[a.kept_rank - 1] : 0;
  grid.kept_fastest = grid.kept_count > 1 && (step == 1 || grid.reduced_count == 1) && run != 1;
  grid.vectors = !grid.kept_fastest && grid.is_line && run == 1 && is_aligned(a.x);
  for (int d = 0; d < a.kept_rank; ++d)
    grid.vectors = grid.vectors && a.kept_strides[d] % kWidth == 0;
  if (grid.kept_fastest) {
    const int64_t most = kThreads / power_of_two(grid.kept_count, 32);
    grid.groups = static_cast<int>(power_of_two(divide_up(grid.reduced_count, 2), most));
  } else {
    const int64_t share = 4 * (grid.vectors ? kWidth : 1);
    grid.groups = static_cast<int>(power_of_two(divide_up(grid.reduced_count, share), kThreads));
  }
  grid.kept_blocks = divide_up(grid.kept_count, kThreads / grid.groups);
  const int64_t most = divide_up(grid.reduced_count, grid.groups * 8 * kWidth);
  const int64_t wanted = divide_up(kEnoughBlocks, grid.kept_blocks);
  const int64_t chunks = most < wanted ? most : wanted;
  grid.chunk_size = divide_up(divide_up(grid.reduced_count, chunks), kWidth) * kWidth;
  grid.chunks = divide_up(grid.reduced_count, grid.chunk_size);
  return grid;
}

template <class T, class A, bool kCounts>
PydlStatus run(const PydlContext* context, const PydlReduceArgs& a, Recipe recipe, Result result) {
  const ReduceGrid grid = plan<T>(a);
  if (grid.kept_count >= kMaxIndex || (grid.reduced_count >= kMaxIndex && !grid.is_line))
    return context->fail(context, PYDL_ERROR_SHAPE,
                         "[reduce] expected fewer than 2^31 results, of fewer than 2^31 elements "
                         "each. Hint: reduce parts of the array");
  Scratch<A> partials(context, grid.chunks > 1 ? grid.chunks * grid.kept_count : 1);
  if (!partials) return context->fail(context, PYDL_ERROR_MEMORY, "[reduce] out of memory");
  const PydlStatus status =
      launch(context, dim3(static_cast<uint32_t>(grid.kept_blocks * grid.chunks)), dim3(kThreads),
             0, reduce_kernel<T, A, kCounts>, grid, recipe, static_cast<const T*>(a.x),
             grid.chunks > 1 ? partials.data() : nullptr, result);
  if (status != PYDL_OK || grid.chunks == 1) return status;
  PydlReduceArgs again = {};
  again.x = partials.data();
  again.kept_rank = again.reduced_rank = 1;
  again.kept_shape[0] = again.reduced_strides[0] = grid.kept_count;
  again.kept_strides[0] = 1;
  again.reduced_shape[0] = grid.chunks;
  return run<A, A, false>(context, again, {recipe.combine, kSame}, result);
}

template <class T>
PydlStatus reduce_dtype(const PydlContext* context, const PydlReduceArgs& a) {
  using C = Compute<T>;
  using A = std::conditional_t<sizeof(T) == 1, int32_t, C>;
  const PydlDType total = sizeof(T) == 1 ? PYDL_INT32 : a.dtype;
  const double count = static_cast<double>(count_of(a.reduced_rank, a.reduced_shape));
  const auto numeric = [&](Combine combine, Map map, PydlDType dtype, double divisor = 1) {
    return run<T, A, false>(context, a, {combine, map}, {a.out, dtype, divisor});
  };
  switch (a.op) {
    case PYDL_REDUCE_sum: return numeric(kAdd, kSame, total);
    case PYDL_REDUCE_mean: return numeric(kAdd, kSame, total, count);
    case PYDL_REDUCE_prod: return numeric(kMultiply, kSame, total);
    case PYDL_REDUCE_max: return numeric(kLargest, kSame, a.dtype);
    case PYDL_REDUCE_min: return numeric(kSmallest, kSame, a.dtype);
    case PYDL_REDUCE_sum_abs: return numeric(kAdd, kAbsolute, total);
    case PYDL_REDUCE_sum_squares: return numeric(kAdd, kSquare, total);
    case PYDL_REDUCE_count_nonzero:
      return run<T, int64_t, true>(context, a, {kAdd, kSame}, {a.out, PYDL_INT32, 1});
    default: return context->fail(context, PYDL_ERROR_VALUE, "[reduce] unknown reduction");
  }
}

}  // namespace

PydlStatus reduce(const PydlContext* context, const PydlReduceArgs* args) {
  const PydlDType dtype = args->dtype == PYDL_BOOL ? PYDL_UINT8 : args->dtype;
  return visit_number(context, "reduce", dtype, [&](auto zero) {
    return reduce_dtype<decltype(zero)>(context, *args);
  });
}

}  // namespace pydl::cuda
