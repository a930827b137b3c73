#include "cpu/rows.h"
#include "cpu/simd/dtype.h"
#include "pydl/kernels/image.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// One row of the result at a time: first the rows of x it is made of are added up, which is the
// same for every element of a row, then that row is resampled.
template <class S>
class Resample {
  using T = Compute<S>;

 public:
  explicit Resample(const PydlResampleArgs& args)
      : args_(args),
        row_(args.size[1] * args.channels),
        out_row_(args.out_size[1] * args.channels) {}

  void operator()(int64_t begin, int64_t end, T* sum) const {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t n = i / args_.out_size[0], out = i % args_.out_size[0];
      const S* x =
          static_cast<const S*>(args_.x) + (n * args_.size[0] + args_.first[0][out]) * row_;
      add_rows(x, args_.weights[0] + out * args_.taps[0], sum);
      S* y = static_cast<S*>(args_.y) + i * out_row_;
      switch (args_.channels) {
        case 1:
          resample_row<1>(sum, y);
          break;
        case 3:
          resample_row<3>(sum, y);
          break;
        case 4:
          resample_row<4>(sum, y);
          break;
        default:
          resample_vectors(sum, y);
      }
    }
  }

 private:
  void add_rows(const S* x, const double* weights, T* sum) const {
    for_each_vector<T>(row_, [&](int64_t i, auto... lanes) {
      Vec<T> total = load(x + i, lanes...) * Vec<T>(static_cast<T>(weights[0]));
      for (int64_t k = 1; k < args_.taps[0]; ++k)
        total = fma(load(x + k * row_ + i, lanes...), static_cast<T>(weights[k]), total);
      total.store(sum + i, lanes...);
    });
  }

  template <int channels>
  void resample_row(const T* sum, S* y) const {
    const int64_t taps = args_.taps[1];
    for (int64_t out = 0; out < args_.out_size[1]; ++out, y += channels) {
      const T* from = sum + args_.first[1][out] * channels;
      const double* weights = args_.weights[1] + out * taps;
      T total[channels] = {};
      for (int64_t k = 0; k < taps; ++k, from += channels)
        for (int c = 0; c < channels; ++c) total[c] += from[c] * static_cast<T>(weights[k]);
      for (int c = 0; c < channels; ++c) y[c] = from_compute<S>(total[c]);
    }
  }

  void resample_vectors(const T* sum, S* y) const {
    const int64_t taps = args_.taps[1], channels = args_.channels;
    for (int64_t out = 0; out < args_.out_size[1]; ++out, y += channels) {
      const T* from = sum + args_.first[1][out] * channels;
      const double* weights = args_.weights[1] + out * taps;
      for_each_vector<T>(channels, [&](int64_t c, auto... lanes) {
        Vec<T> total(T(0));
        for (int64_t k = 0; k < taps; ++k) {
          const Vec<T> pixel = Vec<T>::load(from + k * channels + c, lanes...);
          total = fma(pixel, static_cast<T>(weights[k]), total);
        }
        store(total, y + c, lanes...);
      });
    }
  }

  const PydlResampleArgs& args_;
  const int64_t row_, out_row_;
};

}  // namespace

PydlStatus resample(const PydlContext* context, const PydlResampleArgs* args) {
  return visit_floating(context, "resize", args->dtype, [&](auto zero) {
    using S = decltype(zero);
    const Resample<S> rows(*args);
    const int64_t row = args->size[1] * args->channels, count = args->batch * args->out_size[0];
    bool out_of_memory = false;
    parallel_for(context, count, (1 << 14) / (row * args->taps[0]) + 1,
                 [&](int64_t begin, int64_t end) {
                   const Scratch<Compute<S>> sum(context, row);
                   if (sum) {
                     rows(begin, end, sum.data());
                   } else {
                     out_of_memory = true;
                   }
                 });
    return out_of_memory ? context->fail(context, PYDL_ERROR_MEMORY,
                                         "[resize] expected memory for one row of the images")
                         : PYDL_OK;
  });
}

}  // namespace pydl::cpu::PYDL_ISA
