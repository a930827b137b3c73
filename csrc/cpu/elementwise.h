// What every elementwise kernel shares. A row kernel sees contiguous values of a compute type only;
// operands that are strided, broadcast or 16-bit floats pass through blocks that fit in L1.
#pragma once

#include "cpu/simd/dtype.h"
#include "cpu/strided.h"
#include "pydl/kernels/elementwise.h"

namespace pydl::cpu::PYDL_ISA {

struct Params {
  double alpha, beta;
};
using RowKernel = void (*)(const void* const* in, void* out, int64_t n, const Params& params);

namespace {

constexpr int64_t kBlock = 512;             // elements
constexpr int64_t kShortRow = kBlock / 16;  // elements
constexpr int64_t kCheapGrain = 1 << 15;    // elements that make a thread worth waking: additions
constexpr int64_t kCostlyGrain = 1 << 12;   // and functions such as exp
constexpr int64_t kStreamBytes = 1 << 25;   // outputs that no cache would keep until they are read

struct Input {
  const char* data;
  const int64_t* strides;
  int item_size, block_item_size;
  void (*read)(const void* x, int64_t stride, int64_t n, void* block);
  bool converts;
};
struct Output {
  char* data;
  const int64_t* strides;
  int item_size, block_item_size;
  void (*write)(const void* block, void* out, int64_t stride, int64_t n);
  bool converts;
};

template <class T>
inline void read_row(const void* x_, int64_t stride, int64_t n, void* block_) {
  const T* x = static_cast<const T*>(x_);
  auto* block = static_cast<Compute<T>*>(block_);
  if (stride == 0) {
    const Compute<T> value = to_compute(*x);
    for (int64_t i = 0; i < n; ++i) block[i] = value;
  } else if (stride == -1) {  // compilers reverse whole registers
    for (int64_t i = 0; i < n; ++i) block[i] = to_compute(x[-i]);
  } else if (stride != 1) {
    for (int64_t i = 0; i < n; ++i) block[i] = to_compute(x[i * stride]);
  } else if constexpr (std::is_same_v<T, Compute<T>>) {
    memcpy(block, x, n * sizeof(T));
  } else {
    for (int64_t i = 0; i < n; i += Vec<float>::size) {  // blocks have room for whole vectors
      const bool whole = n - i >= Vec<float>::size;
      store(whole ? load(x + i) : load(x + i, static_cast<int>(n - i)), block + i);
    }
  }
}

// Past the caches.
inline void stream_bytes(const char* block, char* out, int64_t n) {
  const int64_t head = -reinterpret_cast<uintptr_t>(out) % isa::kVectorBytes;
  int64_t i = head < n ? head : n;
  memcpy(out, block, i);
  for (; i + isa::kVectorBytes <= n; i += isa::kVectorBytes) {
    const auto v = Vec<int8_t>::load(reinterpret_cast<const int8_t*>(block + i));
    v.stream(reinterpret_cast<int8_t*>(out + i));
  }
  memcpy(out + i, block + i, n - i);
}

template <class T>
inline void write_row(const void* block_, void* out_, int64_t stride, int64_t n) {
  const auto* block = static_cast<const Compute<T>*>(block_);
  T* out = static_cast<T*>(out_);
  if (stride != 1) {
    for (int64_t i = 0; i < n; ++i) out[i * stride] = from_compute<T>(block[i]);
  } else if constexpr (std::is_same_v<T, Compute<T>>) {
    memcpy(out, block, n * sizeof(T));
  } else {
    for (int64_t i = 0; i < n; i += Vec<float>::size) {
      const int64_t rest = n - i;
      if (rest >= Vec<float>::size) {
        store(load(block + i), out + i);
      } else {
        store(load(block + i), out + i, static_cast<int>(rest));
      }
    }
  }
}

template <class T>
inline Input input(const void* data, const int64_t* strides) {
  return {static_cast<const char*>(data), strides, sizeof(T), sizeof(Compute<T>), read_row<T>,
          !std::is_same_v<T, Compute<T>>};
}
template <class T>
inline Output output(void* data, const int64_t* strides) {
  return {static_cast<char*>(data), strides, sizeof(T), sizeof(Compute<T>), write_row<T>,
          !std::is_same_v<T, Compute<T>>};
}

template <class T>
void move_row(const void* const* in, void* out, int64_t n, const Params&) {
  memcpy(out, in[0], n * sizeof(T));
}

// out = kernel(in...) over the whole shape.
template <int N>
struct Elementwise {
  int32_t rank;
  const int64_t* shape;
  Input in[N];
  Output out;
  RowKernel kernel;
  Params params;

  __attribute__((noinline)) void run(const PydlContext* context, int64_t grain) const {
    StridedSpace<N + 1> space{rank, shape, {}};
    for (int k = 0; k < N; ++k) space.strides[k] = in[k].strides;
    space.strides[N] = out.strides;
    if (rank > 1 && space.columns() > 0 && space.columns() <= kShortRow) {
      run_short_rows(context, space, grain);
    } else {
      run_rows(context, space, grain);
    }
  }

