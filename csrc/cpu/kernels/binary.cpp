// Entry of the binary ops. Arithmetic on floats is vectorised by hand; comparisons and integers are
// plain loops that the compiler vectorises.
#include <math.h>

#include "cpu/elementwise.h"
#include "cpu/lanes.h"
#include "cpu/simd/math_wide.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// As NumPy does: the result has the divisor's sign, and NaN for a zero divisor.
template <class T>
inline T float_mod(T a, T b) {
  T remainder = static_cast<T>(::fmod(a, b));
  if (b == 0) return remainder;
  if (remainder == 0) return static_cast<T>(::copysign(T{0}, b));
  return (b < 0) != (remainder < 0) ? remainder + b : remainder;
}
template <class T>
inline T float_floor_divide(T a, T b) {
  if (b == 0) return a / b;
  const T remainder = static_cast<T>(::fmod(a, b));
  T quotient = (a - remainder) / b;  // integral but for its rounding
  if (remainder != 0 && (b < 0) != (remainder < 0)) quotient -= 1;
  if (quotient == 0) return static_cast<T>(::copysign(T{0}, a / b));
  const T whole = static_cast<T>(::floor(quotient));
  return quotient - whole > T(0.5) ? whole + 1 : whole;
}

template <class T, class Function>
inline Vec<T> by_lane(Vec<T> a, Vec<T> b, Function function) {
  T left[Vec<T>::size], right[Vec<T>::size];
  a.store(left);
  b.store(right);
  for (int i = 0; i < Vec<T>::size; ++i) left[i] = function(left[i], right[i]);
  return Vec<T>::load(left);
}

inline Vec<double> floored_quotient(Vec<double> a, Vec<double> b) {
  return by_lane(a, b, float_floor_divide<double>);
}
inline Vec<double> floored_remainder(Vec<double> a, Vec<double> b) {
  return by_lane(a, b, float_mod<double>);
}

// Up to this quotient, double holds floor(a / b) and its product with b exactly for floats a and b.
constexpr float kExactQuotient = 1 << 27;

inline bool has_exact_quotient(Vec<float> a, Vec<float> b) {
  return all((abs(a / b) < kExactQuotient) & (abs(b) < INFINITY));
}
inline Vec<float> floored_quotient(Vec<float> a, Vec<float> b) {
  if (!has_exact_quotient(a, b)) return by_lane(a, b, float_floor_divide<float>);
  const Wide x = widen(a), y = widen(b);
  return narrow(floor(x.low / y.low), floor(x.high / y.high));
}
inline Vec<float> floored_remainder(Vec<float> a, Vec<float> b) {
  if (!has_exact_quotient(a, b)) return by_lane(a, b, float_mod<float>);
  const Wide x = widen(a), y = widen(b);
  const Vec<float> remainder = narrow(x.low - floor(x.low / y.low) * y.low,
                                      x.high - floor(x.high / y.high) * y.high);
  return copysign(remainder, b);
}

template <class T>
struct Float {
  using V = Vec<T>;
  static V add(V a, V b) { return a + b; }
  static V subtract(V a, V b) { return a - b; }
  static V multiply(V a, V b) { return a * b; }
  static V divide(V a, V b) { return a / b; }
  static V floor_divide(V a, V b) { return floored_quotient(a, b); }
  static V mod(V a, V b) { return floored_remainder(a, b); }
  static V power(V a, V b) { return pow(a, b); }
  static V maximum(V a, V b) { return max(a, b); }
  static V minimum(V a, V b) { return min(a, b); }
};

template <class T, Vec<T> (*function)(Vec<T>, Vec<T>)>
void float_row(const void* const* in, void* out, int64_t n, const Params&) {
  map_lanes<T, 2>(in, out, n, [](const Vec<T>* x) { return function(x[0], x[1]); });
}

// Integers wrap around; division by zero gives 0, and the smallest integer by -1 itself.
template <class T>
struct Integer {
  using U = std::make_unsigned_t<T>;
  static T add(T a, T b) { return static_cast<T>(U(a) + U(b)); }
  static T subtract(T a, T b) { return static_cast<T>(U(a) - U(b)); }
  static T multiply(T a, T b) { return static_cast<T>(uint64_t(a) * uint64_t(b)); }
  static T negate(T a) { return static_cast<T>(-U(a)); }
  static bool is_minus_one(T b) { return std::is_signed_v<T> && b == static_cast<T>(-1); }
  static T mod(T a, T b) {
    if (b == 0 || is_minus_one(b)) return 0;
    const T remainder = static_cast<T>(a % b);
    return remainder != 0 && (remainder < 0) != (b < 0) ? static_cast<T>(remainder + b) : remainder;
  }
  static T floor_divide(T a, T b) {
    if (b == 0) return 0;
    if (is_minus_one(b)) return negate(a);
    const T quotient = static_cast<T>(a / b);
    return a % b != 0 && (a < 0) != (b < 0) ? static_cast<T>(quotient - 1) : quotient;
  }
  // A negative exponent gives the integral part of the fraction.
  static T power(T a, T b) {
    if (b < 0) return a == 1 ? 1 : is_minus_one(a) ? (b % 2 != 0 ? a : T{1}) : T{0};
    uint64_t result = 1, base = uint64_t(a);
    for (uint64_t rest = uint64_t(b); rest != 0; rest >>= 1, base *= base) {
      if (rest & 1) result *= base;
    }
    return static_cast<T>(result);
  }
  static T maximum(T a, T b) { return a > b ? a : b; }
  static T minimum(T a, T b) { return a < b ? a : b; }
};

