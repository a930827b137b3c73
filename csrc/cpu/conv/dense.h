// Convolution and its gradients as matrix products of patches, group by group.
#pragma once

#include "cpu/conv/padded.h"
#include "cpu/conv/split.h"
#include "cpu/conv/winograd.h"
#include "cpu/conv/winograd_gradient.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kPaddedBytes = 1 << 20;  // of padded images, for each thread, at a time

template <class P>
P* offset(P* pointer, int64_t by) {
  return pointer ? pointer + by : nullptr;
}

template <class S>
Patches<S> patches_of(const Geometry& g, const void* input, int64_t group) {
  const int64_t channels = g.channels / g.groups;
  const S* data = static_cast<const S*>(input) + group * channels;
  return {data, height_of(g), width_of(g), channels, g.channels};
}

// The product of patches with a kernel.
template <class S, class Output>
PydlStatus multiply_patches(const PydlContext* context, const Patches<S>& patches, int64_t batch,
                            const KernelTaps<S>& kernel, int64_t columns, const Output& out) {
  using T = Compute<S>;
  const bool split = worth_splitting_rows(patches, batch, columns);
  if (worth_winograd(patches, batch, columns, kernel.prepared, split)) {
    return Winograd(patches, batch, kernel, columns, out, context->num_threads).run(context);
  }
  PydlStatus status = PYDL_OK;
  if (multiply_split_patches(context, patches, batch, kernel, columns, out, &status)) return status;
  const int64_t m = patches.rows(batch);
  Panels<T> panels = {patches.columns(), columns, nullptr, kernel.row};
  if constexpr (std::is_same_v<S, T>) {
    const bool in_place = worth_reading_in_place<S>(m, columns, panels.k, kernel.row);
    if (in_place && kernel.is_matrix(patches)) panels.direct = kernel.data;
  }
  const auto pack_panels = [&](int64_t panel, int64_t panel_end, int64_t l, int64_t depth, T* dst) {
    kernel.pack(patches, columns, panel, panel_end, l, depth, dst);
  };
  const auto multiply_rows = [&](const PatchRows<S>& rows, const Output& to) {
    if constexpr (std::is_same_v<S, T>) {
      if (m <= kPreparedRows) {
        find_prepared(kernel.prepared, panels, rows.depth(), pack_panels, kernel.data, kernel.row,
                      kernel.column);
      }
    }
    return multiply<T>(context, panels, rows, pack_panels, to);
  };
  if (patches.all_inside() || !PatchRows<S>::worth_padding(patches, columns)) {
    return multiply_rows(PatchRows<S>(patches, batch, columns), out);
  }
  const int64_t image_bytes = PaddedImages<S>::size(patches) * static_cast<int64_t>(sizeof(S));
  const int64_t images =
      clamp(context->num_threads * kPaddedBytes / image_bytes, 1, larger(1, batch));
  PaddedImages<S> padded(context, patches, images);
  if (!padded) return conv_out_of_memory(context);
  for (int64_t image = 0; image < batch; image += images) {
    const int64_t end = smaller(batch, image + images);
    const PatchRows<S> rows(padded.fill(context, image, end), end - image, columns);
    status = multiply_rows(rows, out.from_row(image * patches.rows(1)));
    if (status != PYDL_OK) return status;
  }
  return PYDL_OK;
}

template <class S>
PydlStatus dense_conv(const PydlContext* context, const PydlConvArgs& args) {
  const Geometry& g = args.geometry;
  const int64_t columns = g.out_channels / g.groups;
  for (int64_t group = 0; group < g.groups; ++group) {
    const int64_t first = group * columns;
    const Patches<S> patches = patches_of<S>(g, args.input, group);
    const int64_t tap = patches.channels * g.out_channels;
    const KernelTaps<S> kernel = {static_cast<const S*>(args.kernel) + first,
                                  g.kernel_width * tap,
                                  tap,
                                  g.out_channels,
                                  1,
                                  g.groups == 1 ? args.prepared_kernel : nullptr};
    const Epilogue<S, S> epilogue = {offset(static_cast<const S*>(args.bias), first),
                                     args.activation};
    const MatrixOutput<S, S> out = {static_cast<S*>(args.result) + first,
                                    offset(static_cast<S*>(args.pre_activation), first),
                                    offset(static_cast<const S*>(args.residual), first),
                                    g.out_channels, false, epilogue};
    const PydlStatus status = multiply_patches(context, patches, g.batch, kernel, columns, out);
    if (status != PYDL_OK) return status;
  }
  return PYDL_OK;
}

