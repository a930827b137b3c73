// Uniform, normal and integer random numbers, and coin flips.
#include "cpu/elementwise.h"
#include "cpu/philox.h"
#include "cpu/simd/math.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// The random bits of one element of T: as wide as T, or 64 for integers.
template <class T>
using Bits = std::conditional_t<std::is_same_v<T, float>, uint32_t, uint64_t>;
template <class T>
constexpr int kPerGroup = PYDL_RANDOM_WORDS * 4 / sizeof(Bits<T>);

inline void draw(const Philox& philox, int64_t group, uint32_t* bits) { philox.group(group, bits); }

// Calls make(bits, block) for each group. Results pass through a block in the L1 cache, because the
// last group may be cut short and large outputs bypass the caches.
template <class T, class Make>
inline PydlStatus generate(const PydlContext* context, PydlRandomState state, int64_t count, T* out,
                           Make&& make) {
  constexpr int64_t n = kPerGroup<T>;
  const bool streams = count * static_cast<int64_t>(sizeof(T)) >= kStreamBytes;
  for_each_group(context, state, count, n, [&](const Philox& philox, int64_t group) {
    alignas(64) Bits<T> bits[n];
    alignas(64) T block[n];
    draw(philox, group, bits);
    make(bits, block);
    const int64_t begin = group * n, size = count - begin < n ? count - begin : n;
    if (streams)
      stream_bytes(reinterpret_cast<const char*>(block), reinterpret_cast<char*>(out + begin),
                   size * sizeof(T));
    else
      memcpy(out + begin, block, size * sizeof(T));
  });
  return PYDL_OK;
}

template <class Visitor>
inline PydlStatus visit_generated(const PydlContext* context, const char* op, PydlDType dtype,
                                  Visitor&& visitor) {
  if (dtype == PYDL_FLOAT32) return visitor(float{});
  if (dtype == PYDL_FLOAT64) return visitor(double{});
  return fail_dtype(context, op, "float32 or float64", dtype);
}

// (k + 1/2) / 2^n for random k of n bits: never 0.
inline Vec<float> open_unit(Vec<uint32_t> bits) {
  return fma(convert<float>(bit_cast<int32_t>(bits >> 1)), 0x1p-31f, 0x1p-32f);
}
inline Vec<double> open_unit(Vec<uint64_t> bits) {
  return fma(convert<double>(bit_cast<int64_t>(bits >> 11)), 0x1p-53, 0x1p-54);
}

// k / 2^n, as many bits as T can hold.
inline Vec<float> unit(Vec<uint32_t> bits) {
  return convert<float>(bit_cast<int32_t>(bits >> 8)) * 0x1p-24f;
}
inline Vec<double> unit(Vec<uint64_t> bits) {
  return convert<double>(bit_cast<int64_t>(bits >> 11)) * 0x1p-53;
}

inline Vec<float> sine_tail(Vec<float> x2) {
  return polynomial(x2, -0.166666667f, 0.00833333187f, -0.000198400867f, 2.72499258e-6f);
}
inline Vec<double> sine_tail(Vec<double> x2) {
  return polynomial(x2, -0x1.5555555555555p-3, 0x1.1111111110bb2p-7, -0x1.a01a019e83aaep-13,
                    0x1.71de37968a100p-19, -0x1.ae600b02b6262p-26, 0x1.5e0b19f8b1451p-33);
}
inline Vec<float> cosine_tail(Vec<float> x2) {
  return polynomial(x2, -0.5f, 0.0416666506f, -0.00138875892f, 2.44637883e-5f);
}
inline Vec<double> cosine_tail(Vec<double> x2) {
  return polynomial(x2, -0.5, 0x1.5555555555551p-5, -0x1.6c16c16c15d79p-10, 0x1.a01a019de131fp-16,
                    -0x1.27e4f8e4a2e74p-22, 0x1.1eea7f259b344p-29, -0x1.8ff9d439a204ap-37);
}

