// 3x3 convolution with stride 1 by minimal filtering, F(4x4, 3x3) of Lavin & Gray, "Fast Algorithms
// for Convolutional Neural Networks" (2016): 36 multiplications give 4x4 results, not 144.
//
//   result (4x4) = A^T [ sum over channels of (G kernel G^T) * (B^T input B) ] A
//
// where input is 6x6 and * goes element by element. The sums over channels are 36 matrix products,
// one for each element of the 6x6:
//
//   for each block of tiles: transform its input
//     for each panel of result channels
//       for each block of channels: transform the kernel, multiply
//       transform the sums into results
//
// A block of tiles is large enough to pay for transforming the kernel again, and small enough that
// what it needs stays in the L2 cache. In float32 the results are off by about 2e-6 of the largest,
// like those of the direct sum.
#pragma once

#include "cpu/conv/winograd_transforms.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kTileDepth = 128;  // channels multiplied at a time

// One convolution; tiles are counted through the batch. Values between the transforms lie in 36
// planes, one for each element of the 6x6.
template <class S, class Output>
class Winograd {
 public:
  using T = Compute<S>;
  static constexpr int kSize = Vec<T>::size, kWidth = kTileColumns<T>;

  Winograd(const Patches<S>& of, int64_t batch, const KernelTaps<S>& kernel, int64_t columns,
           const Output& out, int64_t threads)
      : patches_(of),
        kernel_(kernel),
        columns_(columns),
        out_(out),
        tiles_(of.height, of.width, batch),
        depth_(smaller(padded<T>(of.channels), kTileDepth)) {
    const int64_t tile = kProducts * (groups() * depth_ + kWidth) + kSide * kSide * columns;
    const int64_t fitting = kBlockBytes / (tile * static_cast<int64_t>(sizeof(T)));
    const int64_t most = divide_up(larger(fitting, kFewestTiles), kTileRows) * kTileRows;
    int64_t blocks = divide_up(tiles_.count, most);
    // Threads that have tiles of their own read what they have just transformed.
    if (kernel.prepared) blocks = larger(blocks, smaller(threads, tiles_.count / kTileRows));
    if (blocks > threads) blocks -= blocks % threads;  // each as many
    block_ = divide_up(tiles_.count, blocks);
  }

  PydlStatus run(const PydlContext* context) const {
    const int64_t blocks = divide_up(tiles_.count, block_), panels = divide_up(columns_, kWidth);
    const int64_t at_a_time = smaller(blocks, context->num_threads);
    const int64_t input_size = groups() * kProducts * plane(depth_);
    Scratch<T> inputs(context, at_a_time * input_size);
    Scratch<S> zeros(context, patches_.channels);
    if (!inputs || !zeros) return conv_out_of_memory(context);
    memset(zeros.data(), 0, static_cast<size_t>(patches_.channels) * sizeof(S));
    const T* kept = find_kept_kernel();
    bool enough_memory = true;
    for (int64_t first = 0; first < blocks; first += at_a_time) {
      const int64_t count = smaller(at_a_time, blocks - first);
      const int64_t first_tile = first * block_,
                    last_tile = smaller(tiles_.count, (first + count) * block_);
      parallel_for(context, last_tile - first_tile, kTransformGrain,
                   [&](int64_t begin, int64_t end) {
                     for (int64_t i = begin; i < end; ++i) {
                       read_tile(first_tile + i, zeros.data(),
                                 inputs.data() + i / block_ * input_size, i % block_);
                     }
                   });
      parallel_for(context, count * panels, 1, [&](int64_t begin, int64_t end) {
        Scratch<T> buffer(context, buffer_size());
        if (!buffer) return __atomic_store_n(&enough_memory, false, __ATOMIC_RELAXED);
        for (int64_t i = begin; i < end; ++i) {
          const int64_t block = i / panels, panel = i % panels, tile = (first + block) * block_;
          LinesAhead ahead;
          if (panel == 0) add_results(tile, ahead);
          if (panel + 1 == panels) add_input(tile + at_a_time * block_, ahead);
          run_panel(tile, inputs.data() + block * input_size, panel, kept, buffer.data(), ahead);
        }
      });
    }
    return enough_memory ? PYDL_OK : conv_out_of_memory(context);
  }

