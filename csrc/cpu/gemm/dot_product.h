// The blocked matrix product with dot-product instructions. Each thread has a region of C, and goes
//
//   for each block of columns
//     for each group of rows
//       for each span of k           whose part of B is packed: it stays in the L2 cache
//         for each strip of its rows
//           for each block of k      whose part of the strip stays in the L1 cache
//             for each pair of panels of columns
//
// How k is cut depends on the shape alone, so the result does not depend on the number of threads.
#pragma once

#include "cpu/gemm/blocked.h"
#include "cpu/gemm/dot_pack.h"
#include "cpu/gemm/dot_unit.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kDotSpanBytes = 2048;      // of k
constexpr int64_t kDotBlockBytes = 1024;     // of k
constexpr int64_t kDotWideBytes = 256;       // of k where B is used but once, to read long runs of it
constexpr int64_t kDotKeptBytes = 1 << 19;   // of B: stays in the L2 cache; that of AMX is twice as big
constexpr int64_t kDotPreparedRows = 1024;   // of C: with more, packing B takes no time worth memory
constexpr int64_t kDotGroupRows = 2048;      // whose partial sums are kept
constexpr int64_t kDotSpeed = 16;            // times that of float32 products, to decide on threads
constexpr int kPair = 2 * kPanelColumns;

template <class S>
struct DotFactors {
  int64_t m, n, k;
  DotMatrix<S> a, b;
};

// `out.write(row, rows, column, columns, sums, sum_row)` gets the completed sums.
template <class S, class Output>
class DotProduct {
 public:
  using Sum = DotSum<S>;

  DotProduct(const DotFactors<S>& factors, const Output& out)
      : f_(factors),
        out_(out),
        amx_(has_unit(kUnitAmx)),
        strips_(divide_up(f_.m, amx_ ? kAmxTileRows : kVectorTileRows)),
        span_(cut(larger(1, f_.k), strips_ == 1 ? kDotWideBytes : kDotSpanBytes)),
        spans_(divide_up(larger(1, f_.k), span_)),
        depth_(cut(span_, kDotBlockBytes)),
        tile_at_once_(depth_ >= f_.k) {
    constexpr int64_t kAliasing = 2 * kDotBlockBytes;  // rows so far apart share too few cache sets
    direct_ = f_.a.column == 1 && (f_.a.row * kSize % kAliasing != 0 || f_.n <= 4 * kPair);
    panel_bytes_ = span_ / kStep<S> * kStepPanelBytes + kStepBytes;  // not a power of 2
    pairs_ = divide_up(f_.n, kPair);
    block_ = even_part(pairs_, kDotKeptBytes * (amx_ ? 2 : 1) / (2 * panel_bytes_));
    group_ = spans_ == 1 ? strips_ : even_part(strips_, kDotGroupRows / kAmxTileRows);
    row_bytes_ = depth_ * kSize + kStepBytes;
    sums_row_ = tile_at_once_ ? kPair : block_ * kPair;
    sums_ = (spans_ == 1 ? 2 : group_) * kAmxTileRows * sums_row_;
  }

