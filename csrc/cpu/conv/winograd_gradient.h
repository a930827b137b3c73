// The kernel gradient of a 3x3 convolution with stride 1 by minimal filtering, F(3x3, 4x4): the
// counterpart of winograd.h, where tiles are what is summed over.
//
//   gradient (3x3) = A^T [ sum over tiles of (B^T input B) * (G result_gradient G^T) ] A
//
// Blocks of tiles follow each other, whatever the number of threads, which share each block's work.
#pragma once

#include "cpu/conv/winograd_transforms.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kGradientTiles = 128;          // of a block, at most
constexpr int64_t kGradientSumsBytes = 1 << 24;  // of as many columns as are computed at a time

template <class S>
class WinogradKernelGradient {
 public:
  using T = Compute<S>;

  // The gradient's row for tap t and channel c is out[(t * channels + c) * out_row].
  WinogradKernelGradient(const Patches<S>& of, int64_t batch, const S* result_gradient,
                         int64_t gradient_pixel, int64_t columns, S* out, int64_t out_row)
      : patches_(of),
        tiles_(of.height, of.width, batch),
        gradient_(result_gradient),
        gradient_pixel_(gradient_pixel),
        columns_(columns),
        out_(out),
        out_row_(out_row),
        input_row_(padded<T>(of.channels) + kSize),
        block_(even_part(tiles_.count, fitting_tiles(of.channels, columns))) {}

  PydlStatus run(const PydlContext* context) const {
    const int64_t panels = divide_up(columns_, kWidth);
    const int64_t panel_bytes = kProducts * patches_.channels * kWidth * sizeof(T);
    const int64_t at_a_time = clamp(kGradientSumsBytes / panel_bytes, 1, panels);
    Scratch<T> inputs(context, kProducts * input_plane());
    Scratch<T> gradients(context, kProducts * gradient_plane(at_a_time));
    Scratch<T> sums(context, kProducts * sums_plane(at_a_time));
    Scratch<S> zeros(context, larger(patches_.channels, columns_));
    if (!inputs || !gradients || !sums || !zeros) return conv_out_of_memory(context);
    memset(zeros.data(), 0, static_cast<size_t>(larger(patches_.channels, columns_)) * sizeof(S));
    for (int64_t panel = 0; panel < panels; panel += at_a_time) {
      const Part part = {panel,
                         smaller(at_a_time, panels - panel),
                         zeros.data(),
                         inputs.data(),
                         gradients.data(),
                         sums.data()};
      for (int64_t tile = 0; tile < tiles_.count; tile += block_) add_block(context, part, tile);
      write_sums(context, part);
    }
    return PYDL_OK;
  }

 private:
  static constexpr int kSize = Vec<T>::size, kWidth = kTileColumns<T>;

  // Some panels of columns, and memory for 36 planes of each operand.
  struct Part {
    int64_t panel, panels;
    const S* zeros;
    T *input, *gradient, *sums;
  };

  static int64_t fitting_tiles(int64_t channels, int64_t columns) {
    const int64_t bytes = (kProducts + kSide * kSide) * (channels + columns) * sizeof(T);
    return clamp(kBlockBytes / bytes, kFewestTiles, kGradientTiles);
  }
  // One register more, so that planes do not share cache sets.
  int64_t input_plane() const { return block_ * input_row_ + kSize; }
  int64_t gradient_plane(int64_t panels) const { return panels * block_ * kWidth + kSize; }
  int64_t sums_plane(int64_t panels) const { return panels * patches_.channels * kWidth + kSize; }
  int64_t columns_of(int64_t panel) const { return smaller(kWidth, columns_ - panel * kWidth); }

