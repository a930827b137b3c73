// Uniform, normal and integer random numbers, and coin flips. Compiled without fusing products with
// sums, as on the CPU: the numbers are the same.
#include "pydl/cuda/grid.cuh"
#include "pydl/cuda/philox.cuh"
#include "pydl/cuda/visit.h"

namespace pydl::cuda {
namespace {

__device__ inline float from_bits(uint32_t bits) { return __uint_as_float(bits); }
__device__ inline double from_bits(uint64_t bits) {
  return __longlong_as_double(static_cast<long long>(bits));
}
__device__ inline uint32_t to_bits(float x) { return __float_as_uint(x); }
__device__ inline uint64_t to_bits(double x) {
  return static_cast<uint64_t>(__double_as_longlong(x));
}

// The random bits of one element of T: as wide as T, or 64 for integers. A block of Philox makes
// `count` of them, which belong to elements 16 apart.
template <class T>
struct Draws {
  static constexpr bool narrow = std::is_same_v<T, float> || std::is_same_v<T, bool>;
  using Bits = std::conditional_t<narrow, uint32_t, uint64_t>;
  static constexpr int count = narrow ? 4 : 2;
  Bits bits[count];

  __device__ explicit Draws(const uint32_t (&words)[4]) {
#pragma unroll
    for (int i = 0; i < count; ++i) {
      bits[i] = words[i];
      if constexpr (!narrow) bits[i] = bits[i] << 32 | words[i + 2];
    }
  }
};

template <class T, class Rule>
__global__ void __launch_bounds__(kThreads)
    generate_kernel(RandomStream stream, int64_t count, T* out, Rule rule) {
  using D = Draws<T>;
  const Philox philox(stream);
  const int64_t blocks = (count + 16 * D::count - 1) / (16 * D::count) * PYDL_RANDOM_BLOCKS;
  for (int64_t b = first_element(); b < blocks; b += element_step()) {
    uint32_t words[4];
    philox.block(b, words);
    T values[D::count];
    rule(D(words), values);
    const int64_t first = b / 16 * 16 * D::count + b % 16;
#pragma unroll
    for (int i = 0; i < D::count; ++i) {
      if (first + 16 * i < count) out[first + 16 * i] = values[i];
    }
  }
}

template <class T, class Rule>
PydlStatus generate(const PydlContext* context, PydlRandomState state, int64_t count, void* out,
                    Rule rule) {
  if (count == 0) return PYDL_OK;
  const int64_t blocks = (count + 15) / Draws<T>::count + PYDL_RANDOM_BLOCKS;
  return launch_elements(context, blocks, generate_kernel<T, Rule>, random_stream(context, state),
                         count, static_cast<T*>(out), rule);
}

template <class Visitor>
PydlStatus visit_generated(const PydlContext* context, const char* op, PydlDType dtype,
                           Visitor&& visitor) {
  if (dtype == PYDL_FLOAT32) return visitor(float{});
  if (dtype == PYDL_FLOAT64) return visitor(double{});
  return fail_dtype(context, op, "float32 or float64", dtype);
}

// (k + 1/2) / 2^n for random k of n bits: never 0.
__device__ inline float open_unit(uint32_t bits) {
  return fmaf(static_cast<float>(static_cast<int32_t>(bits >> 1)), 0x1p-31f, 0x1p-32f);
}
__device__ inline double open_unit(uint64_t bits) {
  return fma(static_cast<double>(static_cast<int64_t>(bits >> 11)), 0x1p-53, 0x1p-54);
}

// k / 2^n, as many bits as T can hold.
__device__ inline float unit(uint32_t bits) {
  return static_cast<float>(static_cast<int32_t>(bits >> 8)) * 0x1p-24f;
}
__device__ inline double unit(uint64_t bits) {
  return static_cast<double>(static_cast<int64_t>(bits >> 11)) * 0x1p-53;
}

template <class T>
struct Uniform {
  T low, range, last;

