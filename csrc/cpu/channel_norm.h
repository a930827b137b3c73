// Normalisation of a dense (batch, rows, channels) array by statistics that are taken down its
// columns: what group_norm and batch_norm have in common.
#pragma once

#include <math.h>

#include "cpu/channel_sums.h"
#include "cpu/norm_parameters.h"
#include "pydl/kernels/norm.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kBlockElements = 1 << 12;  // which stay in the first cache
constexpr int64_t kBlockChannels = 512;
constexpr int64_t kGrainElements = 1 << 13;  // fewer are not worth waking a thread for

// How the array is cut: the rows of each batch item into parts, their channels into blocks.
struct ChannelGrid {
  int64_t batch, rows, channels;
  int64_t blocks, block_rows;
  Parts parts;  // of the rows of one batch item

  ChannelGrid(int64_t batch_size, int64_t row_count, int64_t channel_count)
      : batch(batch_size),
        rows(row_count),
        channels(channel_count),
        blocks((channel_count + kBlockChannels - 1) / kBlockChannels),
        block_rows(kBlockElements / (channels < kBlockChannels ? channels : kBlockChannels) + 1),
        parts(rows, block_rows, 64 / batch) {}
  int64_t part_count() const { return batch * parts.count; }

  // body(index of the part, its first row in the whole array, its rows, first channel, channels)
  template <class Body>
  void for_each_block(const PydlContext* context, Body&& body) const {
    const int64_t block_elements = parts.longest() * channels / blocks + 1;
    parallel_for(context, part_count() * blocks, kGrainElements / block_elements + 1,
                 [&](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i) {
                     const int64_t part = i / blocks, c = i % blocks * kBlockChannels;
                     const int64_t in_item = part % parts.count, first = parts.begin(in_item);
                     const int64_t width =
                         channels - c < kBlockChannels ? channels - c : kBlockChannels;
                     body(part, part / parts.count * rows + first, parts.begin(in_item + 1) - first,
                          c, width);
                   }
                 });
  }
  // body(batch item, row in the whole array)
  template <class Body>
  void for_each_row(const PydlContext* context, Body&& body) const {
    parallel_for(context, batch * rows, kGrainElements / (channels + 1) + 1,
                 [&](int64_t begin, int64_t end) {
                   // From the end, which the pass for the statistics has left in the cache.
                   int64_t item = (end - 1) / rows;
                   for (int64_t row = end - 1; row >= begin; --row) {
                     if (row < item * rows) --item;
                     body(item, row);
                   }
                 });
  }
};

// body(first, count) for as many items of the batch at a time as the second cache keeps from one pass
// over them to the next.
template <class Body>
inline PydlStatus for_items_in_cache(int64_t batch, int64_t item_bytes, Body&& body) {
  constexpr int64_t kCachedBytes = 1 << 20;
  const int64_t fitting = kCachedBytes / (item_bytes + 1), at_a_time = fitting > 1 ? fitting : 1;
  PydlStatus status = PYDL_OK;
  for (int64_t item = 0; item < batch && status == PYDL_OK; item += at_a_time) {
    const int64_t left = batch - item;
    status = body(item, left < at_a_time ? left : at_a_time);
  }
  return status;
}

// The moments of each channel of each batch item, (batch, channels) into `mean` and `squares`.
template <class S, class T = Compute<S>>
PydlStatus channel_moments(const PydlContext* context, const ChannelGrid& grid, const S* x, T* mean,
                           T* squares) {
  const int64_t channels = grid.channels;
  const Scratch<T> parts(context, 2 * grid.part_count() * channels);
  if (!parts) return PYDL_ERROR_MEMORY;
  const auto part_moments = [&](int64_t part, int64_t rows, int64_t c, int64_t width) {
    T* at = parts.data() + 2 * part * channels + c;
    return Moments<T>{static_cast<T>(rows), at, at + channels, width};
  };
  grid.for_each_block(
      context, [&](int64_t part, int64_t row, int64_t rows, int64_t c, int64_t width) {
        T block_mean[kBlockChannels], block_squares[kBlockChannels];
        Moments<T> all = part_moments(part, 0, c, width);
        Moments<T> block = {0, block_mean, block_squares, width};
        for (int64_t done = 0; done < rows; done += grid.block_rows) {
          const int64_t count = rows - done < grid.block_rows ? rows - done : grid.block_rows;
          block_moments(x + (row + done) * channels + c, count, channels, done ? block : all);
          if (done) all.merge(block);
        }
      });
  for (int64_t item = 0; item < grid.batch; ++item) {
    T* to = mean + item * channels;
    T* to_squares = squares + item * channels;
    const int64_t first = item * grid.parts.count;
    memcpy(to, parts.data() + 2 * first * channels, channels * sizeof(T));
    memcpy(to_squares, parts.data() + (2 * first + 1) * channels, channels * sizeof(T));
    Moments<T> all = {static_cast<T>(grid.parts.begin(1)), to, to_squares, channels};
    for (int64_t p = 1; p < grid.parts.count; ++p) {
      const int64_t rows = grid.parts.begin(p + 1) - grid.parts.begin(p);
      all.merge(part_moments(first + p, rows, 0, channels));
    }
  }
  return PYDL_OK;
}

