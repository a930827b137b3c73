// sort and argsort.
#include "cuda/device/sort_rows.cuh"
#include "pydl/kernels/sort.h"

namespace pydl::cuda {
namespace {

template <class K>
PydlStatus sort_as(const PydlContext* context, const PydlSortArgs& args) {
  const int bits = bits_of(args.dtype);
  const SortedArray from = {
      {args.dtype, args.indices != nullptr, false}, const_cast<void*>(args.x), nullptr};
  const SortedArray to = {from.codec, args.values, args.indices};
  return args.values ? sort_rows<K, false>(context, args.rows, args.columns, bits, from, to)
                     : sort_rows<K, true>(context, args.rows, args.columns, bits, from, to);
}

}  // namespace

PydlStatus sort(const PydlContext* context, const PydlSortArgs* args) {
  if (args->rows * args->columns == 0) return PYDL_OK;
  return bits_of(args->dtype) == 64 ? sort_as<uint64_t>(context, *args)
                                    : sort_as<uint32_t>(context, *args);
}

}  // namespace pydl::cuda
