// Products of float32 patches in tile registers, see gemm/split_tile.h: patches are split strip by
// strip, and no others than those of a strip are ever stored.
#pragma once

#include "cpu/conv/operands.h"
#ifdef PYDL_ISA_avx512
#include "cpu/gemm/split.h"
#endif

namespace pydl::cpu::PYDL_ISA {
namespace {

#ifdef PYDL_ISA_avx512

// Whether tile registers are faster than vectors. To gather patches of few channels takes too long.
template <class S>
bool worth_splitting_rows(const Patches<S>& patches, int64_t batch, int64_t columns) {
  return std::is_same_v<S, float> && patches.channels >= Vec<float>::size &&
         worth_splitting({patches.rows(batch), columns, patches.columns()});
}
template <class S>
bool worth_splitting_columns(const Patches<S>& patches, int64_t batch, int64_t columns) {
  return std::is_same_v<S, float> && patches.channels >= Vec<float>::size &&
         worth_splitting({patches.columns(), columns, patches.rows(batch)});
}

// Columns [j, j + columns) and taps and channels [l, l + depth) of a kernel, split.
inline void split_kernel(const Patches<float>& patches, const KernelTaps<float>& kernel, int64_t j,
                         int64_t columns, int64_t l, int64_t depth, int64_t size,
                         Splitter& splitter, Pairs* to) {
  static_assert(kTileColumns<float> == kSplitSide);
  if (kernel.is_matrix(patches)) {
    return split_panels(kernel.data + l * kernel.row + j, kernel.row, 1, depth, columns, size,
                        splitter, to);
  }
  alignas(64) float packed[kSplitPiece * kSplitSide];
  for (int64_t begin = 0; begin < columns; begin += kSplitSide, to += size) {
    const int64_t panel = (j + begin) / kSplitSide, count = smaller(kSplitSide, columns - begin);
    for (int64_t i = 0; i < depth; i += kSplitPiece) {
      const int64_t piece = smaller(kSplitPiece, depth - i);
      kernel.pack(patches, j + columns, panel, panel + 1, l + i, piece, packed);
      split_panels(packed, kSplitSide, 1, piece, count, 0, splitter,
                   to + i / kSplitDepth * kChunkPairs);
    }
  }
}

// Patches, and their transpose, as the operand A of a product.
struct SplitPatchRows {
  const Patches<float>& patches;
  TileRows<float> strip(int64_t i, int rows, int64_t l, int64_t depth, float* buffer) const {
    patches.copy(i, rows, l, depth, buffer, kSplitPiece);
    return {buffer, kSplitPiece, 1};
  }
};
struct SplitPatchColumns {
  const Patches<float>& patches;
  TileRows<float> strip(int64_t i, int rows, int64_t l, int64_t depth, float* buffer) const {
    patches.copy(l, depth, i, rows, buffer, kSplitSide);
    return {buffer, 1, kSplitSide};
  }
};

// The product of patches with a kernel. Whether it was computed.
template <class S, class Output>
bool multiply_split_patches(const PydlContext* context, const Patches<S>& patches, int64_t batch,
                            const KernelTaps<S>& kernel, int64_t columns, const Output& out,
                            PydlStatus* status) {
  if constexpr (std::is_same_v<S, float>) {
    if (!worth_splitting_rows(patches, batch, columns)) return false;
    const ProductSize of = {patches.rows(batch), columns, patches.columns()};
    const auto split_b = [&](int64_t j, int64_t count, int64_t l, int64_t depth, int64_t size,
                             Splitter& splitter, Pairs* to) {
      split_kernel(patches, kernel, j, count, l, depth, size, splitter, to);
    };
    const SplitPatchRows rows = {patches};
    const KeptOperand b = {kernel.prepared, kernel.data, kernel.row, kernel.column};
    return multiply_split_matrices(context, of, rows, split_b, b, out, status);
  } else {
    return false;
  }
}

// patches^T @ gradient, whose rows are `gradient_row` apart. Whether it was computed.
template <class S, class Output>
bool multiply_split_columns(const PydlContext* context, const Patches<S>& patches, int64_t batch,
                            const S* gradient, int64_t gradient_row, int64_t columns,
                            const Output& out, PydlStatus* status) {
  if constexpr (std::is_same_v<S, float>) {
    if (!worth_splitting_columns(patches, batch, columns)) return false;
    const ProductSize of = {patches.columns(), columns, patches.rows(batch)};
    const auto split_b = [&](int64_t j, int64_t count, int64_t l, int64_t depth, int64_t size,
                             Splitter& splitter, Pairs* to) {
      split_panels(gradient + l * gradient_row + j, gradient_row, 1, depth, count, size, splitter,
                   to);
    };
    const SplitPatchColumns rows = {patches};
    return multiply_split_matrices(context, of, rows, split_b, {}, out, status);
  } else {
    return false;
  }
}

#else

template <class... Args>
bool worth_splitting_rows(const Args&...) {
  return false;
}
template <class... Args>
bool worth_splitting_columns(const Args&...) {
  return false;
}
template <class... Args>
bool multiply_split_patches(const Args&...) {
  return false;
}
template <class... Args>
bool multiply_split_columns(const Args&...) {
  return false;
}

#endif

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