// The pixels of one pair of remainders, one group.
template <class S, class Output>
PydlStatus dense_data_gradient_part(const PydlContext* context,
                                    const PydlConvDataGradientArgs& args, int64_t group,
                                    const TransposedAxis& height, const TransposedAxis& width,
                                    const Output& out) {
  const Geometry& g = args.geometry;
  const int64_t channels = g.channels / g.groups, out_channels = g.out_channels / g.groups;
  const S* gradient = static_cast<const S*>(args.result_gradient) + group * out_channels;
  const Patches<S> patches = {gradient, height.axis, width.axis, out_channels, g.out_channels};
  const int64_t tap = channels * g.out_channels, tap_row = g.kernel_width * tap;
  const KernelTaps<S> kernel = {static_cast<const S*>(args.kernel) + group * out_channels +
                                    height.kernel_tap(0) * tap_row + width.kernel_tap(0) * tap,
                                -height.tap_step * tap_row, -width.tap_step * tap, 1,
                                g.out_channels};
  return multiply_patches(context, patches, g.batch, kernel, channels, out);
}

template <class S>
PydlStatus dense_data_gradient(const PydlContext* context, const PydlConvDataGradientArgs& args) {
  const Geometry& g = args.geometry;
  const int64_t row = g.width * g.channels;
  for (int64_t group = 0; group < g.groups; ++group) {
    const int64_t first = group * (g.channels / g.groups);
    S* data = static_cast<S*>(args.input_gradient) + first;
    S* pre = offset(static_cast<S*>(args.pre_activation), first);
    const Epilogue<S, S> epilogue = {offset(static_cast<const S*>(args.bias), first),
                                     args.activation};
    const auto part = [&](const TransposedAxis& height, const TransposedAxis& width) {
      if (g.stride_height == 1 && g.stride_width == 1) {
        const MatrixOutput<S, S> out = {data, pre, nullptr, g.channels, false, epilogue};
        return dense_data_gradient_part<S>(context, args, group, height, width, out);
      }
      const int64_t at = height.remainder * row + width.remainder * g.channels;
      const PixelOutput<S> out = {data + at,
                                  offset(pre, at),
                                  height.axis.out,
                                  width.axis.out,
                                  g.height * row,
                                  g.stride_height * row,
                                  g.stride_width * g.channels,
                                  epilogue};
      return dense_data_gradient_part<S>(context, args, group, height, width, out);
    };
    const PydlStatus status = for_remainders(g, part);
    if (status != PYDL_OK) return status;
  }
  return PYDL_OK;
}

// out = the sum of `parts` matrices (rows, n) that follow each other in `sums`; added up in order.
template <class T, class S>
void add_parts(T* sums, int64_t parts, int64_t rows, int64_t n, S* out, int64_t out_row) {
  for (int64_t i = 0; i < rows; ++i) {
    for_registers<T>(n, [&](int64_t j, auto... count) {
      Vec<T> total = T(0);
      for (int64_t part = 0; part < parts; ++part) {
        total += load(sums + (part * rows + i) * n + j, count...);
      }
      store(total, out + i * out_row + j, count...);
    });
  }
}

