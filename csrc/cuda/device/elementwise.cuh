// What every elementwise kernel shares. A thread takes a few elements: as whole vectors where the rows
// of all operands are aligned and dense or repeat one value, else one by one. A body sees arrays of
// values of the compute type, and so chooses its op once for all of them.
#pragma once

#include "cuda/device/strided.cuh"
#include "cuda/kernel.h"
#include "pydl/cuda/dtype.cuh"
#include "pydl/cuda/vector.cuh"

namespace pydl::cuda {
namespace {

constexpr int kElementwiseThreads = 256;

// An operand as the caller describes it.
template <class T>
struct Operand {
  T* data;
  const int64_t* strides;
};
template <class T>
inline Operand<const T> input(const void* data, const int64_t* strides) {
  return {static_cast<const T*>(data), strides};
}
template <class T>
inline Operand<T> output(void* data, const int64_t* strides) {
  return {static_cast<T*>(data), strides};
}

// The last array is the output.
template <int kArrays>
struct ElementwisePlan {
  StridedIndex<kArrays> index;
  uint32_t count;
  bool vectors;           // whole vectors lie in one row of every operand
  bool repeats[kArrays];  // a row is one element, repeated
};

template <class... T>
struct Share {  // of a thread
  static constexpr int largest() {
    int size = 2;  // more than 8 values of one byte would take too many registers
    ((size = static_cast<int>(sizeof(T)) > size ? static_cast<int>(sizeof(T)) : size), ...);
    return size;
  }
  static constexpr int width = kVectorBytes / largest();  // elements of a vector
  static constexpr int values = largest() == 8 ? 4 : 8;
};

template <class T, int kValues>
struct Values {
  T v[kValues];
};

// Operand k while a thread works on it.
template <int k_, class T, int kValues>
struct Slot {
  static constexpr int k = k_;
  using Type = std::remove_const_t<T>;
  T* data;
  Type values[kValues] = {};

