// argmax and argmin: the extreme value and where it was first seen go through the reduction together.
#include "cuda/device/columns.cuh"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/reduce.h"

namespace pydl::cuda {
namespace {

// The number of an element is -1 before the first one is seen.
template <class C, bool kLargest>
struct Best {
  C value = C(0);
  int32_t position = -1;

  // NaN counts as larger and as smaller than everything.
  __device__ static bool is_better(C a, C b) {
    if (a != a || b != b) return a != a && b == b;
    return kLargest ? a > b : a < b;
  }
  __device__ void merge(const Best& other) {
    if (other.position < 0) return;
    const bool is_tie = !is_better(other.value, value) && !is_better(value, other.value);
    if (position < 0 || (is_tie ? other.position < position : is_better(other.value, value)))
      *this = other;
  }
};

template <class T, bool kLargest>
struct ArgReducer {
  using State = Best<Compute<T>, kLargest>;
  int64_t rows, columns;
  const T* x;
  int32_t* out;    // of the last pass
  State* partial;  // of the one before it

  __device__ void read(State& state, int64_t item, int64_t row, int64_t column) const {
    State seen;
    seen.value = to_compute(x[(item * rows + row) * columns + column]);
    seen.position = static_cast<int32_t>(row);
    state.merge(seen);
  }
  __device__ void write(const State& state, int64_t, int64_t index) const {
    if (partial) partial[index] = state;
    else out[index] = state.position;
  }
};

template <class S>
struct PartReducer {
  using State = S;
  const State* parts;  // (items, parts, columns)
  int64_t count, columns;
  int32_t* out;

  __device__ void read(State& state, int64_t item, int64_t part, int64_t column) const {
    state.merge(parts[(item * count + part) * columns + column]);
  }
  __device__ void write(const State& state, int64_t, int64_t index) const {
    out[index] = state.position;
  }
};

template <class T, bool kLargest>
PydlStatus arg_reduce_as(const PydlContext* context, const PydlArgReduceArgs& a) {
  using State = Best<Compute<T>, kLargest>;
  const ColumnGrid grid(a.outer, a.n, a.inner);
  Scratch<State> parts(context, grid.results() + 1);
  if (!parts) return context->fail(context, PYDL_ERROR_MEMORY, "[arg_reduce] out of memory");
  const bool in_parts = grid.chunks > 1;
  const PydlStatus status = reduce_columns(
      context, grid,
      ArgReducer<T, kLargest>{a.n, a.inner, static_cast<const T*>(a.x), a.out,
                              in_parts ? parts.data() : nullptr});
  if (status != PYDL_OK || !in_parts) return status;
  return reduce_columns(context, ColumnGrid(a.outer, grid.chunks, a.inner, true),
                        PartReducer<State>{parts.data(), grid.chunks, a.inner, a.out});
}

}  // namespace

PydlStatus arg_reduce(const PydlContext* context, const PydlArgReduceArgs* args) {
  const PydlDType dtype = args->dtype == PYDL_BOOL ? PYDL_UINT8 : args->dtype;
  return visit_number(context, "arg_reduce", dtype, [&](auto zero) {
    using T = decltype(zero);
    return args->largest ? arg_reduce_as<T, true>(context, *args)
                         : arg_reduce_as<T, false>(context, *args);
  });
}

}  // namespace pydl::cuda
