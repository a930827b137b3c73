// The blocked matrix product C = A @ B for any source of A and any destination of C. Each thread has
// a region of C to itself, and walks it in five loops around a tile that stays in registers:
//
//   for each block of columns
//     for each group of rows
//       for each block of k                one operand is packed: it stays in the L2 cache
//         for each strip of its rows       the other is packed strip by strip
//           for each panel of columns      one tile
//
// or with the last two loops exchanged, so that it is the larger operand that goes by.
// How k is cut depends on k alone, and within a block every element of C adds up in order, so the
// result does not depend on the number of threads or on where rows and columns are cut.
#pragma once

#include "cpu/gemm/pack.h"
#include "cpu/kernel.h"
#include "pydl/prepared.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

inline int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

constexpr int64_t kStripDepthBytes = 1536;       // of k: kTileRows of these stay in the L1 cache
constexpr int64_t kKeptBytes = 5 << 17;          // of one operand: stays in the L2 cache
constexpr int64_t kStreamed = 1024;              // rows or columns that go by it
constexpr int64_t kStripsAhead = 6;              // fewer are done before another panel is here
constexpr int64_t kProductsPerThread = 1 << 17;  // fewer are not worth waking a thread for
constexpr int64_t kReadsPerThread = 1 << 15;
constexpr int64_t kPackingCost = 16;  // multiply-adds in the time that packing an element takes

// `count` things in equal parts of at most `most`.
inline int64_t even_part(int64_t count, int64_t most) {
  return divide_up(count, larger(1, divide_up(count, larger(1, most))));
}

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

// B as panels of kTileColumns columns. Tiles read those that have their full width where the caller
// has them, if `direct` says where that is; the others are packed, unless all of them were before:
// block of k by block, panel by panel.
template <class T>
struct Panels {
  static constexpr int kWidth = kTileColumns<T>;
  int64_t k, n;
  const T* direct;
  int64_t direct_step;
  const T* prepared = nullptr;

  int64_t count() const { return divide_up(n, kWidth); }
  int64_t ready_count() const { return prepared ? count() : direct ? n / kWidth : 0; }
  int columns(int64_t panel) const { return static_cast<int>(smaller(kWidth, n - panel * kWidth)); }
  // A panel that need not be packed, in the block of `depth` rows from l on.
  TilePanel<T> ready(int64_t panel, int64_t l, int64_t depth) const {
    if (prepared) return {prepared + (l * count() + panel * depth) * kWidth, kWidth};
    return {direct + l * direct_step + panel * kWidth, direct_step};
  }
};

// Sets panels.prepared to what pack_panels makes of B, if that is kept; `b` and the strides say which
// matrix it is.
template <class T, class PackPanels>
void find_prepared(const PydlPrepared* kept, Panels<T>& panels, const Depth<T>& depth,
                   const PackPanels& pack_panels, const T* b, int64_t row, int64_t column) {
  if (!kept) return;
  const int64_t size = panels.k * panels.count() * Panels<T>::kWidth;
  const PydlPreparedKey key = {b,
                               {Panels<T>::kWidth, panels.k, panels.n, depth.size, row, column},
                               size * static_cast<int64_t>(sizeof(T))};
  auto make = [&](T* to) {
    for (int64_t block = 0; block < depth.blocks; ++block) {
      const int64_t l = depth.begin(block), count = depth.count(block, panels.k);
      pack_panels(0, panels.count(), l, count, to + l * panels.count() * Panels<T>::kWidth);
    }
  };
  using Make = decltype(make);
  const auto call = [](void* arg, void* to) { (*static_cast<Make*>(arg))(static_cast<T*>(to)); };
  panels.prepared = static_cast<const T*>(kept->get(kept, &key, call, &make));
}

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

// How many parts the rows and the columns of C are cut into: the cut whose largest region takes the
// least time, each region packing its own operands, unless B is at hand.
struct Cut {
  int64_t rows = 1, columns = 1;

  Cut(int64_t strips, int64_t panels, int64_t panel_width, int64_t k, int64_t threads,
      bool packs_b = true) {
    const int64_t products = strips * kTileRows * panels * panel_width * larger(1, k);
    threads = smaller(threads, products / kProductsPerThread);
    int64_t least = INT64_MAX;
    for (int64_t down = 1; down <= threads; ++down) {
      const int64_t across = threads / down;
      const int64_t height = divide_up(strips, down) * kTileRows;
      const int64_t width = divide_up(panels, across) * panel_width;
      const int64_t cost = height * width + kPackingCost * (height + (packs_b ? width : 0));
      if (cost >= least) continue;
      least = cost;
      rows = smaller(down, strips);
      columns = smaller(across, panels);
    }
  }
  int64_t regions() const { return rows * columns; }
  Region region(int64_t i, int64_t strips, int64_t panels) const {
    const int64_t down = i % rows, across = i / rows;
    return {strips * down / rows, strips * (down + 1) / rows, panels * across / columns,
            panels * (across + 1) / columns};
  }
};

// What tiles in turn shall bring near.
struct LookAhead {
  Ahead first;
  int64_t step = 0;             // in bytes: from one tile to the next,
  int64_t tiles = kWholeDepth;  // of which so many do it