template <class T>
struct Predicate {
  static bool equal(T a, T b) { return a == b; }
  static bool not_equal(T a, T b) { return a != b; }
  static bool less(T a, T b) { return a < b; }
  static bool less_equal(T a, T b) { return a <= b; }
  static bool greater(T a, T b) { return a > b; }
  static bool greater_equal(T a, T b) { return a >= b; }
  static bool logical_and(T a, T b) { return (a != 0) & (b != 0); }
  static bool logical_or(T a, T b) { return (a != 0) | (b != 0); }
  static bool logical_xor(T a, T b) { return (a != 0) != (b != 0); }
};

template <class T, class Result, Result (*function)(T, T)>
void plain_row(const void* const* in, void* out_, int64_t n, const Params&) {
  using Stored = std::conditional_t<std::is_same_v<Result, bool>, uint8_t, Result>;
  const T* a = static_cast<const T*>(in[0]);
  const T* b = static_cast<const T*>(in[1]);
  Stored* out = static_cast<Stored*>(out_);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) out[i] = function(a[i], b[i]);
}

template <class T>
RowKernel float_kernel(PydlBinaryOp op) {
#define PYDL_CASE(name) \
  case PYDL_BINARY_##name: return float_row<T, Float<T>::name>;
  switch (op) {
    PYDL_BINARY_OPS(PYDL_CASE)
    default: return nullptr;
  }
#undef PYDL_CASE
}

template <class T>
RowKernel integer_kernel(PydlBinaryOp op) {
  using I = Integer<T>;
  switch (op) {
    case PYDL_BINARY_add: return plain_row<T, T, I::add>;
    case PYDL_BINARY_subtract: return plain_row<T, T, I::subtract>;
    case PYDL_BINARY_multiply: return plain_row<T, T, I::multiply>;
    case PYDL_BINARY_floor_divide: return plain_row<T, T, I::floor_divide>;
    case PYDL_BINARY_mod: return plain_row<T, T, I::mod>;
    case PYDL_BINARY_power: return plain_row<T, T, I::power>;
    case PYDL_BINARY_maximum: return plain_row<T, T, I::maximum>;
    case PYDL_BINARY_minimum: return plain_row<T, T, I::minimum>;
    default: return nullptr;
  }
}

template <class T>
RowKernel predicate_kernel(PydlBinaryOp op) {
#define PYDL_CASE(name) \
  case PYDL_BINARY_##name: return plain_row<T, bool, Predicate<T>::name>;
  switch (op) {
    PYDL_BINARY_PREDICATES(PYDL_CASE)
    default: return nullptr;
  }
#undef PYDL_CASE
}

// On bools, arithmetic means logic.
PydlBinaryOp on_bools(PydlBinaryOp op) {
  switch (op) {
    case PYDL_BINARY_add:
    case PYDL_BINARY_maximum: return PYDL_BINARY_logical_or;
    case PYDL_BINARY_multiply:
    case PYDL_BINARY_minimum: return PYDL_BINARY_logical_and;
    default: return op;
  }
}

const char* op_name(PydlBinaryOp op) {
#define PYDL_NAME(name) #name,
  static const char* const names[] = {PYDL_BINARY_OPS(PYDL_NAME) PYDL_BINARY_PREDICATES(PYDL_NAME)};
#undef PYDL_NAME
  return op >= 0 && op < PYDL_BINARY_COUNT ? names[op] : "binary";
}

bool is_costly(PydlBinaryOp op) {
  return op == PYDL_BINARY_power || op == PYDL_BINARY_mod || op == PYDL_BINARY_floor_divide;
}

// T is a storage type, or uint8_t for bool.
template <class T>
PydlStatus run_binary(const PydlContext* context, const PydlBinaryArgs* args, PydlBinaryOp op) {
  using C = Compute<T>;
  RowKernel kernel = predicate_kernel<C>(op);
  const bool is_predicate = kernel != nullptr;
  if constexpr (std::is_floating_point_v<C>) {
    if (!kernel) kernel = float_kernel<C>(op);
  } else if (args->dtype != PYDL_BOOL) {
    if (!kernel) kernel = integer_kernel<C>(op);
  }
  if (!kernel) {
    const char* expected = args->dtype == PYDL_BOOL ? "a numeric dtype" : "a floating dtype";
    return fail_dtype(context, op_name(op), expected, args->dtype);
  }
  const Output out = is_predicate ? output<uint8_t>(args->out, args->out_strides)
                                  : output<T>(args->out, args->out_strides);
  Elementwise<2>{args->rank,
                 args->shape,
                 {input<T>(args->a, args->a_strides), input<T>(args->b, args->b_strides)},
                 out,
                 kernel,
                 {}}
      .run(context, is_costly(op) ? kCostlyGrain : kCheapGrain);
  return PYDL_OK;
}

}  // namespace

PydlStatus binary(const PydlContext* context, const PydlBinaryArgs* args) {
  if (args->dtype == PYDL_BOOL) return run_binary<uint8_t>(context, args, on_bools(args->op));
  return visit_number(context, op_name(args->op), args->dtype, [&](auto zero) -> PydlStatus {
    return run_binary<decltype(zero)>(context, args, args->op);
  });
}

}  // namespace pydl::cpu::PYDL_ISA