 private:
  static constexpr int64_t kTransformGrain = 8;

  // One register more, so that planes do not share cache sets.
  int64_t plane(int64_t row) const { return block_ * row + kSize; }
  int64_t groups() const { return divide_up(patches_.channels, depth_); }
  int64_t kernel_plane() const { return depth_ * kWidth + kSize; }
  int64_t taps_size() const { return kTaps * kTaps * depth_ * kWidth; }
  int64_t buffer_size() const {
    return kProducts * kernel_plane() + taps_size() + kProducts * plane(kWidth);
  }

  // What a block of tiles will write, and what one will read.
  void add_results(int64_t tile, LinesAhead& ahead) const {
    const Span rows = tiles_.rows(tile, tile + block_, kSide, patches_.height.out);
    const int64_t width = patches_.width.out;
    ahead.add(out_.address(rows.begin * width), out_.address(rows.end * width));
  }
  void add_input(int64_t tile, LinesAhead& ahead) const {
    const Span rows = tiles_.rows(tile, tile + block_, kPatch, patches_.height.in);
    const int64_t row = patches_.width.in * patches_.pixel;
    ahead.add(patches_.data + rows.begin * row, patches_.data + rows.end * row);
  }

  // The kernel transformed, panel by panel, each in blocks of depth_ channels; NULL if not kept.
  const T* find_kept_kernel() const {
    if (!kernel_.prepared) return nullptr;
    const int64_t size = divide_up(columns_, kWidth) * groups() * kProducts * kernel_plane();
    const PydlPreparedKey key = {
        kernel_.data,
        {kWidth, patches_.channels, columns_, depth_, kernel_.row, -kProducts},
        (size + taps_size()) * static_cast<int64_t>(sizeof(T))};
    const auto make = [](void* self, void* memory) {
      static_cast<const Winograd*>(self)->transform_kernel(static_cast<T*>(memory));
    };
    return static_cast<const T*>(
        kernel_.prepared->get(kernel_.prepared, &key, make, const_cast<Winograd*>(this)));
  }
  void transform_kernel(T* to) const {
    const int64_t panels = divide_up(columns_, kWidth), step = kProducts * kernel_plane();
    T* taps = to + panels * groups() * step;
    for (int64_t panel = 0; panel < panels; ++panel) {
      for (int64_t c = 0; c < patches_.channels; c += depth_, to += step) {
        read_kernel(c, smaller(depth_, patches_.channels - c), panel, kTileVectors, taps, to);
      }
    }
  }

  // Transforms the input of tile `at` of a block; channels in groups of depth_, each group 36
  // planes.
  void read_tile(int64_t tile, const S* zeros, T* to, int64_t at) const {
    const Pixel first = tiles_.first_pixel(tile);
    const PixelSquare<kPatch, S> square(
        patches_.data, patches_.height.in, patches_.width.in, patches_.pixel, first.image,
        patches_.height.input(first.y, 0), patches_.width.input(first.x, 0), zeros);
    const int64_t step = plane(depth_);
    for (int64_t c = 0; c < patches_.channels; c += depth_, to += kProducts * step) {
      square.template transform<InputTransform>(c, smaller(depth_, patches_.channels - c),
                                                to + at * depth_, step);
    }
  }

  // The results of one panel of channels for the tiles of a block.
  void run_panel(int64_t tile, const T* input, int64_t panel, const T* kept, T* buffer,
                 LinesAhead ahead) const {
    const int64_t tiles = smaller(block_, tiles_.count - tile);
    const int64_t columns = smaller(kWidth, columns_ - panel * kWidth);
    const int vectors = static_cast<int>(divide_up(columns, kSize));
    T* taps = buffer + kProducts * kernel_plane();
    T* sums = taps + taps_size();
    const T* kernel = buffer;
    if (kept) kernel = kept + panel * groups() * kProducts * kernel_plane();
    for (int64_t c = 0; c < patches_.channels; c += depth_, input += kProducts * plane(depth_)) {
      const int64_t depth = smaller(depth_, patches_.channels - c);
      if (!kept) read_kernel(c, depth, panel, vectors, taps, buffer);
      for (int e = 0; e < kProducts; ++e) {
        multiply_plane(input + e * plane(depth_), kernel + e * kernel_plane(), tiles, depth,
                       vectors, c > 0, sums + e * plane(kWidth), kept ? nullptr : &ahead);
      }
      if (kept) kernel += kProducts * kernel_plane();
    }
    for (int64_t i = 0; i < tiles; ++i) {
      write_tile(tile + i, panel * kWidth, columns, sums + i * kWidth);
    }
  }

