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

constexpr int64_t kBlock = 512;            // elements
constexpr int64_t kCheapGrain = 1 << 15;   // elements that make a thread worth waking: additions
constexpr int64_t kCostlyGrain = 1 << 12;  // and functions such as exp
constexpr int64_t kStreamBytes = 1 << 25;  // outputs that no cache would keep until they are read

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
  } else if (stride != 1) {
    for (int64_t i = 0; i < n; ++i) block[i] = to_compute(x[i * stride]);
  } else if constexpr (!std::is_same_v<T, Compute<T>>) {
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
    stream_bytes(static_cast<const char*>(block_), static_cast<char*>(out_), n * sizeof(T));
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
    int64_t stride[N + 1];
    for (int k = 0; k <= N; ++k) stride[k] = space.column_stride(k);

    // Short rows would leave the write-combining buffers half full.
    const bool streams = !out.converts && space.count() * out.item_size >= kStreamBytes &&
                         space.columns() >= kBlock;
    bool blocked[N + 1], any_blocked = false;
    for (int k = 0; k < N; ++k) any_blocked |= blocked[k] = in[k].converts || stride[k] != 1;
    any_blocked |= blocked[N] = out.converts || stride[N] != 1 || streams;

    for_each_row(context, space, grain, [&](const int64_t* offsets, int64_t n) {
      const void* from[N];
      for (int k = 0; k < N; ++k) from[k] = in[k].data + offsets[k] * in[k].item_size;
      char* to = out.data + offsets[N] * out.item_size;
      if (any_blocked) {
        run_blocks(from, to, n, stride, blocked);
        if (streams) isa::stream_fence();
      } else {
        kernel(from, to, n, params);
      }
    });
  }

 private:
  void run_blocks(const void* const* from, char* to, int64_t n, const int64_t* stride,
                  const bool* blocked) const {
    alignas(64) char blocks[N + 1][kBlock * sizeof(double)];
    for (int64_t begin = 0; begin < n; begin += kBlock) {
      const int64_t count = n - begin < kBlock ? n - begin : kBlock;
      const void* sources[N];
      for (int k = 0; k < N; ++k) {
        const char* source =
            static_cast<const char*>(from[k]) + begin * stride[k] * in[k].item_size;
        sources[k] = blocked[k] ? blocks[k] : source;
        const bool filled = stride[k] == 0 && begin > 0;  // with the one value, by the first block
        if (blocked[k] && !filled) in[k].read(source, stride[k], count, blocks[k]);
      }
      char* target = to + begin * stride[N] * out.item_size;
      kernel(sources, blocked[N] ? blocks[N] : target, count, params);
      if (blocked[N]) out.write(blocks[N], target, stride[N], count);
    }
  }
};

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