// p, after asking for what a walk to lower addresses reads soon.
template <class S>
inline const S* ask_before(const S* p) {
  __builtin_prefetch(reinterpret_cast<const char*>(p) - kAheadBytes);
  return p;
}

// y = (x - mean) scale + beta, with a mean and a scale for each channel of each batch item.
template <class S, class T = Compute<S>>
void apply_scale(const PydlContext* context, const ChannelGrid& grid, const S* x, const T* mean,
                 const T* scale, const T* beta, S* y) {
  const int64_t n = grid.channels;
  grid.for_each_row(context, [&](int64_t item, int64_t row) {
    for_each_vector<T>(n, [&](int64_t c, auto... count) {
      const S* from = ask_before(x + row * n + c);
      const Vec<T> centred = load(from, count...) - load(mean + item * n + c, count...);
      store(fma(centred, load(scale + item * n + c, count...), load(beta + c, count...)),
            y + row * n + c, count...);
    });
  });
}

// The mean and variance of each group of channels of each batch item, both (batch, groups).
template <class S, class T = Compute<S>>
PydlStatus group_moments(const PydlContext* context, const ChannelGrid& grid, int64_t groups,
                         const S* x, T* mean, T* variance) {
  const int64_t size = grid.channels / groups;
  const Scratch<T> moments(context, 2 * grid.batch * grid.channels);
  if (!moments) return PYDL_ERROR_MEMORY;
  T* squares = moments.data() + grid.batch * grid.channels;
  const PydlStatus status = channel_moments(context, grid, x, moments.data(), squares);
  if (status != PYDL_OK) return status;
  for (int64_t group = 0; group < grid.batch * groups; ++group) {
    const T* means = moments.data() + group * size;
    T sum = 0, within = 0, between = 0;
    for (int64_t c = 0; c < size; ++c) sum += means[c];
    mean[group] = sum / size;
    for (int64_t c = 0; c < size; ++c) {
      const T distance = means[c] - mean[group];
      within += squares[group * size + c];
      between += distance * distance;
    }
    variance[group] = (within / grid.rows + between) / size;
  }
  return PYDL_OK;
}

// y = (x - mean) inverse_std gamma + beta, with the statistics (batch, groups).
template <class S, class T = Compute<S>>
PydlStatus normalise(const PydlContext* context, const ChannelGrid& grid, int64_t groups,
                     const S* x, const void* gamma_or_null, const void* beta_or_null, const T* mean,
                     const T* inverse_std, S* y) {
  const int64_t n = grid.channels, size = n / groups;
  const Parameter<T> gamma(context, gamma_or_null, n, 1), beta(context, beta_or_null, n, 0);
  const Scratch<T> of_channels(context, 2 * grid.batch * n);
  if (!gamma || !beta || !of_channels) return PYDL_ERROR_MEMORY;
  T* scale = of_channels.data() + grid.batch * n;
  for (int64_t i = 0; i < grid.batch * n; ++i) {
    of_channels[i] = mean[i / size];
    scale[i] = inverse_std[i / size] * gamma.data()[i % n];
  }
  apply_scale(context, grid, x, of_channels.data(), scale, beta.data(), y);
  return PYDL_OK;
}

// The sums over rows of dy and of dy (x - mean) for each channel of each batch item, both (batch,
// channels).
template <class S, class T = Compute<S>>
PydlStatus gradient_sums(const PydlContext* context, const ChannelGrid& grid, const S* x,
                         const S* dy, const T* mean, T* dy_sum, T* product_sum) {
  const int64_t channels = grid.channels;
  const Scratch<T> parts(context, 2 * grid.part_count() * channels);
  if (!parts) return PYDL_ERROR_MEMORY;
  grid.for_each_block(context, [&](int64_t part, int64_t row, int64_t rows, int64_t c,
                                   int64_t width) {
    T* sums = parts.data() + 2 * part * channels + c;
    for (int64_t i = 0; i < width; ++i) sums[i] = sums[channels + i] = 0;
    const T* centre = mean + row / grid.rows * channels + c;
    for (int64_t done = 0; done < rows; done += grid.block_rows) {
      const int64_t count = rows - done < grid.block_rows ? rows - done : grid.block_rows;
      const int64_t at = (row + done) * channels + c;
      add_columns<T, 2>(
          count, width, {sums, sums + channels}, [&](int64_t i, int64_t j, auto... n) {
            const int64_t k = at + i * channels + j;
            const Vec<T> d = load(ask_after(dy + k), n...);
            const Vec<T> centred = load(ask_after(x + k), n...) - load(centre + j, n...);
            return Terms<T, 2>{{d, d * centred}};
          });
    }
  });
  for (int64_t item = 0; item < grid.batch; ++item) {
    const T* from = parts.data() + 2 * item * grid.parts.count * channels;
    add_parts(from, grid.parts.count, 2 * channels, channels, dy_sum + item * channels);
    add_parts(from + channels, grid.parts.count, 2 * channels, channels,
              product_sum + item * channels);
  }
  return PYDL_OK;
}

