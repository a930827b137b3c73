// The blocked matrix product C = A @ B for any source of A and any destination of C.
//
//   for each block of columns of B that fits the second-level cache
//     for each group of row strips
//       for each block of k            a strip of A then fits the first-level cache
//         for each strip: pack A
//           for each panel of B in the block: one tile
//
// How k is cut depends on k alone, and within a block every element of C adds up in order, so the
// result does not depend on the number of threads or on where rows and columns are cut.
#pragma once

#include "cpu/gemm/pack.h"
#include "cpu/kernel.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

inline int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

constexpr int64_t kStripDepthBytes = 1536;       // of k: kTileRows of these stay in the L1 cache
constexpr int64_t kColumnBlockBytes = 3 << 18;   // of B: stays in the L2 cache
constexpr int64_t kPackedBytes = 3 << 19;        // of B, for each thread, packed at a time
constexpr int64_t kPackedPanels = 8;             // at least: rows of B are read in long runs
constexpr int64_t kGroupBytes = 1 << 19;         // of C that one pass over k completes
constexpr int64_t kProductsPerThread = 1 << 17;  // fewer are not worth waking a thread for
constexpr int64_t kReadsPerThread = 1 << 15;

// Blocks of k of nearly equal size: whole multiples of `granule`, none across a multiple of
// `period`.
template <class T>
struct Depth {
  int64_t period, size, blocks_of_period, blocks;

  explicit Depth(int64_t k) : Depth(k, k, 1) {}
  Depth(int64_t k, int64_t period, int64_t granule) : period(larger(1, period)) {
    constexpr int64_t kMost = kStripDepthBytes / static_cast<int64_t>(sizeof(T));
    const int64_t fewest = larger(1, divide_up(period, kMost));
    size = divide_up(divide_up(period, fewest), granule) * granule;
    blocks_of_period = larger(1, divide_up(period, larger(1, size)));
    blocks = larger(1, k / this->period) * blocks_of_period;
  }
  int64_t begin(int64_t block) const {
    return block / blocks_of_period * period + block % blocks_of_period * size;
  }
  int64_t count(int64_t block, int64_t k) const {
    const int64_t end = (block + 1) % blocks_of_period ? begin(block) + size : begin(block + 1);
    return smaller(k, end) - begin(block);
  }
};

// B as panels of kTileColumns columns. Panels from first_packed on are packed one after the other;
// the others, all of full width, are read where the caller has them.
template <class T>
struct Panels {
  static constexpr int kWidth = kTileColumns<T>;
  int64_t k, n;
  const T* direct;  // or NULL: all panels are packed
  int64_t direct_step;
  int64_t first_packed = 0;
  const T* packed = nullptr;

  int64_t count() const { return divide_up(n, kWidth); }
  int columns(int64_t panel) const { return static_cast<int>(smaller(kWidth, n - panel * kWidth)); }
  TilePanel<T> rows_from(int64_t panel, int64_t l) const {
    if (panel >= first_packed) return {packed + ((panel - first_packed) * k + l) * kWidth, kWidth};
    return {direct + l * direct_step + panel * kWidth, direct_step};
  }
};

// Strips of at most kTileRows rows, of nearly equal height; none crosses a multiple of `line` rows.
struct Strips {
  int64_t line, strips_of_line, count;

  explicit Strips(int64_t m) : Strips(m, m) {}
  Strips(int64_t m, int64_t line)
      : line(larger(1, line)),
        strips_of_line(divide_up(this->line, kTileRows)),
        count(m / this->line * strips_of_line) {}
  int64_t begin(int64_t strip) const {
    return strip / strips_of_line * line + strip % strips_of_line * line / strips_of_line;
  }
  int height(int64_t strip) const { return static_cast<int>(begin(strip + 1) - begin(strip)); }
};

// One thread's part of C: strips [strip, strip_end) of panels [panel, panel_end).
struct Region {
  int64_t strip, strip_end, panel, panel_end;
};

// A Source of A has
//   strips(), depth()                                   how its rows and columns are cut
//   strip(row, rows, l, depth, buffer)                  rows of A from column l on, packed into the
//                                                       buffer or where they are
//   prefetch(row, rows, l, depth)                       of a strip that is needed soon
//   buffer_size(depth)
// An Output for C has
//   place(row, column)                                  where a tile accumulates, or a NULL pointer
//                                                       where C can not hold partial sums
//   finish(row, rows, column, columns, sums, sums_row)  gets the completed sums
template <class T, class Source, class Output>
void multiply_region(const Strips& strips, const Panels<T>& panels, const Source& source,
                     const Output& out, Region region, T* source_buffer, T* tile_buffer) {
  constexpr int kSize = Vec<T>::size, kWidth = kTileColumns<T>;
  const Depth<T> depth = source.depth();
  const int64_t buffer_row = (region.panel_end - region.panel) * kWidth;
  const int64_t first_row = strips.begin(region.strip);
  const int last_vectors = (panels.columns(panels.count() - 1) + kSize - 1) / kSize;
  for (int64_t block = 0; block < depth.blocks; ++block) {
    const int64_t l = depth.begin(block), count = depth.count(block, panels.k);
    for (int64_t strip = region.strip; strip < region.strip_end; ++strip) {
      const int64_t row = strips.begin(strip);
      const int rows = strips.height(strip);
      const TileRows<T> a = source.strip(row, rows, l, count, source_buffer);
      if (strip + 1 < region.strip_end) {
        source.prefetch(strips.begin(strip + 1), strips.height(strip + 1), l, count);
      }
      const auto full_tile = find_tile<T>(rows, kTileVectors);
      const auto last_tile = find_tile<T>(rows, last_vectors);
      for (int64_t panel = region.panel; panel < region.panel_end; ++panel) {
        const int64_t column = panel * kWidth;
        const int columns = panels.columns(panel);
        TileOutput<T> c = out.place(row, column);
        c.columns = columns;
        c.accumulate |= block > 0;
        if (!c.data) {
          c.data = tile_buffer + (row - first_row) * buffer_row + column - region.panel * kWidth;
          c.row = buffer_row;
        }
        const TilePanel<T> b = panels.rows_from(panel, l);
        (columns == kWidth ? full_tile : last_tile)(count, a, b, 8 * b.step, c);
        if (block + 1 == depth.blocks) out.finish(row, rows, column, columns, c.data, c.row);
      }
    }
  }
}