  void add_block(const PydlContext* context, const Part& part, int64_t tile) const {
    const int64_t tiles = smaller(block_, tiles_.count - tile);
    parallel_for(context, tiles, 8, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) read_tile(part, tile + i, i);
    });
    const int64_t work = tiles * patches_.channels * kWidth;
    parallel_for(context, kProducts * part.panels, divide_up(kProductsPerThread, work),
                 [&](int64_t begin, int64_t end) {
                   LinesAhead ahead = share_ahead(part, tile + tiles, begin, end);
                   for (int64_t i = begin; i < end; ++i) {
                     multiply_plane(part, i / part.panels, i % part.panels, tiles, tile > 0, ahead);
                   }
                 });
  }

  // Of what the block from `tile` on will read: the share of products [begin, end).
  LinesAhead share_ahead(const Part& part, int64_t tile, int64_t begin, int64_t end) const {
    LinesAhead ahead;
    const int64_t products = kProducts * part.panels;
    const auto add = [&](const S* data, const Span& rows, int64_t row) {
      const int64_t size = (rows.end - rows.begin) * row;
      data += rows.begin * row;
      ahead.add(data + size * begin / products, data + size * end / products);
    };
    add(patches_.data, tiles_.rows(tile, tile + block_, kPatch, patches_.height.in),
        patches_.width.in * patches_.pixel);
    add(gradient_, tiles_.rows(tile, tile + block_, kSide, patches_.height.out),
        patches_.width.out * gradient_pixel_);
    return ahead;
  }

  // Transforms what tile `at` of a block reads of input and result gradient.
  void read_tile(const Part& part, int64_t tile, int64_t at) const {
    const Pixel first = tiles_.first_pixel(tile);
    const Axis &height = patches_.height, &width = patches_.width;
    const PixelSquare<kPatch, S> input(patches_.data, height.in, width.in, patches_.pixel,
                                       first.image, height.input(first.y, 0),
                                       width.input(first.x, 0), part.zeros);
    input.template transform<InputTransform>(0, patches_.channels, part.input + at * input_row_,
                                             input_plane());
    const PixelSquare<kSide, S> gradient(gradient_, height.out, width.out, gradient_pixel_,
                                         first.image, first.y, first.x, part.zeros);
    for (int64_t i = 0; i < part.panels; ++i) {
      gradient.template transform<GradientTransform>(
          (part.panel + i) * kWidth, columns_of(part.panel + i),
          part.gradient + (i * block_ + at) * kWidth, gradient_plane(part.panels));
    }
  }

  // sums (channels, kWidth) = or += input^T (channels, tiles) @ gradient (tiles, kWidth)
  void multiply_plane(const Part& part, int64_t plane, int64_t panel, int64_t tiles, bool accumulate,
                      LinesAhead& ahead) const {
    const int64_t channels = patches_.channels;
    const T* input = part.input + plane * input_plane();
    const T* gradient =
        part.gradient + plane * gradient_plane(part.panels) + panel * block_ * kWidth;
    T* sums = part.sums + plane * sums_plane(part.panels) + panel * channels * kWidth;
    const int vectors = static_cast<int>(divide_up(columns_of(part.panel + panel), kSize));
    const Strips strips(channels);
    for (int64_t strip = 0; strip < strips.count; ++strip) {
      const int64_t row = strips.begin(strip);
      TileRows<T> a = {input + row, 1, input_row_};
      a.ahead = ahead.take(tiles);
      find_tile<T>(strips.height(strip), vectors)(
          tiles, a, TilePanel<T>{gradient, kWidth},
          TileOutput<T>{sums + row * kWidth, kWidth, vectors * kSize, accumulate});
    }
  }

  void write_sums(const PydlContext* context, const Part& part) const {
    const int64_t channels = patches_.channels, step = sums_plane(part.panels);
    parallel_for(context, part.panels * channels, 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t panel = part.panel + i / channels, channel = i % channels;
        const T* from = part.sums + i * kWidth;
        S* to = out_ + channel * out_row_ + panel * kWidth;
        for_registers<T>(columns_of(panel), [&](int64_t n, auto... count) {
          transform_square<T, kPatch, kTaps, KernelSumsTransform>(
              [=](int y, int x) { return Vec<T>::load(from + n + (y * kPatch + x) * step); },
              [&](int y, int x, Vec<T> sum) {
                store(sum, to + n + (y * kTaps + x) * channels * out_row_, count...);
              });
        });
      }
    });
  }

  const Patches<S> patches_;
  const WinogradTiles tiles_;
  const S* gradient_;
  const int64_t gradient_pixel_, columns_;
  S* out_;
  const int64_t out_row_, input_row_;
  const int64_t block_;  // tiles
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