  Ahead of_tile(int64_t i) const {
    if (i >= tiles) return {first.data};
    return {static_cast<const char*>(first.data) + i * step, first.step, first.jump, first.run};
  }
};

// A Source of A has
//   strips(), depth()                               how its rows and columns are cut
//   strip(row, rows, l, depth, buffer)              rows of A from column l on, packed into the buffer
//                                                   or where they are
//   look_ahead(row, rows, l, depth, tiles)          what `tiles` tiles shall bring near of a strip
//   buffer_size(depth)
// `pack_panels(panel, panel_end, l, depth, dst)` packs `depth` rows of panels of B from row l on, one
// panel after the other. An Output for C has
//   kInPlace                                        whether C can hold partial sums,
//   place(row, column)                              and then where a tile accumulates
//   finish(row, rows, column, columns, sums, row)   gets the completed sums
template <class T, class Source, class PackPanels, class Output>
class Product {
 public:
  Product(const Panels<T>& panels, const Source& source, const PackPanels& pack_panels,
          const Output& out)
      : panels_(panels),
        source_(source),
        pack_panels_(pack_panels),
        out_(out),
        strips_(source.strips()),
        depth_(source.depth()),
        keep_rows_(strips_.count >= strips_ahead(panels) &&
                   strips_.count * kTileRows < panels.n) {
    const int64_t kept = kKeptBytes / (larger(1, depth_.size) * static_cast<int64_t>(sizeof(T)));
    group_ = even_part(strips_.count, (keep_rows_ ? kept : kStreamed) / kTileRows);
    block_ = even_part(panels.count(), (keep_rows_ ? kStreamed : kept) / kWidth);
    strip_size_ = source.buffer_size(depth_.size);
    panel_size_ = larger(1, depth_.size) * kWidth;
    last_vectors_ = divide_up(panels.columns(panels.count() - 1), Vec<T>::size);
  }

