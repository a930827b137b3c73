// The binary ops.
#include "cuda/device/elementwise.cuh"
#include "cuda/device/math.cuh"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/elementwise.h"

namespace pydl::cuda {
namespace {

// As NumPy does: the result has the divisor's sign, and NaN for a zero divisor.
template <class T>
__device__ inline T float_mod(T a, T b) {
  const T remainder = ::fmod(a, b);
  if (b == 0) return remainder;
  if (remainder == 0) return ::copysign(T(0), b);
  return (b < 0) != (remainder < 0) ? remainder + b : remainder;
}
template <class T>
__device__ inline T float_floor_divide(T a, T b) {
  if (b == 0) return a / b;
  const T remainder = ::fmod(a, b);
  T quotient = (a - remainder) / b;  // integral but for its rounding
  if (remainder != 0 && (b < 0) != (remainder < 0)) quotient -= 1;
  if (quotient == 0) return ::copysign(T(0), a / b);
  const T whole = ::floor(quotient);
  return quotient - whole > T(0.5) ? whole + 1 : whole;
}

template <class T>
struct FloatBody {
  PydlBinaryOp op;

  template <int n>
  __device__ void operator()(T (&y)[n], const T (&a)[n], const T (&b)[n]) const {
#define PYDL_CASE(name, result)                              \
  case PYDL_BINARY_##name:                                   \
    _Pragma("unroll") for (int i = 0; i < n; ++i) y[i] = result; \
    break;
    switch (op) {
      PYDL_CASE(add, a[i] + b[i])
      PYDL_CASE(subtract, a[i] - b[i])
      PYDL_CASE(multiply, a[i] * b[i])
      PYDL_CASE(divide, a[i] / b[i])
      PYDL_CASE(floor_divide, float_floor_divide(a[i], b[i]))
      PYDL_CASE(mod, float_mod(a[i], b[i]))
      PYDL_CASE(power, ::pow(a[i], b[i]))
      PYDL_CASE(maximum, maximum(a[i], b[i]))
      PYDL_CASE(minimum, minimum(a[i], b[i]))
      default: break;
    }
#undef PYDL_CASE
  }
};

// Integers wrap around; division by zero gives 0, and the smallest integer by -1 itself.
template <class T>
struct IntegerBody {
  using U = std::make_unsigned_t<T>;
  PydlBinaryOp op;

  __device__ static bool is_negative(T x) {
    if constexpr (std::is_signed_v<T>) return x < 0;
    return false;
  }
  __device__ static bool is_minus_one(T b) {
    return std::is_signed_v<T> && b == static_cast<T>(-1);
  }
  __device__ static T mod(T a, T b) {
    if (b == 0 || is_minus_one(b)) return 0;
    const T remainder = static_cast<T>(a % b);
    const bool corrects = remainder != 0 && is_negative(remainder) != is_negative(b);
    return corrects ? static_cast<T>(remainder + b) : remainder;
  }
  __device__ static T floor_divide(T a, T b) {
    if (b == 0) return 0;
    if (is_minus_one(b)) return static_cast<T>(-static_cast<U>(a));
    const T quotient = static_cast<T>(a / b);
    const bool corrects = a % b != 0 && is_negative(a) != is_negative(b);
    return corrects ? static_cast<T>(quotient - 1) : quotient;
  }
  // A negative exponent gives the integral part of the fraction.
  __device__ static T power(T a, T b) {
    if (is_negative(b)) return a == 1 ? 1 : is_minus_one(a) ? (b % 2 != 0 ? a : T{1}) : T{0};
    uint64_t result = 1, base = static_cast<uint64_t>(a);
    for (uint64_t rest = static_cast<uint64_t>(b); rest != 0; rest >>= 1, base *= base) {
      if (rest & 1) result *= base;
    }
    return static_cast<T>(result);
  }
  __device__ T apply(T a, T b) const {
    switch (op) {
      case PYDL_BINARY_add: return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
      case PYDL_BINARY_subtract: return static_cast<T>(static_cast<U>(a) - static_cast<U>(b));
      case PYDL_BINARY_multiply:
        return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
      case PYDL_BINARY_maximum: return a > b ? a : b;
      case PYDL_BINARY_minimum: return a < b ? a : b;
      case PYDL_BINARY_floor_divide: return floor_divide(a, b);
      case PYDL_BINARY_mod: return mod(a, b);
      default: return power(a, b);
    }
  }
  template <int n>
  __device__ void operator()(T (&y)[n], const T (&a)[n], const T (&b)[n]) const {
#pragma unroll
    for (int i = 0; i < n; ++i) y[i] = apply(a[i], b[i]);
  }
};

template <class T>
struct PredicateBody {
  PydlBinaryOp op;

  __device__ bool apply(T a, T b) const {
    switch (op) {
      case PYDL_BINARY_equal: return a == b;
      case PYDL_BINARY_not_equal: return a != b;
      case PYDL_BINARY_less: return a < b;
      case PYDL_BINARY_less_equal: return a <= b;
      case PYDL_BINARY_greater: return a > b;
      case PYDL_BINARY_greater_equal: return a >= b;
      case PYDL_BINARY_logical_and: return a != 0 && b != 0;
      case PYDL_BINARY_logical_or: return a != 0 || b != 0;
      default: return (a != 0) != (b != 0);
    }
  }
  template <int n>
  __device__ void operator()(uint8_t (&y)[n], const T (&a)[n], const T (&b)[n]) const {
#pragma unroll
    for (int i = 0; i < n; ++i) y[i] = apply(a[i], b[i]);
  }
};

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

template <class T, class Out, class Body>
PydlStatus run(const PydlContext* context, const PydlBinaryArgs* args, const Body& body) {
  return elementwise(context, args->rank, args->shape, body,
                     output<Out>(args->out, args->out_strides),
                     input<T>(args->a, args->a_strides), input<T>(args->b, args->b_strides));
}

}  // namespace

PydlStatus binary(const PydlContext* context, const PydlBinaryArgs* args) {
  const bool is_bool = args->dtype == PYDL_BOOL;
  const PydlBinaryOp op = is_bool ? on_bools(args->op) : args->op;
  const PydlDType dtype = is_bool ? PYDL_UINT8 : args->dtype;
  return visit_number(context, op_name(op), dtype, [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    using C = Compute<T>;
    if (op >= PYDL_BINARY_equal) return run<T, uint8_t>(context, args, PredicateBody<C>{op});
    if (is_bool) return fail_dtype(context, op_name(op), "a numeric dtype", args->dtype);
    if constexpr (std::is_floating_point_v<C>) {
      return run<T, T>(context, args, FloatBody<C>{op});
    } else {
      if (op == PYDL_BINARY_divide)
        return fail_dtype(context, op_name(op), "a floating dtype", args->dtype);
      return run<T, T>(context, args, IntegerBody<T>{op});
    }
  });
}

}  // namespace pydl::cuda