  // Transforms the kernel for channels [c, c + depth) and one panel.
  void read_kernel(int64_t c, int64_t depth, int64_t panel, int vectors, T* taps, T* to) const {
    for (int64_t tap = 0; tap < kTaps * kTaps; ++tap) {
      const S* from = kernel_.data + tap / kTaps * kernel_.tap_row + tap % kTaps * kernel_.tap;
      pack_matrix_panels(from + c * kernel_.row, kernel_.row, kernel_.column, depth, columns_,
                         panel, panel + 1, taps + tap * depth_ * kWidth, depth_ * kWidth);
    }
    const int64_t tap = depth_ * kWidth, step = kernel_plane();
    for (int64_t l = 0; l < depth; ++l) {
      for (int64_t at = l * kWidth; at < l * kWidth + vectors * kSize; at += kSize) {
        transform_square<T, kTaps, kPatch, KernelTransform>(
            [=](int i, int j) { return Vec<T>::load(taps + at + (i * kTaps + j) * tap); },
            [=](int i, int j, Vec<T> u) { u.store(to + at + (i * kPatch + j) * step); });
      }
    }
  }

  // sums (tiles, kWidth) = or += input (tiles, depth) @ kernel (depth, kWidth). Meanwhile what is ahead
  // is brought near, or else the kernel's next plane.
  void multiply_plane(const T* input, const T* kernel, int64_t tiles, int64_t depth, int vectors,
                      bool accumulate, T* sums, LinesAhead* ahead) const {
    const Strips strips(tiles);
    const char* next = reinterpret_cast<const char*>(kernel + kernel_plane());
    const int64_t step = divide_up(kWidth * sizeof(T), strips.count);  // bytes
    for (int64_t strip = 0; strip < strips.count; ++strip, next += step * depth) {
      const int64_t row = strips.begin(strip);
      TileRows<T> a = {input + row * depth_, depth_, 1};
      a.ahead = ahead ? ahead->take(depth) : Ahead{next, step};
      find_tile<T>(strips.height(strip), vectors)(
          depth, a, TilePanel<T>{kernel, kWidth},
          TileOutput<T>{sums + row * kWidth, kWidth, vectors * kSize, accumulate});
    }
  }

  // The results of one tile, those inside the image.
  void write_tile(int64_t tile, int64_t column, int64_t columns, const T* sums) const {
    alignas(64) T results[kSide * kSide * kWidth];
    const int64_t step = plane(kWidth);
    for (int64_t j = 0; j < columns; j += kSize) {
      transform_square<T, kPatch, kSide, SumsTransform>(
          [=](int i, int k) { return Vec<T>::load(sums + j + (i * kPatch + k) * step); },
          [&](int i, int k, Vec<T> y) { y.store(results + (i * kSide + k) * kWidth + j); });
    }
    const Pixel first = tiles_.first_pixel(tile);
    const int64_t height = patches_.height.out, width = patches_.width.out;
    const int pixels = static_cast<int>(smaller(kSide, width - first.x));
    for (int64_t i = 0; i < smaller(kSide, height - first.y); ++i) {
      out_.write((first.image * height + first.y + i) * width + first.x, pixels, column, columns,
                 results + i * kSide * kWidth, kWidth, false);
    }
  }

  const Patches<S> patches_;
  const KernelTaps<S> kernel_;
  const int64_t columns_;
  const Output out_;
  const WinogradTiles tiles_;
  const int64_t depth_;
  int64_t block_;  // tiles
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