// Two independent standard normal values (Box and Muller). The angle's two upper bits, rounded, are
// its quadrant; the others are a signed fraction of a right angle.
template <class T>
inline void normal_pair(Vec<Bits<T>> radius_bits, Vec<Bits<T>> angle_bits, Vec<T>& first,
                        Vec<T>& second) {
  using I = IntLike<T>;
  constexpr int kBits = 8 * sizeof(T);
  constexpr T kRightAngle = static_cast<T>(M_PI_2 / (I{1} << (kBits - 2)));
  const Vec<I> angle = bit_cast<I>(angle_bits);
  const Vec<I> quadrant = (angle + Vec<I>(I{1} << (kBits - 3))) >> (kBits - 2);
  const Vec<T> x = convert<T>((angle << 2) >> 2) * kRightAngle, x2 = x * x;
  const Vec<T> s = fma(x * x2, sine_tail(x2), x), c = fma(x2, cosine_tail(x2), 1);
  const Mask<T> odd{((quadrant & Vec<I>(1)) != Vec<I>(0)).v};
  const Vec<I> sign_bit(static_cast<I>(I{1} << (kBits - 1)));
  const Vec<I> sine_sign = (quadrant << (kBits - 2)) & sign_bit;
  const Vec<I> cosine_sign = ((quadrant + Vec<I>(1)) << (kBits - 2)) & sign_bit;
  const Vec<T> radius = sqrt(log(open_unit(radius_bits)) * -2);
  first = radius * bit_cast<T>(bit_cast<I>(select(odd, s, c)) ^ cosine_sign);
  second = radius * bit_cast<T>(bit_cast<I>(select(odd, c, s)) ^ sine_sign);
}

// sqrt(2) erfinv(x) / x over w = -log(1 - x^2), for |x| <= erf(sqrt(2)).
inline Vec<float> probit_ratio(Vec<float> w) {
  return polynomial(w, 1.25331413f, 0.328117184f, 0.0163305643f, -0.00329360704f, -0.000194921352f,
                    7.75728392e-5f, -2.26820545e-6f, -4.99204066e-7f);
}
inline Vec<double> probit_ratio(Vec<double> w) {
  return polynomial(w, 0x1.40d931ff62707p+0, 0x1.4ffddeaa22a90p-2, 0x1.0b9a8ec619320p-6,
                    -0x1.b0d7e38f00dd7p-9, -0x1.7bc0d44fb7395p-13, 0x1.147b0b948ec69p-14,
                    0x1.7f8de1c4d0419p-19, -0x1.80d7fca8f4c41p-20, -0x1.b417a56033749p-25,
                    0x1.06de11e14c8b7p-25, 0x1.146f74fab1a52p-29, -0x1.3100e15019979p-30,
                    0x1.19544cc519870p-34, 0x1.53e12c83ac60ep-37, -0x1.2b12f8210abeep-40);
}

// A standard normal value within 2 of 0, from the inverse of the distribution function.
template <class T>
inline Vec<T> truncated_value(Vec<Bits<T>> bits) {
  const Vec<T> x =
      (open_unit(bits) * 2 - 1) * static_cast<T>(0x1.e8b4307d3627ap-1);  // erf(sqrt(2))
  const Vec<T> z = x * probit_ratio(-log(fma(-x, x, 1)));
  return max(min(z, 2), -2);
}

// The upper 64 bits of bits * range: uniform in [0, range) but for a share of range / 2^64.
inline uint64_t scale_bits(uint64_t bits, uint64_t range) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(bits) * range >> 64);
}
// The same from products of 32-bit numbers; range < 2^32.
inline Vec<uint64_t> scale_bits(Vec<uint64_t> bits, Vec<uint64_t> range) {
  const Vec<uint64_t> low = isa::multiply_low(bits.v, range.v);
  const Vec<uint64_t> high = isa::multiply_low((bits >> 32).v, range.v);
  return (high + (low >> 32)) >> 32;
}

}  // namespace

