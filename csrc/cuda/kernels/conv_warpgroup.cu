#include "cuda/conv/products.cuh"
#include "cuda/conv/warpgroup.h"
#include "cuda/gemm/warpgroup_run.cuh"

namespace pydl::cuda {
namespace {

// What a pixel's channels are copied in: whole chunks of 16 bytes, groups included.
bool has_whole_chunks(PydlDType dtype, const void* data, int64_t channels) {
  return (dtype == PYDL_FLOAT16 || dtype == PYDL_BFLOAT16) && whole_chunks<float16>(data, channels);
}

// Starts a product of these extents; false where warpgroups do not serve it.
template <class OperandA>
bool fill(const OperandA& a, const Batch& batch, const Output& out, int64_t m, int64_t n, int64_t k,
          WarpgroupProduct<OperandA>* product) {
  if (m <= 64 || n <= 32 || k < 64 || batch.count == 0 ||
      device_attribute(cudaDevAttrComputeCapabilityMajor) != 9) {
    return false;
  }
  product->a = a;
  product->m = static_cast<int>(m);
  product->n = static_cast<int>(n);
  product->k = static_cast<int>(k);
  product->batch = batch;
  product->out = out;
  return divide_among_warpgroups(tile_columns(n), product);
}

// Runs a product with tiles of the width that was asked for when it was divided.
template <class T, bool kADepth, bool kBDepth, class OperandA>
PydlStatus run(const PydlContext* context, const WarpgroupProduct<OperandA>& product, bool* done) {
  switch (tile_columns(product.n)) {
    case 256:
      return run_warpgroups<T, WarpgroupTile<256>, kADepth, kBDepth>(context, product, done);
    case 128:
      return run_warpgroups<T, WarpgroupTile<128>, kADepth, kBDepth>(context, product, done);
    default: return run_warpgroups<T, WarpgroupTile<64>, kADepth, kBDepth>(context, product, done);
  }
}

// Matrices (depths, channels) of the groups, side by side in rows of all channels.
bool map_groups(PydlDType dtype, const void* data, int64_t depths, int64_t group, int64_t groups,
                MappedOperand* operand) {
  ptx::MatrixFacts of = {data, dtype == PYDL_BFLOAT16, group, depths, groups, group * groups, group};
  operand->depths = INT32_MAX;
  operand->item_matrices = 1;
  return ptx::encode_matrix(of, 64, &operand->map);
}

template <class T>
PydlStatus run_conv(const PydlContext* context, const PydlConvArgs& args, bool* done) {
  const Geometry& g = args.geometry;
  const ConvExtents of(g);
  const int64_t depths = of.taps * of.group_channels;
  WarpgroupProduct<PatchOperand<T>> product = {};
  const Output out = conv_output<T>(args.result, g.out_channels, of.group_out, args.bias,
                                    args.activation, args.pre_activation);
  if (!fill(patches<T>(g, args.input), groups_of(g, of.group_channels, 0, of.group_out), out,
            of.out_pixels, of.group_out, depths, &product) ||
      !map_groups(args.dtype, args.kernel, depths, of.group_out, g.groups, &product.b)) {
    return PYDL_OK;
  }
  return run<T, true, false>(context, product, done);
}

template <class T>
PydlStatus run_data_gradient(const PydlContext* context, const PydlConvDataGradientArgs& args,
                             bool* done) {
  const Geometry& g = args.geometry;
  const ConvExtents of(g);
  WarpgroupProduct<GradientPatchOperand<T>> product = {};
  const Output out = conv_output<T>(args.input_gradient, g.channels, of.group_channels, args.bias,
                                    args.activation, args.pre_activation);
  if (!fill(gradient_patches<T>(g, args.result_gradient),
            groups_of(g, of.group_out, 0, of.group_channels), out, of.pixels, of.group_channels,
            of.taps * of.group_out, &product)) {
    return PYDL_OK;
  }
  // A tap of the kernel is a matrix (channels, channels of the result); a sum goes through all of them.
  ptx::MatrixFacts kernel = {args.kernel,       args.dtype == PYDL_BFLOAT16,
                             g.out_channels,    of.group_channels,
                             of.taps,           g.out_channels,
                             of.group_channels * g.out_channels};
  product.b.depths = static_cast<int>(of.group_out);
  product.b.item_depths = static_cast<int>(of.group_out);
  const int columns = tile_columns(of.group_channels);
  if (!ptx::encode_matrix(kernel, static_cast<uint32_t>(columns), &product.b.map)) return PYDL_OK;
  return run<T, true, true>(context, product, done);
}

template <class T>
PydlStatus run_kernel_gradient(const PydlContext* context, const PydlConvKernelGradientArgs& args,
                               bool* done) {
  const Geometry& g = args.geometry;
  const ConvExtents of(g);
  WarpgroupProduct<PatchOperand<T>> product = {};
  const Output out = conv_output<T>(args.kernel_gradient, g.out_channels, of.group_out, nullptr,
                                    PYDL_ACTIVATION_NONE, nullptr);
  if (!fill(patches<T>(g, args.input), groups_of(g, of.group_channels, 0, of.group_out), out,
            of.taps * of.group_channels, of.group_out, of.out_pixels, &product) ||
      !map_groups(args.dtype, args.result_gradient, of.out_pixels, of.group_out, g.groups,
                  &product.b)) {
    return PYDL_OK;
  }
  return run<T, false, false>(context, product, done);
}

}  // namespace

PydlStatus conv_with_warpgroups(const PydlContext* context, const PydlConvArgs& args, bool* done) {
  const ConvExtents of(args.geometry);
  if (!has_whole_chunks(args.dtype, args.input, of.group_channels) ||
      !has_whole_chunks(args.dtype, args.kernel, of.group_out)) {
    return PYDL_OK;
  }
  return args.dtype == PYDL_FLOAT16 ? run_conv<float16>(context, args, done)
                                    : run_conv<bfloat16>(context, args, done);
}

// Stages must not reach from one tap into the next.
PydlStatus conv_data_gradient_with_warpgroups(const PydlContext* context,
                                              const PydlConvDataGradientArgs& args, bool* done) {
  const ConvExtents of(args.geometry);
  if (!has_whole_chunks(args.dtype, args.result_gradient, of.group_out) || of.group_out % 64 != 0 ||
      !has_whole_chunks(args.dtype, args.kernel, of.group_out)) {
    return PYDL_OK;
  }
  return args.dtype == PYDL_FLOAT16 ? run_data_gradient<float16>(context, args, done)
                                    : run_data_gradient<bfloat16>(context, args, done);
}

PydlStatus conv_kernel_gradient_with_warpgroups(const PydlContext* context,
                                                const PydlConvKernelGradientArgs& args, bool* done) {
  const ConvExtents of(args.geometry);
  if (!has_whole_chunks(args.dtype, args.input, of.group_channels) ||
      !has_whole_chunks(args.dtype, args.result_gradient, of.group_out)) {
    return PYDL_OK;
  }
  return args.dtype == PYDL_FLOAT16 ? run_kernel_gradient<float16>(context, args, done)
                                    : run_kernel_gradient<bfloat16>(context, args, done);
}

}  // namespace pydl::cuda