// dx = scale dy - shift - (x - mean) slope, with all four for each channel of each batch item.
template <class S, class T = Compute<S>>
void apply_gradient(const PydlContext* context, const ChannelGrid& grid, const S* x, const S* dy,
                    const T* mean, const T* scale, const T* shift, const T* slope, S* dx) {
  const int64_t n = grid.channels;
  grid.for_each_row(context, [&](int64_t item, int64_t row) {
    const int64_t at = item * n;
    for_each_vector<T>(n, [&](int64_t c, auto... count) {
      const int64_t k = row * n + c;
      const Vec<T> centred = load(ask_before(x + k), count...) - load(mean + at + c, count...);
      const Vec<T> scaled = load(ask_before(dy + k), count...) * load(scale + at + c, count...);
      store(scaled - load(shift + at + c, count...) - centred * load(slope + at + c, count...),
            dx + k, count...);
    });
  });
}

// Of the gradient of a normalisation, for each channel of each batch item.
template <class T>
struct ChannelGradients {
  Scratch<T> mean, scale, shift, slope;  // what apply_gradient takes
  Scratch<T> dy_sum, product_sum;        // over rows, the latter of dy x^

  ChannelGradients(const PydlContext* context, int64_t count)
      : mean(context, count),
        scale(context, count),
        shift(context, count),
        slope(context, count),
        dy_sum(context, count),
        product_sum(context, count) {}
  explicit operator bool() const {
    return mean && scale && shift && slope && dy_sum && product_sum;
  }
};

// Items [first, first + count) of the batch. With x^ the normalised x and g = dy gamma:
// dx = inverse_std (g - mean(g) - x^ mean(g x^)), where the means are left out when the statistics
// are constants.
template <class S, class T = Compute<S>>
PydlStatus backward_items(const PydlContext* context, const PydlGroupNormBackwardArgs& args,
                          int64_t first, int64_t count, const T* gamma, bool constant_statistics,
                          const ChannelGradients<T>& of) {
  const ChannelGrid grid(count, args.rows, args.channels);
  const int64_t n = args.channels, size = n / args.groups, at = first * n, end = at + count * n;
  const S* x = static_cast<const S*>(args.x) + at * args.rows;
  const S* dy = static_cast<const S*>(args.dy) + at * args.rows;
  const T* inverse_std = static_cast<const T*>(args.inverse_std);
  for (int64_t i = at; i < end; ++i) {
    of.mean[i] = static_cast<const T*>(args.mean)[i / size];
    of.scale[i] = inverse_std[i / size] * gamma[i % n];
  }
  const PydlStatus status = gradient_sums(context, grid, x, dy, of.mean.data() + at,
                                          of.dy_sum.data() + at, of.product_sum.data() + at);
  if (status != PYDL_OK) return status;
  for (int64_t i = at; i < end; ++i) of.product_sum[i] *= inverse_std[i / size];
  if (!args.dx) return PYDL_OK;
  for (int64_t group = at / size; group < end / size; ++group) {
    const T values = static_cast<T>(args.rows * size);
    T g_sum = 0, product_sum = 0;
    for (int64_t i = group * size; i < (group + 1) * size && !constant_statistics; ++i) {
      g_sum += of.dy_sum[i] * gamma[i % n];
      product_sum += of.product_sum[i] * gamma[i % n];
    }
    for (int64_t i = group * size; i < (group + 1) * size; ++i) {
      of.shift[i] = inverse_std[group] * g_sum / values;
      of.slope[i] = inverse_std[group] * inverse_std[group] * product_sum / values;
    }
  }
  apply_gradient(context, grid, x, dy, of.mean.data() + at, of.scale.data() + at,
                 of.shift.data() + at, of.slope.data() + at,
                 static_cast<S*>(args.dx) + at * args.rows);
  return PYDL_OK;
}

template <class S, class T = Compute<S>>
PydlStatus normalise_backward(const PydlContext* context, const PydlGroupNormBackwardArgs& args,
                              bool constant_statistics) {
  const int64_t n = args.channels;
  const Parameter<T> gamma(context, args.gamma, n, 1);
  const ChannelGradients<T> of(context, args.batch * n);
  if (!gamma || !of) return PYDL_ERROR_MEMORY;
  const auto items = [&](int64_t first, int64_t count) {
    return backward_items<S>(context, args, first, count, gamma.data(), constant_statistics, of);
  };
  const int64_t item_bytes = 2 * args.rows * n * static_cast<int64_t>(sizeof(S));  // x and dy
  const PydlStatus status = for_items_in_cache(args.batch, item_bytes, items);
  add_parts(of.dy_sum.data(), args.batch, n, n, static_cast<T*>(args.dbeta));
  add_parts(of.product_sum.data(), args.batch, n, n, static_cast<T*>(args.dgamma));
  return status;
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
