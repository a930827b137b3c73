#include <math.h>

#include "cpu/pool.h"
#include "cpu/simd/dtype.h"
#include "pydl/kernels/pool.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// Winners, a lane of Vec<T> each.
template <class T>
using Positions = Vec<IntLike<T>>;

inline Positions<float> load_winners(float, const uint16_t* from) {
  isa::HalfBits bits;
  memcpy(&bits, from, sizeof bits);
  return (Positions<float>::Raw)isa::widen_bits(bits);
}
inline Positions<float> load_winners(float, const uint16_t* from, int count) {
  return (Positions<float>::Raw)isa::widen_bits(isa::load_partial_half(from, count));
}
inline Positions<double> load_winners(double, const uint16_t* from, int count = Vec<double>::size) {
  int64_t lanes[Vec<double>::size] = {};
  for (int i = 0; i < count; ++i) lanes[i] = from[i];
  return Positions<double>::load(lanes);
}
inline void store_winners(Positions<float> winners, uint16_t* to) {
  const isa::HalfBits bits = isa::narrow_bits((isa::Raw<uint32_t>)winners.v);
  memcpy(to, &bits, sizeof bits);
}
inline void store_winners(Positions<float> winners, uint16_t* to, int count) {
  isa::store_partial_half(to, isa::narrow_bits((isa::Raw<uint32_t>)winners.v), count);
}
inline void store_winners(Positions<double> winners, uint16_t* to, int count = Vec<double>::size) {
  for (int i = 0; i < count; ++i) to[i] = static_cast<uint16_t>(winners[i]);
}

// The best of a window so far and, if wanted, where it was.
template <class T, bool keeps_winner>
struct Best {
  Vec<T> value;
  Positions<T> position;

  void meet(Vec<T> x, IntLike<T> at) {
    const Mask<T> wins = (x > value) | is_nan(x);
    value = select(wins, x, value);
    if constexpr (keeps_winner) {
      position = select(Mask<IntLike<T>>{wins.v}, Positions<T>(at), position);
    }
  }
};

template <class S, bool keeps_winner>
struct Forward {
  using T = Compute<S>;
  const PydlPoolArgs& args;
  const PoolAxis rows, columns;

  void operator()(int64_t pixel, int64_t n, int64_t oh, int64_t ow) const {
    const S* x = static_cast<const S*>(args.x) + n * rows.size * columns.size * args.channels;
    const Range hs = rows.inputs(oh), ws = columns.inputs(ow);
    const int64_t at =
        rows.position(hs.begin, oh) * columns.window + columns.position(ws.begin, ow);
    for_each_channels<T>(args.channels, [&](auto vectors, int64_t c, auto... lanes) {
      pool<decltype(vectors)::value>(x + c, pixel * args.channels + c, hs, ws, at, lanes...);
    });
  }

 private:
  template <int vectors, class... Lanes>
  void pool(const S* x, int64_t to, Range hs, Range ws, int64_t at, Lanes... lanes) const {
    constexpr int kSize = Vec<T>::size;
    const Best<T, keeps_winner> none = {static_cast<T>(-INFINITY), static_cast<IntLike<T>>(at)};
    Best<T, keeps_winner> best[vectors];
    for (auto& each : best) each = none;
    for (int64_t h = hs.begin; h < hs.end; ++h, at += columns.window) {
      const S* from = x + (h * columns.size + ws.begin) * args.channels;
      for (int64_t w = 0; w < ws.count(); ++w, from += args.channels) {
#pragma GCC unroll 4
        for (int j = 0; j < vectors; ++j) {
          const Vec<T> value = load(ask_after(from + j * kSize), lanes...);
          best[j].meet(value, static_cast<IntLike<T>>(at + w));
        }
      }
    }
    for (int j = 0; j < vectors; ++j, to += kSize) {
      store(best[j].value, static_cast<S*>(args.y) + to, lanes...);
      if constexpr (keeps_winner) store_winners(best[j].position, args.winners + to, lanes...);
    }
  }
};

// The same walk, for the elements that won before.
template <class S>
struct Pick {
  using T = Compute<S>;
  const PydlPoolArgs& args;
  const PoolAxis rows, columns;