  // `kept` is what was made of B, or NULL.
  PydlStatus run(const PydlContext* context, const PydlPrepared* kept = nullptr) const {
    const char* prepared = f_.m <= kDotPreparedRows ? find_prepared(kept) : nullptr;
    const Cut cut(strips_, pairs_, kPair, f_.k / kDotSpeed, context->num_threads);
    const int64_t strip_bytes = kAmxTileRows * (row_bytes_ + kStepBytes);
    const int64_t panels = prepared ? 0 : 2 * block_ * panel_bytes_;
    const int64_t size = panels + strip_bytes + sums_ * static_cast<int64_t>(sizeof(Sum));
    Scratch<char> memory(context, cut.regions() * size);
    if (!memory) return context->fail(context, PYDL_ERROR_MEMORY, "[matmul] out of memory");
    parallel_for(context, cut.regions(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        char* own = memory.data() + i * size;
        const Buffers buffers = {own, own + panels, own + panels + kAmxTileRows * row_bytes_,
                                 reinterpret_cast<Sum*>(own + panels + strip_bytes)};
        multiply_region(cut.region(i, strips_, pairs_), prepared, buffers);
      }
      if (amx_) release_amx();
    });
    return PYDL_OK;
  }

 private:
  static constexpr int64_t kSize = sizeof(S), kGroup = 4 / kSize;
  static constexpr int32_t kFlip = std::is_same_v<S, int8_t> ? int32_t(0x80808080) : 0;
  struct Buffers {
    char *panels, *strip, *tail;
    Sum* sums;
  };
  struct Part : Region {
    int64_t span, l, depth;  // of which depth values from l on are multiplied
    const char* panels;      // of the span
  };
  // A tile that is multiplied but not written: that is done while the next is multiplied.
  struct Pending {
    int64_t row, column;
    int rows = 0, columns;
    Sum* sums = nullptr;
    int configured_rows = 0;
  };

  // How much of `count` values of k at a time.
  static int64_t cut(int64_t count, int64_t bytes) {
    return divide_up(even_part(count, bytes / kSize), kStep<S>) * kStep<S>;
  }
  int64_t first_row(int64_t strip) const { return strip * f_.m / strips_; }

  // All panels, span by span, if they are kept.
  const char* find_prepared(const PydlPrepared* kept) const {
    if (!kept) return nullptr;
    const int64_t bytes = 2 * pairs_ * panel_bytes_;  // of a span
    const PydlPreparedKey key = {
        f_.b.data, {amx_ ? -2 : -1, f_.k, f_.n, span_, f_.b.row, f_.b.column}, spans_ * bytes};
    auto make = [&](char* to) {
      for (int64_t l = 0; l < f_.k; l += span_, to += bytes) pack(l, 0, f_.n, to);
    };
    using Make = decltype(make);
    const auto call = [](void* arg, void* to) {
      (*static_cast<Make*>(arg))(static_cast<char*>(to));
    };
    return static_cast<const char*>(kept->get(kept, &key, call, &make));
  }
  // The span of k from l on of these columns.
  void pack(int64_t l, int64_t column, int64_t columns, char* to) const {
    pack_dot_panels(f_.b, l, smaller(f_.k - l, span_), column, columns, amx_ ? 0 : kFlip, to,
                    panel_bytes_);
  }

  void multiply_region(const Region& whole, const char* prepared, const Buffers& buffers) const {
    Part part;
    Pending pending;
    for (part.panel = whole.panel; part.panel < whole.panel_end; part.panel = part.panel_end) {
      part.panel_end = smaller(whole.panel_end, part.panel + block_);
      const int64_t column = part.panel * kPair;
      const int64_t columns = smaller(f_.n, part.panel_end * kPair) - column;
      for (part.strip = whole.strip; part.strip < whole.strip_end; part.strip = part.strip_end) {
        part.strip_end = smaller(whole.strip_end, part.strip + group_);
        for (part.span = 0; part.span < f_.k; part.span += span_) {
          const int64_t end = smaller(f_.k, part.span + span_);
          const int64_t ready = part.span / span_ * pairs_ + part.panel;
          part.panels = prepared ? prepared + ready * 2 * panel_bytes_ : buffers.panels;
          if (!prepared) pack(part.span, column, columns, buffers.panels);
          for (int64_t i = part.strip; i < part.strip_end; ++i) {
            for (part.l = part.span; part.l < end; part.l += depth_) {
              part.depth = smaller(end - part.l, depth_);
              multiply_strip(part, i, buffers, &pending);
            }
          }
        }
        finish(&pending);  // sums of the next group may be in its place
      }
    }
  }

  void finish(Pending* pending) const {
    if (pending->rows) {
      out_.write(pending->row, pending->rows, pending->column, pending->columns, pending->sums,
                 sums_row_);
    }
    pending->rows = 0;
  }

  void multiply_strip(const Part& part, int64_t i, const Buffers& buffers, Pending* pending) const {
    const int64_t row = first_row(i);
    const int rows = static_cast<int>(first_row(i + 1) - row);
    int32_t starts[kVectorTileRows];
    DotTile<S> tile = strip_of_a(part, row, rows, buffers);
    if (kFlip && !amx_) {
      subtract_flips(tile, starts);
      tile.start = starts;
    }
    if (amx_ && rows != pending->configured_rows) configure_amx(rows);
    pending->configured_rows = rows;
    const DotMicroKernel<S> pair = find(rows, 2), single = find(rows, 1);
    const char* panels = part.panels + (part.l - part.span) / kStep<S> * kStepPanelBytes;
    for (int64_t p = part.panel; p < part.panel_end; ++p) {
      const int columns = static_cast<int>(smaller(kPair, f_.n - p * kPair));
      tile.panels = columns > kPanelColumns ? 2 : 1;
      tile.b = panels + (p - part.panel) * 2 * panel_bytes_;
      tile.c = buffers.sums + place(part, i, p);
      tile.ahead = next_of_a(part, i, p);
      (tile.panels == 2 ? pair : single)(tile);
      if (part.l + part.depth < f_.k) continue;
      finish(pending);
      *pending = {row, p * kPair, rows, columns, tile.c, rows};
    }
  }

  // The next block of A comes nearer while all tiles of this one are multiplied.
  DotAhead next_of_a(const Part& part, int64_t strip, int64_t pair) const {
    int64_t l = part.l + depth_;
    if (l >= smaller(f_.k, part.span + span_)) {
      l = part.span;
      if (++strip == part.strip_end) return {};
    }
    const bool rows = f_.a.column == 1;
    const int64_t all = rows ? first_row(strip + 1) - first_row(strip) : kStep<S>;
    const int64_t share = divide_up(all, part.panel_end - part.panel);
    const int64_t first = (pair - part.panel) * share;
    if (first >= all) return {};
    const int lines = static_cast<int>(smaller(share, all - first));
    const S* data = f_.a.at(first_row(strip) + (rows ? first : 0), l + (rows ? 0 : first));
    return {reinterpret_cast<const char*>(data), (rows ? f_.a.row : f_.a.column) * kSize,
            rows ? kStepBytes : kStep<S> * f_.a.column * kSize, lines};
  }

  // Where the sums of a tile are: never where those of the tile before are.
  int64_t place(const Part& part, int64_t strip, int64_t pair) const {
    pair -= part.panel;
    strip -= part.strip;
    constexpr int64_t kTile = kAmxTileRows * kPair;
    if (tile_at_once_) return (strip * (part.panel_end - part.panel) + pair) % 2 * kTile;
    return (spans_ == 1 ? strip % 2 : strip) * kAmxTileRows * sums_row_ + pair * kPair;
  }

  DotMicroKernel<S> find(int rows, int panels) const {
    return amx_ ? find_amx_tile<S>(rows, panels) : find_dot_vectors<S>(rows, panels);
  }

  // Rows of A where they are, or packed; the last, incomplete step of k is always packed.
  DotTile<S> strip_of_a(const Part& part, int64_t row, int rows, const Buffers& buffers) const {
    DotTile<S> tile = {};
    tile.rows = rows;
    tile.steps = part.depth / kStep<S>;
    tile.c_row = sums_row_;
    tile.panel = panel_bytes_;
    tile.accumulate = part.l > 0;
    tile.a = reinterpret_cast<const char*>(f_.a.at(row, part.l));
    tile.a_row = f_.a.row * kSize;
    tile.a_tail = buffers.tail;
    const int64_t whole = tile.steps * kStep<S>, rest = part.depth - whole;
    tile.tail_groups = static_cast<int>(divide_up(rest, kGroup));
    const auto pack_rows = [&](int64_t from, int64_t count, char* to, int64_t to_row) {
      for (int r = 0; r < rows; r += 16) {
        pack_step_of_rows(f_.a, row + r, static_cast<int>(smaller(16, rows - r)), part.l + from,
                          count, to + r * to_row, to_row);
      }
    };
    if (rest) pack_rows(whole, rest, buffers.tail, kStepBytes);
    if (direct_) return tile;
    for (int64_t step = 0; step < tile.steps; ++step) {
      pack_rows(step * kStep<S>, kStep<S>, buffers.strip + step * kStepBytes, row_bytes_);
    }
    tile.a = buffers.strip;
    tile.a_row = row_bytes_;
    return tile;
  }

  // Without AMX one factor has to be unsigned: B is packed with 128 added, whose products are taken
  // off again.
  static void subtract_flips(const DotTile<S>& tile, int32_t* starts) {
    for (int i = 0; i < tile.rows; ++i) {
      int32_t sum = 0;
      const int8_t* a = reinterpret_cast<const int8_t*>(tile.a + i * tile.a_row);
      for (int64_t l = 0; l < tile.steps * kStepBytes; ++l) sum += a[l];
      a = reinterpret_cast<const int8_t*>(tile.a_tail + i * kStepBytes);
      for (int l = 0; l < tile.tail_groups * 4; ++l) sum += a[l];
      starts[i] = -128 * sum;
    }
  }

  const DotFactors<S>& f_;
  const Output& out_;
  const bool amx_;
  const int64_t strips_, span_, spans_, depth_;
  const bool tile_at_once_;
  bool direct_;
  int64_t panel_bytes_, pairs_, block_, group_, row_bytes_, sums_row_, sums_;
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