// The kernel gradient of images [image, image_end) for one group: patches^T @ result_gradient.
template <class S, class O>
PydlStatus dense_kernel_gradient_part(const PydlContext* context,
                                      const PydlConvKernelGradientArgs& args, int64_t group,
                                      int64_t image, int64_t image_end, O* out, int64_t out_row) {
  using T = Compute<S>;
  const Geometry& g = args.geometry;
  const int64_t columns = g.out_channels / g.groups, pixels = g.out_height * g.out_width;
  Patches<S> patches = patches_of<S>(g, args.input, group);
  patches.data += image * g.height * g.width * g.channels;
  const S* gradient = static_cast<const S*>(args.result_gradient) + group * columns +
                      image * pixels * g.out_channels;
  const MatrixOutput<S, O> to = {
      out, nullptr, nullptr, out_row, false, {nullptr, PYDL_ACTIVATION_NONE}};
  PydlStatus status = PYDL_OK;
  if (multiply_split_columns(context, patches, image_end - image, gradient, g.out_channels, columns,
                             to, &status)) {
    return status;
  }
  const bool pad = PatchColumns<S>::worth_padding(patches, columns) && !patches.all_inside();
  PaddedImages<S> padded(context, patches, pad ? image_end - image : 0);
  if (!padded) return conv_out_of_memory(context);
  if (pad) patches = padded.fill(context, 0, image_end - image);

  Panels<T> panels = {(image_end - image) * pixels, columns, nullptr, g.out_channels};
  if constexpr (std::is_same_v<S, T>) panels.direct = gradient;
  return multiply<T>(
      context, panels, PatchColumns<S>(patches, image_end - image, columns),
      [&](int64_t panel, int64_t panel_end, int64_t l, int64_t depth, T* dst) {
        pack_matrix_panels(gradient + l * g.out_channels, g.out_channels, 1, depth, columns, panel,
                           panel_end, dst, depth * kTileColumns<T>);
      },
      to);
}

// A small kernel leaves little to share out between threads, so that the images are: in parts whose
// number does not depend on the threads, added up in order.
template <class S>
PydlStatus dense_kernel_gradient(const PydlContext* context,
                                 const PydlConvKernelGradientArgs& args) {
  using T = Compute<S>;
  constexpr int64_t kEnoughTiles = 16;
  const Geometry& g = args.geometry;
  const int64_t columns = g.out_channels / g.groups;
  const int64_t k = g.kernel_height * g.kernel_width * (g.channels / g.groups);
  const int64_t tiles = divide_up(k, kTileRows) * divide_up(columns, kTileColumns<T>);
  const int64_t parts = clamp(kEnoughTiles / tiles, 1, larger(1, g.batch)), size = k * columns;
  Scratch<T> sums(context, parts == 1 ? 1 : parts * size);
  if (!sums) return conv_out_of_memory(context);

  PydlStatus status = PYDL_OK;
  for (int64_t group = 0; group < g.groups && status == PYDL_OK; ++group) {
    S* out = static_cast<S*>(args.kernel_gradient) + group * columns;
    const Patches<S> patches = patches_of<S>(g, args.input, group);
    const bool split = worth_splitting_columns(patches, g.batch, columns);
    if (worth_winograd(patches, g.batch, columns, nullptr, split)) {
      const S* gradient = static_cast<const S*>(args.result_gradient) + group * columns;
      status = WinogradKernelGradient<S>(patches, g.batch, gradient, g.out_channels, columns, out,
                                         g.out_channels)
                   .run(context);
      continue;
    }
    if (parts == 1) {
      status = dense_kernel_gradient_part<S>(context, args, group, 0, g.batch, out, g.out_channels);
      continue;
    }
    parallel_for(context, parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; ++part) {
        const PydlStatus result = dense_kernel_gradient_part<S>(
            context, args, group, part * g.batch / parts, (part + 1) * g.batch / parts,
            sums.data() + part * size, columns);
        if (result != PYDL_OK) __atomic_store_n(&status, result, __ATOMIC_RELAXED);
      }
    });
    add_parts(sums.data(), parts, k, columns, out, g.out_channels);
  }
  return status;
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
