// Convolutions in groups. Several groups with fewer channels than a register holds are computed as
// one, whose kernel has zeros where the input of one meets the results of another.
#pragma once

#include "cpu/conv/dense.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// How many groups are computed as one.
template <class S>
int64_t groups_to_merge(const Geometry& g) {
  const int64_t wider = larger(g.channels, g.out_channels) / g.groups;
  int64_t count = clamp(Vec<Compute<S>>::size / larger(1, wider), 1, g.groups);
  while (g.groups % count) --count;
  return count;
}

template <class S>
class MergedGroups {
 public:
  MergedGroups(const PydlContext* context, const Geometry& g)
      : geometry_(g),
        merged_(groups_to_merge<S>(g)),
        inputs_(g.channels / g.groups),
        outputs_(g.out_channels / g.groups),
        kernel_(context, merged_ == 1 ? 1 : size()) {
    geometry_.groups /= merged_;
  }
  explicit operator bool() const { return static_cast<bool>(kernel_); }
  const Geometry& geometry() const { return geometry_; }

  // The kernel with zeros.
  const S* widened(const void* kernel) const {
    const S* from = static_cast<const S*>(kernel);
    if (merged_ == 1) return from;
    memset(kernel_.data(), 0, static_cast<size_t>(size()) * sizeof(S));
    for_each([&](int64_t at, int64_t widened) { kernel_[widened] = from[at]; });
    return kernel_.data();
  }
  // Where to write the gradient of such a kernel, and what to do then.
  S* widened_gradient(void* gradient) const {
    return merged_ == 1 ? static_cast<S*>(gradient) : kernel_.data();
  }
  void narrow(void* gradient) const {
    if (merged_ == 1) return;
    for_each(
        [&](int64_t at, int64_t widened) { static_cast<S*>(gradient)[at] = kernel_[widened]; });
  }

 private:
  int64_t size() const {
    return geometry_.kernel_height * geometry_.kernel_width * merged_ * inputs_ *
           geometry_.out_channels;
  }
  // body(an element of the kernel, where it is in the widened one)
  template <class Body>
  void for_each(Body&& body) const {
    const int64_t columns = geometry_.out_channels;
    for (int64_t tap = 0; tap < geometry_.kernel_height * geometry_.kernel_width; ++tap) {
      for (int64_t l = 0; l < inputs_; ++l) {
        for (int64_t n = 0; n < columns; ++n) {
          const int64_t row = (tap * merged_ + n / outputs_ % merged_) * inputs_ + l;
          body((tap * inputs_ + l) * columns + n, row * columns + n);
        }
      }
    }
  }

  Geometry geometry_;
  const int64_t merged_, inputs_, outputs_;  // channels of a group
  Scratch<S> kernel_;
};

template <class S>
PydlStatus grouped_conv(const PydlContext* context, const PydlConvArgs& args) {
  const MergedGroups<S> groups(context, args.geometry);
  if (!groups) return conv_out_of_memory(context);
  PydlConvArgs merged = args;
  merged.geometry = groups.geometry();
  merged.kernel = groups.widened(args.kernel);
  if (merged.kernel != args.kernel) merged.prepared_kernel = nullptr;
  return dense_conv<S>(context, merged);
}

template <class S>
PydlStatus grouped_data_gradient(const PydlContext* context, const PydlConvDataGradientArgs& args) {
  const MergedGroups<S> groups(context, args.geometry);
  if (!groups) return conv_out_of_memory(context);
  PydlConvDataGradientArgs merged = args;
  merged.geometry = groups.geometry();
  merged.kernel = groups.widened(args.kernel);
  return dense_data_gradient<S>(context, merged);
}

template <class S>
PydlStatus grouped_kernel_gradient(const PydlContext* context,
                                   const PydlConvKernelGradientArgs& args) {
  const MergedGroups<S> groups(context, args.geometry);
  if (!groups) return conv_out_of_memory(context);
  PydlConvKernelGradientArgs merged = args;
  merged.geometry = groups.geometry();
  merged.kernel_gradient = groups.widened_gradient(args.kernel_gradient);
  const PydlStatus status = dense_kernel_gradient<S>(context, merged);
  groups.narrow(args.kernel_gradient);
  return status;
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
