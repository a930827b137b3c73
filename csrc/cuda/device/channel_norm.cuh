// Normalisation of a dense (batch, rows, channels) array by statistics that are taken down its
// columns: what group_norm and batch_norm have in common.
#pragma once

#include "cuda/device/elementwise.cuh"
#include "cuda/device/moments.cuh"
#include "pydl/kernels/norm.h"

namespace pydl::cuda {
namespace {

constexpr int kChannelThreads = 256;

struct Channels {
  int64_t batch, rows, channels, groups;
};

// For each channel of each batch item: y = (x - centre) scale + beta.
template <class C>
__global__ void __launch_bounds__(kChannelThreads)
    channel_scale_kernel(Channels shape, const C* mean, const C* inverse_std, const C* gamma,
                         C* centre, C* scale) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kChannelThreads + threadIdx.x;
  if (i >= shape.batch * shape.channels) return;
  const int64_t group = i / (shape.channels / shape.groups);
  centre[i] = mean[group];
  scale[i] = inverse_std[group] * (gamma ? gamma[i % shape.channels] : C(1));
}

// Calls visit(i, element, at, channel) for the elements of a thread: neighbours where vectors may be
// used. `at` counts channels of batch items.
template <class T, class Row>
__global__ void __launch_bounds__(kChannelThreads)
    apply_kernel(int64_t elements, int64_t item_elements, int64_t channels, bool vectors, Row row) {
  constexpr int kWidth = kVectorBytes / static_cast<int>(sizeof(T));
  const int64_t thread = static_cast<int64_t>(blockIdx.x) * kChannelThreads + threadIdx.x;
  if (vectors) {
    const int64_t first = thread * kWidth;
    if (first >= elements) return;
    const int64_t channel = first % channels;
    row.template run<kWidth>(first, first / item_elements * channels + channel, channel);
  } else {
#pragma unroll
    for (int i = 0; i < kWidth; ++i) {
      const int64_t element =
          static_cast<int64_t>(blockIdx.x) * kChannelThreads * kWidth + i * kChannelThreads +
          threadIdx.x;
      if (element >= elements) return;
      const int64_t channel = element % channels;
      row.template run<1>(element, element / item_elements * channels + channel, channel);
    }
  }
}

template <class T, class Row>
PydlStatus apply_rows(const PydlContext* context, const Channels& shape, bool aligned,
                      const Row& row) {
  constexpr int kWidth = kVectorBytes / static_cast<int>(sizeof(T));
  const int64_t elements = shape.batch * shape.rows * shape.channels;
  const int64_t blocks = divide_up(elements, kChannelThreads * kWidth);
  return launch(context, dim3(static_cast<uint32_t>(blocks)), dim3(kChannelThreads), 0,
                apply_kernel<T, Row>, elements, shape.rows * shape.channels, shape.channels,
                aligned && shape.channels % kWidth == 0, row);
}

template <class T>
struct ScaleRow {
  using C = Compute<T>;
  const T* x;
  const C *centre, *scale, *beta;
  T* y;
  template <int n>
  __device__ void run(int64_t element, int64_t at, int64_t channel) const {
    T v[n];
    load_pack<n>(x + element, v);
#pragma unroll
    for (int i = 0; i < n; ++i) {
      const C shift = beta ? beta[channel + i] : C(0);
      v[i] = from_compute<T>((to_compute(v[i]) - centre[at + i]) * scale[at + i] + shift);
    }
    store_pack<n>(v, y + element);
  }
};

// y = (x - mean) inverse_std gamma + beta, with the statistics (batch, groups).
template <class T, class C = Compute<T>>
PydlStatus normalise(const PydlContext* context, const Channels& shape, const T* x,
                     const void* gamma, const void* beta, const C* mean, const C* inverse_std,
                     T* y) {
  const int64_t all = shape.batch * shape.channels;
  Scratch<C> of_channels(context, 2 * all + 1);
  if (!of_channels) return context->fail(context, PYDL_ERROR_MEMORY, "[norm] out of memory");
  C *centre = of_channels.data(), *scale = centre + all;
  const PydlStatus status =
      launch(context, dim3(static_cast<uint32_t>(divide_up(all, kChannelThreads))),
             dim3(kChannelThreads), 0, channel_scale_kernel<C>, shape, mean, inverse_std,
             static_cast<const C*>(gamma), centre, scale);
  if (status != PYDL_OK) return status;
  return apply_rows<T>(context, shape, is_aligned(x) && is_aligned(y),
                       ScaleRow<T>{x, centre, scale, static_cast<const C*>(beta), y});
}

// dy and dy (x - mean)
template <class T>
struct GradientTerms {
  using C = Compute<T>;
  Channels shape;
  const T *x, *dy;
  const C* mean;
  __device__ void operator()(int64_t item, int64_t row, int64_t channel, C (&values)[2]) const {
    const int64_t at = (item * shape.rows + row) * shape.channels + channel;
    const int64_t group = (item * shape.channels + channel) / (shape.channels / shape.groups);
    values[0] = to_compute(dy[at]);
    values[1] = values[0] * (to_compute(x[at]) - mean[group]);
  }
};

// What dx and the gradients of the parameters need of each channel of each batch item; with g = dy
// gamma: dx = dy scale - shift - (x - centre) slope. One warp a group.
template <class C>
struct ChannelGradient {
  C *centre, *scale, *shift, *slope;  // shift and slope come as the sums of dy and of dy (x - mean)
  C *dbeta, *dgamma;                  // of each batch item
};
template <class C>
__global__ void __launch_bounds__(kGroupThreads)
    channel_gradient_kernel(Channels shape, bool constant_statistics, const C* mean,
                            const C* inverse_std, const C* gamma, ChannelGradient<C> out) {
  const int64_t size = shape.channels / shape.groups;
  const int64_t group = static_cast<int64_t>(blockIdx.x) * (kGroupThreads / kWarp) +
                        threadIdx.x / kWarp;
  const bool inside = group < shape.batch * shape.groups;
  const int lane = threadIdx.x % kWarp;
  const C inverse = inside ? inverse_std[group] : C(0);
  const auto weight = [&](int64_t i) { return gamma ? gamma[i % shape.channels] : C(1); };
  C g_sum = 0, product_sum = 0;
  for (int64_t i = group * size + lane; inside && i < (group + 1) * size; i += kWarp) {
    out.dbeta[i] = out.shift[i];
    out.dgamma[i] = out.slope[i] * inverse;
    g_sum += out.shift[i] * weight(i);
    product_sum += out.slope[i] * inverse * weight(i);
  }
  g_sum = reduce_lanes<kWarp>(g_sum, Add());
  product_sum = reduce_lanes<kWarp>(product_sum, Add());
  if (!inside) return;
  const C count = static_cast<C>(shape.rows * size), kept = constant_statistics ? C(0) : C(1);
  for (int64_t i = group * size + lane; i < (group + 1) * size; i += kWarp) {
    out.centre[i] = mean[group];
    out.scale[i] = inverse * weight(i);
    out.shift[i] = kept * inverse * g_sum / count;
    out.slope[i] = kept * inverse * inverse * product_sum / count;
  }
}

template <class T>
struct GradientRow {
  using C = Compute<T>;
  const T *x, *dy;
  const C *centre, *scale, *shift, *slope;
  T* dx;
  template <int n>
  __device__ void run(int64_t element, int64_t at, int64_t) const {
    T v[n], d[n];
    load_pack<n>(x + element, v);
    load_pack<n>(dy + element, d);
#pragma unroll
    for (int i = 0; i < n; ++i) {
      const C centred = to_compute(v[i]) - centre[at + i];
      d[i] = from_compute<T>(to_compute(d[i]) * scale[at + i] - shift[at + i] -
                             centred * slope[at + i]);
    }
    store_pack<n>(d, dx + element);
  }
};

// With x^ the normalised x and g = dy gamma: dx = inverse_std (g - mean(g) - x^ mean(g x^)), where
// the means are left out when the statistics are constants.
template <class T>
PydlStatus normalise_backward(const PydlContext* context, const PydlGroupNormBackwardArgs& args,
                              bool constant_statistics) {
  using C = Compute<T>;
  const Channels shape = {args.batch, args.rows, args.channels, args.groups};
  const T* x = static_cast<const T*>(args.x);
  const T* dy = static_cast<const T*>(args.dy);
  const C* mean = static_cast<const C*>(args.mean);
  const int64_t n = shape.channels, all = shape.batch * n;
  if (n == 0) return PYDL_OK;
  Scratch<C> memory(context, 6 * all + 1);
  if (!memory) return context->fail(context, PYDL_ERROR_MEMORY, "[norm] out of memory");
  C* part = memory.data();
  const ChannelGradient<C> of = {part,           part + all,     part + 2 * all,
                                 part + 3 * all, part + 4 * all, part + 5 * all};
  PydlStatus status = sum_columns<C, 2>(context, shape.batch, shape.rows, n,
                                        GradientTerms<T>{shape, x, dy, mean}, {of.shift, of.slope});
  if (status != PYDL_OK) return status;
  const int64_t blocks = divide_up(shape.batch * shape.groups, kGroupThreads / kWarp);
  status = launch(context, dim3(static_cast<uint32_t>(blocks)), dim3(kGroupThreads), 0,
                  channel_gradient_kernel<C>, shape, constant_statistics, mean,
                  static_cast<const C*>(args.inverse_std), static_cast<const C*>(args.gamma), of);
  if (status != PYDL_OK) return status;
  if (args.dbeta || args.dgamma) {
    status = add_partial_sums<C, 2>(context, of.dbeta, 1, shape.batch, n,
                                    {static_cast<C*>(args.dbeta), static_cast<C*>(args.dgamma)});
    if (status != PYDL_OK) return status;
  }
  if (!args.dx) return PYDL_OK;
  T* dx = static_cast<T*>(args.dx);
  return apply_rows<T>(context, shape, is_aligned(x) && is_aligned(dy) && is_aligned(dx),
                       GradientRow<T>{x, dy, of.centre, of.scale, of.shift, of.slope, dx});
}

}  // namespace
}  // namespace pydl::cuda