  template <int kWidth>
  __device__ void load(int first, int64_t offset, bool repeats, uint32_t count) {
    if (repeats) {
      const Type value = data[offset];
#pragma unroll
      for (int i = 0; i < kWidth; ++i) values[first + i] = value;
    } else if (count >= kWidth) {
      load_pack<kWidth>(data + offset, values + first);
    } else {
#pragma unroll
      for (int i = 0; i < kWidth; ++i) {
        if (i < static_cast<int>(count)) values[first + i] = data[offset + i];
      }
    }
  }
  template <int kWidth>
  __device__ void store(int first, int64_t offset, uint32_t count) const {
    if (count >= kWidth) {
      store_pack<kWidth>(values + first, data + offset);
    } else {
#pragma unroll
      for (int i = 0; i < kWidth; ++i) {
        if (i < static_cast<int>(count)) data[offset + i] = values[first + i];
      }
    }
  }
  __device__ Values<Compute<Type>, kValues> computed() const {
    Values<Compute<Type>, kValues> result;
#pragma unroll
    for (int i = 0; i < kValues; ++i) result.v[i] = to_compute(values[i]);
    return result;
  }
};

// In steps of kStep neighbours, which lie kStep * kElementwiseThreads apart.
template <int kStep, int kValues, int kArrays, class Visit>
__device__ void for_each_step(const ElementwisePlan<kArrays>& plan, Visit&& visit) {
  const uint32_t base = blockIdx.x * (kElementwiseThreads * kValues);
#pragma unroll
  for (int i = 0; i < kValues; i += kStep) {
    const uint32_t element = base + i * kElementwiseThreads + threadIdx.x * kStep;
    if (element < plan.count) visit(i, element);
  }
}

template <int kWidth, int kValues, int kArrays, class Body, class Out, class... In>
__device__ void run_elementwise(const ElementwisePlan<kArrays>& plan, const Body& body, Out out,
                                In... in) {
  if (plan.vectors) {
    for_each_step<kWidth, kValues>(plan, [&](int i, uint32_t element) {
      int64_t at[kArrays];
      plan.index.offsets(element, at);
      (in.template load<kWidth>(i, at[In::k], plan.repeats[In::k], plan.count - element), ...);
    });
  } else {
    for_each_step<1, kValues>(plan, [&](int i, uint32_t element) {
      int64_t at[kArrays];
      plan.index.offsets(element, at);
      ((in.values[i] = in.data[at[In::k]]), ...);
    });
  }
  Compute<typename Out::Type> results[kValues];
  body(results, in.computed().v...);
#pragma unroll
  for (int i = 0; i < kValues; ++i) out.values[i] = from_compute<typename Out::Type>(results[i]);
  // Offsets are found again rather than kept in registers meanwhile.
  if (plan.vectors) {
    for_each_step<kWidth, kValues>(plan, [&](int i, uint32_t element) {
      int64_t at[kArrays];
      plan.index.offsets(element, at);
      out.template store<kWidth>(i, at[Out::k], plan.count - element);
    });
  } else {
    for_each_step<1, kValues>(plan, [&](int i, uint32_t element) {
      int64_t at[kArrays];
      plan.index.offsets(element, at);
      out.data[at[Out::k]] = out.values[i];
    });
  }
}

template <class Body, class Out, class A>
__global__ void __launch_bounds__(kElementwiseThreads)
    elementwise_kernel(ElementwisePlan<2> plan, Body body, Out* out, const A* a) {
  constexpr int kValues = Share<Out, A>::values;
  run_elementwise<Share<Out, A>::width, kValues>(plan, body, Slot<1, Out, kValues>{out},
                                                 Slot<0, const A, kValues>{a});
}
template <class Body, class Out, class A, class B>
__global__ void __launch_bounds__(kElementwiseThreads)
    elementwise_kernel(ElementwisePlan<3> plan, Body body, Out* out, const A* a, const B* b) {
  constexpr int kValues = Share<Out, A, B>::values;
  run_elementwise<Share<Out, A, B>::width, kValues>(plan, body, Slot<2, Out, kValues>{out},
                                                    Slot<0, const A, kValues>{a},
                                                    Slot<1, const B, kValues>{b});
}
template <class Body, class Out, class A, class B, class C>
__global__ void __launch_bounds__(kElementwiseThreads)
    elementwise_kernel(ElementwisePlan<4> plan, Body body, Out* out, const A* a, const B* b,
                       const C* c) {
  constexpr int kValues = Share<Out, A, B, C>::values;
  run_elementwise<Share<Out, A, B, C>::width, kValues>(
      plan, body, Slot<3, Out, kValues>{out}, Slot<0, const A, kValues>{a},
      Slot<1, const B, kValues>{b}, Slot<2, const C, kValues>{c});
}

template <int kArrays>
ElementwisePlan<kArrays> plan_elementwise(int32_t rank, const int64_t* shape, int width,
                                          const int64_t* const (&strides)[kArrays],
                                          const bool (&aligned)[kArrays]) {
  ElementwisePlan<kArrays> plan = {{rank, shape, strides}, 0, true, {}};
  plan.count = static_cast<uint32_t>(count_of(rank, shape));
  const int last = rank - 1;
  if (rank > 1 && shape[last] % width != 0) plan.vectors = false;
  for (int k = 0; k < kArrays; ++k) {
    const int64_t step = rank > 0 ? strides[k][last] : 1;
    plan.repeats[k] = step == 0;
    if (step == 0) continue;
    plan.vectors = plan.vectors && step == 1 && aligned[k];
    for (int d = 0; d < last; ++d) plan.vectors = plan.vectors && strides[k][d] % width == 0;
  }
  plan.vectors = plan.vectors && !plan.repeats[kArrays - 1];
  return plan;
}

// out = body(in...) over the whole shape, in launches of fewer than 2^31 elements.
template <class Body, class Out, class... In>
PydlStatus elementwise(const PydlContext* context, int32_t rank, const int64_t* shape,
                       const Body& body, Operand<Out> out, Operand<In>... in) {
  const int64_t count = count_of(rank, shape);
  if (count == 0) return PYDL_OK;
  if (count >= kMaxIndex) {
    const int64_t half = shape[0] / 2;
    int64_t part[PYDL_MAX_RANK];
    for (int d = 0; d < rank; ++d) part[d] = shape[d];
    if (shape[0] == 1)
      return elementwise(context, rank - 1, shape + 1, body, Operand<Out>{out.data, out.strides + 1},
                         Operand<In>{in.data, in.strides + 1}...);
    part[0] = half;
    const PydlStatus status = elementwise(context, rank, part, body, out, in...);
    if (status != PYDL_OK) return status;
    part[0] = shape[0] - half;
    return elementwise(context, rank, part, body,
                       Operand<Out>{out.data + half * out.strides[0], out.strides},
                       Operand<In>{in.data + half * in.strides[0], in.strides}...);
  }
  constexpr int kWidth = Share<Out, std::remove_const_t<In>...>::width;
  constexpr int kValues = Share<Out, std::remove_const_t<In>...>::values;
  const auto plan = plan_elementwise<sizeof...(In) + 1>(
      rank, shape, kWidth, {in.strides..., out.strides},
      {is_aligned(in.data, kWidth * sizeof(In))..., is_aligned(out.data, kWidth * sizeof(Out))});
  const int64_t blocks = divide_up(count, kElementwiseThreads * kValues);
  return launch(context, dim3(static_cast<uint32_t>(blocks)), dim3(kElementwiseThreads), 0,
                elementwise_kernel<Body, Out, std::remove_const_t<In>...>, plan, body, out.data,
                in.data...);
}

}  // namespace
}  // namespace pydl::cuda