  __device__ void operator()(const Draws<T>& draws, T* values) const {
#pragma unroll
    for (int i = 0; i < Draws<T>::count; ++i) {
      const T value = unit(draws.bits[i]) * range + low;
      values[i] = value < last ? value : last;
    }
  }
};

// c0 + c1 x + c2 x^2 + ...
template <class T>
__device__ inline T polynomial(T, T c) {
  return c;
}
template <class T, class... Rest>
__device__ inline T polynomial(T x, T c, T next, Rest... rest) {
  return ::fma(polynomial(x, next, rest...), x, c);
}

__device__ inline float sine_tail(float x2) {
  return polynomial(x2, -0.166666667f, 0.00833333187f, -0.000198400867f, 2.72499258e-6f);
}
__device__ inline double sine_tail(double x2) {
  return polynomial(x2, -0x1.5555555555555p-3, 0x1.1111111110bb2p-7, -0x1.a01a019e83aaep-13,
                    0x1.71de37968a100p-19, -0x1.ae600b02b6262p-26, 0x1.5e0b19f8b1451p-33);
}
__device__ inline float cosine_tail(float x2) {
  return polynomial(x2, -0.5f, 0.0416666506f, -0.00138875892f, 2.44637883e-5f);
}
__device__ inline double cosine_tail(double x2) {
  return polynomial(x2, -0.5, 0x1.5555555555551p-5, -0x1.6c16c16c15d79p-10, 0x1.a01a019de131fp-16,
                    -0x1.27e4f8e4a2e74p-22, 0x1.1eea7f259b344p-29, -0x1.8ff9d439a204ap-37);
}

// Two independent standard normal values (Box and Muller). The angle's two upper bits, rounded, are
// its quadrant; the others are a signed fraction of a right angle.
template <class T, class Bits>
__device__ inline void normal_pair(Bits radius_bits, Bits angle_bits, T& first, T& second) {
  using I = std::make_signed_t<Bits>;
  constexpr int kBits = 8 * sizeof(T);
  constexpr T kRightAngle = static_cast<T>(1.57079632679489661923 / (I{1} << (kBits - 2)));
  const Bits quadrant = (angle_bits + (Bits{1} << (kBits - 3))) >> (kBits - 2);
  const T x = static_cast<T>(static_cast<I>(angle_bits << 2) >> 2) * kRightAngle, x2 = x * x;
  const T s = ::fma(x * x2, sine_tail(x2), x), c = ::fma(x2, cosine_tail(x2), T(1));
  constexpr Bits kSign = Bits{1} << (kBits - 1);
  const Bits sine_sign = (quadrant << (kBits - 2)) & kSign;
  const Bits cosine_sign = ((quadrant + 1) << (kBits - 2)) & kSign;
  const bool odd = quadrant & 1;
  const T radius = ::sqrt(::log(open_unit(radius_bits)) * T(-2));
  first = radius * from_bits(to_bits(odd ? s : c) ^ cosine_sign);
  second = radius * from_bits(to_bits(odd ? c : s) ^ sine_sign);
}

template <class T>
struct Normal {
  T mean, stddev;

  __device__ void operator()(const Draws<T>& draws, T* values) const {
    constexpr int n = Draws<T>::count / 2;
#pragma unroll
    for (int i = 0; i < n; ++i) {
      T first, second;
      normal_pair(draws.bits[i], draws.bits[i + n], first, second);
      values[i] = ::fma(first, stddev, mean);
      values[i + n] = ::fma(second, stddev, mean);
    }
  }
};

// sqrt(2) erfinv(x) / x over w = -log(1 - x^2), for |x| <= erf(sqrt(2)).
__device__ inline float probit_ratio(float w) {
  return polynomial(w, 1.25331413f, 0.328117184f, 0.0163305643f, -0.00329360704f, -0.000194921352f,
                    7.75728392e-5f, -2.26820545e-6f, -4.99204066e-7f);
}
__device__ inline double probit_ratio(double w) {
  return polynomial(w, 0x1.40d931ff62707p+0, 0x1.4ffddeaa22a90p-2, 0x1.0b9a8ec619320p-6,
                    -0x1.b0d7e38f00dd7p-9, -0x1.7bc0d44fb7395p-13, 0x1.147b0b948ec69p-14,
                    0x1.7f8de1c4d0419p-19, -0x1.80d7fca8f4c41p-20, -0x1.b417a56033749p-25,
                    0x1.06de11e14c8b7p-25, 0x1.146f74fab1a52p-29, -0x1.3100e15019979p-30,
                    0x1.19544cc519870p-34, 0x1.53e12c83ac60ep-37, -0x1.2b12f8210abeep-40);
}

// Within 2 standard deviations, from the inverse of the distribution function.
template <class T>
struct TruncatedNormal {
  T mean, stddev;