  void operator()(int64_t pixel, int64_t n, int64_t oh, int64_t ow) const {
    const S* x = static_cast<const S*>(args.x) + n * rows.size * columns.size * args.channels;
    S* y = static_cast<S*>(args.y) + pixel * args.channels;
    const uint16_t* winners = args.winners + pixel * args.channels;
    for (int64_t c = 0; c < args.channels; ++c) {
      const int64_t h = oh * rows.stride - rows.padding + winners[c] / columns.window;
      const int64_t w = ow * columns.stride - columns.padding + winners[c] % columns.window;
      y[c] = x[(h * columns.size + w) * args.channels + c];
    }
  }
};

// Every input gathers from the windows that it won, so that threads never write to the same place.
template <class S>
struct Backward {
  using T = Compute<S>;
  const PydlPoolBackwardArgs& args;
  const PoolAxis rows, columns;
  const OutputRanges &row_outputs, &column_outputs;
  const bool streams;

  void operator()(int64_t pixel, int64_t n, int64_t h, int64_t w) const {
    const int64_t item = n * rows.out_size * columns.out_size * args.channels;
    const Range ohs = row_outputs[h], ows = column_outputs[w];
    for_each_channels<T>(args.channels, [&](auto vectors, int64_t c, auto... lanes) {
      S* dx = static_cast<S*>(args.dx) + pixel * args.channels + c;
      gather<decltype(vectors)::value>(item + c, h, w, ohs, ows, dx, lanes...);
    });
  }

 private:
  template <int vectors, class... Lanes>
  void gather(int64_t item, int64_t h, int64_t w, Range ohs, Range ows, S* dx,
              Lanes... lanes) const {
    constexpr int kSize = Vec<T>::size;
    Vec<T> sum[vectors];
    for (Vec<T>& each : sum) each = Vec<T>(T(0));
    for (int64_t oh = ohs.begin; oh < ohs.end; ++oh) {
      const int64_t row = rows.position(h, oh) * columns.window;
      for (int64_t ow = ows.begin; ow < ows.end; ++ow) {
        const Positions<T> here(static_cast<IntLike<T>>(row + columns.position(w, ow)));
        const int64_t from = item + (oh * columns.out_size + ow) * args.channels;
        const S* dy = static_cast<const S*>(args.dy) + from;
#pragma GCC unroll 4
        for (int j = 0; j < vectors; ++j) {
          const auto winners = load_winners(T(0), args.winners + from + j * kSize, lanes...);
          const Vec<T> d = load(dy + j * kSize, lanes...);
          sum[j] = select(Mask<T>{(winners == here).v}, sum[j] + d, sum[j]);
        }
      }
    }
    put_registers(sum, dx, streams, lanes...);
  }
};

template <class S, bool keeps_winner>
PydlStatus forward(const PydlContext* context, const PydlPoolArgs& args) {
  const Forward<S, keeps_winner> body = {args, PoolAxis(args, 0), PoolAxis(args, 1)};
  const int64_t grain = pixel_grain(args, args.window[0] * args.window[1]);
  for_each_pixel(context, args.batch, args.out_size, grain, body);
  return PYDL_OK;
}

}  // namespace

PydlStatus max_pool_forward(const PydlContext* context, const PydlPoolArgs* args) {
  return visit_floating(context, "max_pool", args->dtype, [&](auto zero) {
    using S = decltype(zero);
    return args->winners ? forward<S, true>(context, *args) : forward<S, false>(context, *args);
  });
}

PydlStatus max_pool_pick(const PydlContext* context, const PydlPoolArgs* args) {
  return visit_floating(context, "max_pool", args->dtype, [&](auto zero) {
    const Pick<decltype(zero)> body = {*args, PoolAxis(*args, 0), PoolAxis(*args, 1)};
    for_each_pixel(context, args->batch, args->out_size, pixel_grain(*args, 1), body);
    return PYDL_OK;
  });
}

PydlStatus max_pool_backward(const PydlContext* context, const PydlPoolBackwardArgs* args) {
  return visit_floating(context, "max_pool", args->dtype, [&](auto zero) {
    return with_output_ranges(context, *args, [&](const auto& rows, const auto& columns) {
      using S = decltype(zero);
      const Backward<S> body = {*args,   PoolAxis(*args, 0), PoolAxis(*args, 1), rows,
                                columns, streams_pixels(*args, args->dx, sizeof(S))};
      for_each_pixel(context, args->batch, args->size, pixel_grain(*args, 1), body);
    });
  });
}

}  // namespace pydl::cpu::PYDL_ISA