PydlStatus uniform(const PydlContext* context, const PydlUniformArgs* args) {
  return visit_generated(context, "uniform", args->dtype, [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    const T low = static_cast<T>(args->low), high = static_cast<T>(args->high);
    const T range = high - low;
    // Rounding may carry a result up to the bound, which does not belong to the interval.
    const T last = std::is_same_v<T, float> ? nextafterf(high, low) : nextafter(high, low);
    auto make = [&](const Bits<T>* bits, T* block) {
      for (int i = 0; i < kPerGroup<T>; i += Vec<T>::size) {
        const Vec<T> value = unit(Vec<Bits<T>>::load(bits + i)) * range + low;
        min(value, last).store(block + i);
      }
    };
    return generate(context, args->state, args->count, static_cast<T*>(args->out), make);
  });
}

PydlStatus normal(const PydlContext* context, const PydlNormalArgs* args) {
  return visit_generated(context, "normal", args->dtype, [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    constexpr int n = kPerGroup<T>;
    const T mean = static_cast<T>(args->mean), stddev = static_cast<T>(args->stddev);
    auto make = [&](const Bits<T>* bits, T* block) {
      for (int i = 0; i < n / 2; i += Vec<T>::size) {
        Vec<T> first, second;
        normal_pair<T>(Vec<Bits<T>>::load(bits + i), Vec<Bits<T>>::load(bits + n / 2 + i), first,
                       second);
        fma(first, stddev, mean).store(block + i);
        fma(second, stddev, mean).store(block + n / 2 + i);
      }
    };
    auto make_truncated = [&](const Bits<T>* bits, T* block) {
      for (int i = 0; i < n; i += Vec<T>::size) {
        const Vec<T> value = truncated_value<T>(Vec<Bits<T>>::load(bits + i));
        fma(value, stddev, mean).store(block + i);
      }
    };
    T* out = static_cast<T*>(args->out);
    if (args->truncated) return generate(context, args->state, args->count, out, make_truncated);
    return generate(context, args->state, args->count, out, make);
  });
}

PydlStatus randint(const PydlContext* context, const PydlRandintArgs* args) {
  auto fill = [&](auto zero) {
    using T = decltype(zero);
    const uint64_t low = static_cast<uint64_t>(args->low), range = args->range;
    auto make = [&](uint64_t* bits, T* block) {
      if (range >> 32 == 0) {
        for (int i = 0; i < kPerGroup<T>; i += Vec<uint64_t>::size)
          scale_bits(Vec<uint64_t>::load(bits + i), range).store(bits + i);
      } else {
        for (int i = 0; i < kPerGroup<T>; ++i) bits[i] = scale_bits(bits[i], range);
      }
      for (int i = 0; i < kPerGroup<T>; ++i) block[i] = static_cast<T>(low + bits[i]);
    };
    return generate(context, args->state, args->count, static_cast<T*>(args->out), make);
  };
  if (args->dtype == PYDL_INT32) return fill(int32_t{});
  if (args->dtype == PYDL_INT64) return fill(int64_t{});
  return fail_dtype(context, "randint", "int32 or int64", args->dtype);
}

PydlStatus bernoulli(const PydlContext* context, const PydlBernoulliArgs* args) {
  const uint32_t threshold = static_cast<uint32_t>(args->probability * 0x1p31 + 0.5);
  constexpr int64_t n = PYDL_RANDOM_WORDS;
  for_each_group(context, args->state, args->count, n, [&](const Philox& philox, int64_t group) {
    alignas(64) uint32_t words[n];
    uint8_t block[n];
    philox.group(group, words);
    for (int i = 0; i < n; ++i) block[i] = (words[i] >> 1) < threshold;
    const int64_t begin = group * n, rest = args->count - begin;
    memcpy(args->out + begin, block, rest < n ? rest : n);
  });
  return PYDL_OK;
}

}  // namespace pydl::cpu::PYDL_ISA
