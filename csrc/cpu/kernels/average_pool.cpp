#include "cpu/pool.h"
#include "cpu/simd/dtype.h"
#include "pydl/kernels/pool.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

template <class S>
struct Forward {
  using T = Compute<S>;
  const PydlPoolArgs& args;
  const PoolAxis rows, columns;

  void operator()(int64_t pixel, int64_t n, int64_t oh, int64_t ow) const {
    const S* x = static_cast<const S*>(args.x) + n * rows.size * columns.size * args.channels;
    const Range hs = rows.inputs(oh), ws = columns.inputs(ow);
    for_each_channels<T>(args.channels, [&](auto vectors, int64_t c, auto... lanes) {
      S* y = static_cast<S*>(args.y) + pixel * args.channels + c;
      pool<decltype(vectors)::value>(x + c, hs, ws, y, lanes...);
    });
  }

 private:
  template <int vectors, class... Lanes>
  void pool(const S* x, Range hs, Range ws, S* y, Lanes... lanes) const {
    constexpr int kSize = Vec<T>::size;
    Vec<T> sum[vectors];
    for (Vec<T>& each : sum) each = Vec<T>(T(0));
    for (int64_t h = hs.begin; h < hs.end; ++h) {
      const S* from = x + (h * columns.size + ws.begin) * args.channels;
      for (int64_t w = ws.begin; w < ws.end; ++w, from += args.channels) {
#pragma GCC unroll 4
        for (int j = 0; j < vectors; ++j) sum[j] += load(ask_after(from + j * kSize), lanes...);
      }
    }
    const Vec<T> count(static_cast<T>(hs.count() * ws.count()));
    for (int j = 0; j < vectors; ++j) store(sum[j] / count, y + j * kSize, lanes...);
  }
};

// Every input gathers from the windows that hold it, so that threads never write to the same place.
template <class S>
struct Backward {
  using T = Compute<S>;
  const PydlPoolBackwardArgs& args;
  const PoolAxis rows, columns;
  const OutputRanges &row_outputs, &column_outputs;
  const T full_share;  // of an input in a window without padding
  const bool all_full;  // windows
  const bool streams;

  void operator()(int64_t pixel, int64_t n, int64_t h, int64_t w) const {
    const S* dy =
        static_cast<const S*>(args.dy) + n * rows.out_size * columns.out_size * args.channels;
    const Range ohs = row_outputs[h], ows = column_outputs[w];
    for_each_channels<T>(args.channels, [&](auto vectors, int64_t c, auto... lanes) {
      S* dx = static_cast<S*>(args.dx) + pixel * args.channels + c;
      gather<decltype(vectors)::value>(dy + c, ohs, ows, dx, lanes...);
    });
  }

 private:
  T share(int64_t oh, int64_t ow) const {
    const int64_t count = rows.inputs(oh).count() * columns.inputs(ow).count();
    return count == rows.window * columns.window ? full_share : 1 / static_cast<T>(count);
  }

  template <int vectors, class... Lanes>
  void gather(const S* dy, Range ohs, Range ows, S* dx, Lanes... lanes) const {
    constexpr int kSize = Vec<T>::size;
    Vec<T> sum[vectors];
    for (Vec<T>& each : sum) each = Vec<T>(T(0));
    for (int64_t oh = ohs.begin; oh < ohs.end; ++oh) {
      for (int64_t ow = ows.begin; ow < ows.end; ++ow) {
        const Vec<T> factor(all_full ? full_share : share(oh, ow));
        const S* from = dy + (oh * columns.out_size + ow) * args.channels;
#pragma GCC unroll 4
        for (int j = 0; j < vectors; ++j) {
          sum[j] = fma(load(from + j * kSize, lanes...), factor, sum[j]);
        }
      }
    }
    put_registers(sum, dx, streams, lanes...);
  }
};

}  // namespace

PydlStatus average_pool_forward(const PydlContext* context, const PydlPoolArgs* args) {
  return visit_floating(context, "average_pool", args->dtype, [&](auto zero) {
    const Forward<decltype(zero)> body = {*args, PoolAxis(*args, 0), PoolAxis(*args, 1)};
    const int64_t grain = pixel_grain(*args, args->window[0] * args->window[1]);
    for_each_pixel(context, args->batch, args->out_size, grain, body);
    return PYDL_OK;
  });
}

PydlStatus average_pool_backward(const PydlContext* context, const PydlPoolBackwardArgs* args) {
  return visit_floating(context, "average_pool", args->dtype, [&](auto zero) {
    using S = decltype(zero);
    const auto count = static_cast<Compute<S>>(args->window[0] * args->window[1]);
    return with_output_ranges(context, *args, [&](const auto& rows, const auto& columns) {
      const Backward<S> body = {*args, PoolAxis(*args, 0), PoolAxis(*args, 1),
                                rows,  columns,            1 / count,
                                PoolAxis(*args, 0).all_full() && PoolAxis(*args, 1).all_full(),
                                streams_pixels(*args, args->dx, sizeof(S))};
      for_each_pixel(context, args->batch, args->size, pixel_grain(*args, 1), body);
    });
  });
}

}  // namespace pydl::cpu::PYDL_ISA