// How C is shared out: units of one strip times one block of panels, all strips of a block first.
struct Sharing {
  int64_t block, group, units, grain;
};

template <class T>
Sharing share(int64_t strips, int64_t panels, int64_t k, int64_t depth, int64_t threads) {
  constexpr int64_t panel_row = kTileColumns<T> * static_cast<int64_t>(sizeof(T));
  int64_t block = larger(1, kColumnBlockBytes / (larger(1, depth) * panel_row));
  if (threads > 1 && strips < 8 * threads) {
    block = smaller(block, larger(1, panels * strips / (8 * threads)));
  }
  block = smaller(block, panels);
  const int64_t group = larger(1, kGroupBytes / (kTileRows * block * panel_row));
  const int64_t unit = kTileRows * block * kTileColumns<T> * larger(1, k);
  return {block, group, divide_up(panels, block) * strips, divide_up(kProductsPerThread, unit)};
}

// C for panels [panel, panel_end).
template <class T, class Source, class Output>
bool multiply_panels(const PydlContext* context, const Strips& strips, const Panels<T>& panels,
                     int64_t panel, int64_t panel_end, const Source& source, const Output& out) {
  const int64_t depth = source.depth().size;
  const Sharing sharing =
      share<T>(strips.count, panel_end - panel, panels.k, depth, context->num_threads);
  const int64_t source_size = source.buffer_size(depth);
  const int64_t tile_size = sharing.group * kTileRows * sharing.block * kTileColumns<T>;
  bool enough_memory = true;
  parallel_for(context, sharing.units, sharing.grain, [&](int64_t begin, int64_t end) {
    Scratch<T> buffer(context, source_size + tile_size);
    if (!buffer) return __atomic_store_n(&enough_memory, false, __ATOMIC_RELAXED);
    for (int64_t unit = begin, group; unit < end; unit += group) {
      const int64_t strip = unit % strips.count;
      const int64_t first = panel + unit / strips.count * sharing.block;
      group = smaller(smaller(sharing.group, strips.count - strip), end - unit);
      const Region region = {strip, strip + group, first,
                             smaller(panel_end, first + sharing.block)};
      multiply_region(strips, panels, source, out, region, buffer.data(),
                      buffer.data() + source_size);
    }
  });
  return enough_memory;
}

// `pack_panels(panel, panel_end, dst)` writes panels one after the other, each k rows of
// kTileColumns; it is called for those that are not direct.
template <class T, class Source, class PackPanels, class Output>
PydlStatus multiply(const PydlContext* context, Panels<T> panels, const Source& source,
                    const PackPanels& pack_panels, const Output& out) {
  const int64_t count = panels.count(), panel_size = larger(1, panels.k) * kTileColumns<T>;
  const int64_t panel_bytes = panel_size * static_cast<int64_t>(sizeof(T));
  const int64_t direct = panels.direct ? panels.n / kTileColumns<T> : 0;
  // Few enough at a time to be in the cache when they are read.
  const int64_t at_a_time =
      context->num_threads * larger(kPackedPanels, kPackedBytes / panel_bytes);
  Scratch<T> packed(context, larger(1, smaller(at_a_time, count - direct) * panel_size));
  bool enough_memory = static_cast<bool>(packed);
  panels.packed = packed.data();
  for (int64_t begin = 0, end; begin < count && enough_memory; begin = end) {
    panels.first_packed = larger(direct, begin);
    end = smaller(count, panels.first_packed + at_a_time);
    parallel_for(context, end - panels.first_packed, divide_up(kProductsPerThread / 8, panel_size),
                 [&](int64_t first, int64_t last) {
                   pack_panels(panels.first_packed + first, panels.first_packed + last,
                               packed.data() + first * panel_size);
                 });
    enough_memory = multiply_panels(context, source.strips(), panels, begin, end, source, out);
  }
  if (!enough_memory) return context->fail(context, PYDL_ERROR_MEMORY, "[matmul] out of memory");
  return PYDL_OK;
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