 private:
  struct alignas(64) Blocks {
    char data[N + 1][kBlock * sizeof(double)];
  };

  void run_rows(const PydlContext* context, const StridedSpace<N + 1>& space, int64_t grain) const {
    int64_t stride[N + 1];
    for (int k = 0; k <= N; ++k) stride[k] = space.column_stride(k);
    // Short rows would leave the write-combining buffers half full.
    const bool large = space.count() * out.item_size >= kStreamBytes && space.columns() >= kBlock;
    const bool streams = large && !out.converts && stride[N] == 1;
    bool blocked[N + 1], any_blocked = false;
    for (int k = 0; k < N; ++k) any_blocked |= blocked[k] = in[k].converts || stride[k] != 1;
    any_blocked |= blocked[N] = out.converts || stride[N] != 1 || streams;

    for_each_row(context, space, grain, [&](const int64_t* offsets, int64_t n) {
      const void* from[N];
      for (int k = 0; k < N; ++k) from[k] = in[k].data + offsets[k] * in[k].item_size;
      char* to = out.data + offsets[N] * out.item_size;
      if (any_blocked) {
        run_blocks(from, to, n, stride, blocked, streams);
        if (streams) isa::stream_fence();
      } else {
        kernel(from, to, n, params);
      }
    });
  }

  void run_blocks(const void* const* from, char* to, int64_t n, const int64_t* stride,
                  const bool* blocked, bool streams) const {
    Blocks blocks;
    for (int64_t begin = 0; begin < n; begin += kBlock) {
      const int64_t count = n - begin < kBlock ? n - begin : kBlock;
      const void* sources[N];
      for (int k = 0; k < N; ++k) {
        const char* source =
            static_cast<const char*>(from[k]) + begin * stride[k] * in[k].item_size;
        sources[k] = blocked[k] ? blocks.data[k] : source;
        const bool filled = stride[k] == 0 && begin > 0;  // with the one value, by the first block
        if (blocked[k] && !filled) in[k].read(source, stride[k], count, blocks.data[k]);
      }
      char* target = to + begin * stride[N] * out.item_size;
      kernel(sources, blocked[N] ? blocks.data[N] : target, count, params);
      if (streams) {
        stream_bytes(blocks.data[N], target, count * out.item_size);
      } else if (blocked[N]) {
        out.write(blocks.data[N], target, stride[N], count);
      }
    }
  }

  // Many rows a block, so that a kernel call is worth its cost: operands that do not lie in memory
  // as the shape does are gathered row by row, once only if all rows are the same.
  void run_short_rows(const PydlContext* context, const StridedSpace<N + 1>& space,
                      int64_t grain) const {
    const int64_t columns = space.columns(), rows = space.count() / columns;
    const int64_t rows_per_block = kBlock / columns;
    bool dense[N + 1], repeats[N + 1];
    for (int k = 0; k <= N; ++k) {
      dense[k] = space.is_dense(k);
      repeats[k] = space.repeats_rows(k);
    }
    parallel_for(context, rows, 1 + grain / columns, [&](int64_t begin, int64_t end) {
      Blocks blocks;
      for (int64_t row = begin; row < end; row += rows_per_block) {
        const int64_t count = end - row < rows_per_block ? end - row : rows_per_block;
        const RowCursor<N + 1> first(space, row);
        const void* sources[N];
        for (int k = 0; k < N; ++k) {
          const bool direct = dense[k] && !in[k].converts;
          sources[k] = direct ? in[k].data + first.offset(k) * in[k].item_size : blocks.data[k];
          const bool filled = row > begin && repeats[k];
          if (!direct && !filled) gather(k, space, first, dense[k], count, blocks.data[k]);
        }
        const bool direct = dense[N] && !out.converts;
        char* target = out.data + first.offset(N) * out.item_size;
        kernel(sources, direct ? target : blocks.data[N], count * columns, params);
        if (!direct) scatter(space, first, dense[N], count, blocks.data[N]);
      }
    });
  }

  void gather(int k, const StridedSpace<N + 1>& space, RowCursor<N + 1> cursor, bool dense,
              int64_t rows, char* block) const {
    const Input& x = in[k];
    const int64_t columns = space.columns();
    if (dense) {
      x.read(x.data + cursor.offset(k) * x.item_size, 1, rows * columns, block);
      return;
    }
    for (int64_t i = 0; i < rows; ++i, cursor.next()) {
      x.read(x.data + cursor.offset(k) * x.item_size, space.column_stride(k), columns,
             block + i * columns * x.block_item_size);
    }
  }

  void scatter(const StridedSpace<N + 1>& space, RowCursor<N + 1> cursor, bool dense,
               int64_t rows, const char* block) const {
    const int64_t columns = space.columns();
    if (dense) {
      out.write(block, out.data + cursor.offset(N) * out.item_size, 1, rows * columns);
      return;
    }
    for (int64_t i = 0; i < rows; ++i, cursor.next()) {
      out.write(block + i * columns * out.block_item_size,
                out.data + cursor.offset(N) * out.item_size, space.column_stride(N), columns);
    }
  }
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