  __device__ void operator()(const Draws<T>& draws, T* values) const {
#pragma unroll
    for (int i = 0; i < Draws<T>::count; ++i) {
      constexpr T kBound = static_cast<T>(0x1.e8b4307d3627ap-1);  // erf(sqrt(2))
      const T x = (open_unit(draws.bits[i]) * 2 - 1) * kBound;
      const T z = x * probit_ratio(-::log(::fma(-x, x, T(1))));
      values[i] = ::fma(z > 2 ? T(2) : z < -2 ? T(-2) : z, stddev, mean);
    }
  }
};

template <class T>
struct Integers {
  uint64_t low, range;

  __device__ void operator()(const Draws<T>& draws, T* values) const {
#pragma unroll
    for (int i = 0; i < Draws<T>::count; ++i)
      values[i] = static_cast<T>(low + scale_bits(draws.bits[i], range));
  }
};

struct Coins {
  uint32_t threshold;

  __device__ void operator()(const Draws<bool>& draws, bool* values) const {
#pragma unroll
    for (int i = 0; i < Draws<bool>::count; ++i) values[i] = (draws.bits[i] >> 1) < threshold;
  }
};

}  // namespace

PydlStatus uniform(const PydlContext* context, const PydlUniformArgs* args) {
  return visit_generated(context, "uniform", args->dtype, [&](auto zero) {
    using T = decltype(zero);
    const T low = static_cast<T>(args->low), high = static_cast<T>(args->high);
    // Rounding may carry a result up to the bound, which does not belong to the interval.
    const T last = std::is_same_v<T, float> ? nextafterf(high, low) : nextafter(high, low);
    return generate<T>(context, args->state, args->count, args->out,
                       Uniform<T>{low, high - low, last});
  });
}

PydlStatus normal(const PydlContext* context, const PydlNormalArgs* args) {
  return visit_generated(context, "normal", args->dtype, [&](auto zero) {
    using T = decltype(zero);
    const T mean = static_cast<T>(args->mean), stddev = static_cast<T>(args->stddev);
    if (args->truncated)
      return generate<T>(context, args->state, args->count, args->out,
                         TruncatedNormal<T>{mean, stddev});
    return generate<T>(context, args->state, args->count, args->out, Normal<T>{mean, stddev});
  });
}

PydlStatus randint(const PydlContext* context, const PydlRandintArgs* args) {
  const uint64_t low = static_cast<uint64_t>(args->low), range = args->range;
  if (args->dtype == PYDL_INT32)
    return generate<int32_t>(context, args->state, args->count, args->out,
                             Integers<int32_t>{low, range});
  if (args->dtype == PYDL_INT64)
    return generate<int64_t>(context, args->state, args->count, args->out,
                             Integers<int64_t>{low, range});
  return fail_dtype(context, "randint", "int32 or int64", args->dtype);
}

PydlStatus bernoulli(const PydlContext* context, const PydlBernoulliArgs* args) {
  const uint32_t threshold = static_cast<uint32_t>(args->probability * 0x1p31 + 0.5);
  return generate<bool>(context, args->state, args->count, args->out, Coins{threshold});
}

}  // namespace pydl::cuda