  PydlStatus run(const PydlContext* context) const {
    const Cut cut(strips_.count, panels_.count(), kWidth, panels_.k, context->num_threads);
    const int64_t strips = keep_rows_ ? group_ : 1, panels = keep_rows_ ? 1 : block_;
    const int64_t size = strips * strip_size_ + panels * panel_size_ + sums_size();
    Scratch<T> memory(context, cut.regions() * size);
    Scratch<Strip> kept(context, cut.regions() * strips);
    if (!memory || !kept) {
      return context->fail(context, PYDL_ERROR_MEMORY, "[matmul] out of memory");
    }
    parallel_for(context, cut.regions(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        T* own = memory.data() + i * size;
        const Buffers buffers = {kept.data() + i * strips, own, own + strips * strip_size_,
                                 own + strips * strip_size_ + panels * panel_size_};
        multiply_region(cut.region(i, strips_.count, panels_.count()), buffers);
      }
    });
    return PYDL_OK;
  }

 private:
  static constexpr int kWidth = kTileColumns<T>;
  struct Strip {
    int64_t row;
    int rows;
    TileRows<T> a;
    Tile<T> full_tile, last_tile;
  };
  struct Buffers {
    Strip* kept;
    T *strips, *panels, *sums;
  };
  // What is multiplied before the next block of k.
  struct Part : Region {
    int64_t row;  // of the first strip
    int64_t block, l, depth;
  };

  // How many strips have tiles enough to bring the next panel near meanwhile.
  static int64_t strips_ahead(const Panels<T>& panels) {
    return panels.prepared ? 2 : panels.direct ? kStripsAhead : INT64_MAX;
  }

  // A tile is finished at once unless there is more of k to come.
  int64_t sums_size() const {
    if (Output::kInPlace) return 0;
    return kTileRows * kWidth * (depth_.blocks > 1 ? group_ * block_ : 1);
  }

  void multiply_region(const Region& whole, const Buffers& buffers) const {
    Part part;
    for (part.panel = whole.panel; part.panel < whole.panel_end; part.panel = part.panel_end) {
      part.panel_end = smaller(whole.panel_end, part.panel + block_);
      for (part.strip = whole.strip; part.strip < whole.strip_end; part.strip = part.strip_end) {
        part.strip_end = smaller(whole.strip_end, part.strip + group_);
        part.row = strips_.begin(part.strip);
        for (part.block = 0; part.block < depth_.blocks; ++part.block) {
          part.l = depth_.begin(part.block);
          part.depth = depth_.count(part.block, panels_.k);
          keep_rows_ ? multiply_by_panels(part, buffers) : multiply_by_strips(part, buffers);
        }
      }
    }
  }

  // Few columns: their panels are kept while strips go by.
  void multiply_by_strips(const Part& part, const Buffers& buffers) const {
    pack_panels(part, part.panel, part.panel_end, buffers.panels);
    for (int64_t i = part.strip; i < part.strip_end; ++i) {
      Strip strip = packed_strip(part, i, buffers.strips);
      const LookAhead next = next_strip(part, i);
      for (int64_t panel = part.panel; panel < part.panel_end; ++panel) {
        strip.a.ahead = next.of_tile(panel - part.panel);
        const TilePanel<T> b = panel_rows(part, part.panel, panel, buffers.panels);
        multiply_one(part, strip, panel, b, buffers.sums);
      }
    }
  }

  // Few rows: their strips are kept while panels go by.
  void multiply_by_panels(const Part& part, const Buffers& buffers) const {
    const int64_t strips = part.strip_end - part.strip;
    for (int64_t i = 0; i < strips; ++i) {
      buffers.kept[i] = packed_strip(part, part.strip + i, buffers.strips + i * strip_size_);
    }
    for (int64_t panel = part.panel; panel < part.panel_end; ++panel) {
      pack_panels(part, panel, panel + 1, buffers.panels);
      const TilePanel<T> b = panel_rows(part, panel, panel, buffers.panels);
      const LookAhead next = next_panel(part, panel, strips);
      for (int64_t i = 0; i < strips; ++i) {
        TileRows<T>& a = buffers.kept[i].a;
        if (a.run == kWholeDepth) a.ahead = next.of_tile(i);
        multiply_one(part, buffers.kept[i], panel, b, buffers.sums);
      }
    }
  }

  Strip packed_strip(const Part& part, int64_t strip, T* buffer) const {
    const int64_t row = strips_.begin(strip);
    const int rows = strips_.height(strip);
    return {row, rows, source_.strip(row, rows, part.l, part.depth, buffer),
            find_tile<T>(rows, kTileVectors), find_tile<T>(rows, last_vectors_)};
  }

  void pack_panels(const Part& part, int64_t panel, int64_t panel_end, T* packed) const {
    panel = larger(panel, panels_.ready_count());
    if (panel < panel_end) pack_panels_(panel, panel_end, part.l, part.depth, packed);
  }

  // A panel where it is, or where it was packed with those from `first` on.
  TilePanel<T> panel_rows(const Part& part, int64_t first, int64_t panel, const T* packed) const {
    const int64_t ready = panels_.ready_count();
    if (panel < ready) return panels_.ready(panel, part.l, part.depth);
    return {packed + (panel - larger(first, ready)) * part.depth * kWidth, kWidth};
  }

  void multiply_one(const Part& part, const Strip& strip, int64_t panel, const TilePanel<T>& b,
                    T* sums) const {
    const int64_t column = panel * kWidth;
    const int columns = panels_.columns(panel);
    TileOutput<T> c;
    if constexpr (Output::kInPlace) {
      c = out_.place(strip.row, column);
    } else if (depth_.blocks == 1) {
      c = {sums, kWidth};
    } else {
      const int64_t row = (part.panel_end - part.panel) * kWidth;
      c = {sums + (strip.row - part.row) * row + column - part.panel * kWidth, row};
    }
    c.columns = columns;
    c.accumulate |= part.block > 0;
    (columns == kWidth ? strip.full_tile : strip.last_tile)(part.depth, strip.a, b, c);
    if (part.block + 1 < depth_.blocks) return;
    out_.finish(strip.row, strip.rows, column, columns, c.data, c.row);
  }

  LookAhead next_strip(const Part& part, int64_t strip) const {
    int64_t block = part.block;
    if (++strip == part.strip_end) {
      strip = part.strip;
      if (++block == depth_.blocks) return {{&part}};
    }
    return source_.look_ahead(strips_.begin(strip), strips_.height(strip), depth_.begin(block),
                              depth_.count(block, panels_.k), part.panel_end - part.panel);
  }
  // All tiles take part, or there would be more requests at once than a core can have open.
  LookAhead next_panel(const Part& part, int64_t panel, int64_t tiles) const {
    int64_t block = part.block;
    if (++panel == part.panel_end) {
      panel = part.panel;
      if (++block == depth_.blocks) return {{&part}};
    }
    if (panel >= panels_.ready_count()) return {{&part}};
    const int64_t depth = depth_.count(block, panels_.k);
    const TilePanel<T> b = panels_.ready(panel, depth_.begin(block), depth);
    constexpr int64_t kBytes = kWidth * sizeof(T);
    if (panels_.prepared) {  // one run of memory
      const int64_t step = divide_up(kBytes, tiles);
      return {{b.data, step}, step * depth};
    }
    const int64_t row = b.step * static_cast<int64_t>(sizeof(T));
    const int64_t rows = divide_up(depth, tiles), run = depth / rows;
    const int64_t step = divide_up(kBytes, run);
    return {{b.data, step, row - run * step, run}, rows * row};
  }

  const Panels<T>& panels_;
  const Source& source_;
  const PackPanels& pack_panels_;
  const Output& out_;
  const Strips strips_;
  const Depth<T> depth_;
  const bool keep_rows_;    // or else columns
  int64_t group_, block_;   // strips and panels at a time
  int64_t strip_size_, panel_size_;
  int last_vectors_;  // of the last panel
};

template <class T, class Source, class PackPanels, class Output>
PydlStatus multiply(const PydlContext* context, const Panels<T>& panels, const Source& source,
                    const PackPanels& pack_panels, const Output& out) {
  return Product<T, Source, PackPanels, Output>(panels, source, pack_panels, out).run(context);
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
