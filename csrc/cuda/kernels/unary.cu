// Entry of the unary ops; integers and the predicates are done here.
#include "cuda/device/unary.cuh"

namespace pydl::cuda {
namespace {

template <class T>
T clamp_to(double bound) {
  constexpr int bits = 8 * sizeof(T) - std::is_signed_v<T>;
  constexpr T top = static_cast<T>((uint64_t{1} << bits) - 1);
  constexpr T bottom = static_cast<T>(~top);
  if (!(bound > static_cast<double>(bottom))) return bottom;
  return bound >= static_cast<double>(top) ? top : static_cast<T>(bound);
}

// Integers wrap around, as NumPy's do.
template <class T>
struct IntegerBody {
  using U = std::make_unsigned_t<T>;
  PydlUnaryOp op;
  T low, high;

  __device__ static bool is_negative(T x) {
    if constexpr (std::is_signed_v<T>) return x < 0;
    return false;
  }
  __device__ T apply(T x) const {
    switch (op) {
      case PYDL_UNARY_abs: return is_negative(x) ? static_cast<T>(-static_cast<U>(x)) : x;
      case PYDL_UNARY_neg: return static_cast<T>(-static_cast<U>(x));
      case PYDL_UNARY_sign: return static_cast<T>((x != 0) - 2 * is_negative(x));
      case PYDL_UNARY_square:
        return static_cast<T>(static_cast<uint64_t>(x) * static_cast<uint64_t>(x));
      case PYDL_UNARY_clip: {
        const T raised = x < low ? low : x;
        return raised > high ? high : raised;
      }
      case PYDL_UNARY_relu: return is_negative(x) ? T(0) : x;
      default: return x;  // floor, ceil, round
    }
  }
  template <int n>
  __device__ void operator()(T (&y)[n], const T (&x)[n]) const {
#pragma unroll
    for (int i = 0; i < n; ++i) y[i] = apply(x[i]);
  }
};

bool takes_integers(PydlUnaryOp op) {
  switch (op) {
    case PYDL_UNARY_abs:
    case PYDL_UNARY_neg:
    case PYDL_UNARY_sign:
    case PYDL_UNARY_square:
    case PYDL_UNARY_floor:
    case PYDL_UNARY_ceil:
    case PYDL_UNARY_round:
    case PYDL_UNARY_clip:
    case PYDL_UNARY_relu: return true;
    default: return false;
  }
}

template <class T>
struct PredicateBody {
  PydlUnaryOp op;

  __device__ bool apply(T x) const {
    if (op == PYDL_UNARY_logical_not) return x == T(0);
    if constexpr (std::is_floating_point_v<T>) {
      const bool finite = x - x == 0;
      if (op == PYDL_UNARY_isfinite) return finite;
      return op == PYDL_UNARY_isnan ? x != x : x == x && !finite;
    }
    return op == PYDL_UNARY_isfinite;
  }
  template <int n>
  __device__ void operator()(uint8_t (&y)[n], const T (&x)[n]) const {
#pragma unroll
    for (int i = 0; i < n; ++i) y[i] = apply(x[i]);
  }
};

template <class T>
PydlStatus run_predicate(const PydlContext* context, const PydlUnaryArgs* args) {
  return elementwise(context, args->rank, args->shape, PredicateBody<Compute<T>>{args->op},
                     output<uint8_t>(args->out, args->out_strides),
                     input<T>(args->x, args->x_strides));
}

template <class T>
PydlStatus run_integer(const PydlContext* context, const PydlUnaryArgs* args) {
  const IntegerBody<T> body = {args->op, clamp_to<T>(args->alpha), clamp_to<T>(args->beta)};
  return elementwise(context, args->rank, args->shape, body,
                     output<T>(args->out, args->out_strides), input<T>(args->x, args->x_strides));
}

}  // namespace

PydlStatus unary(const PydlContext* context, const PydlUnaryArgs* args) {
  const char* name = op_name(args->op);
  const bool is_bool = args->dtype == PYDL_BOOL;
  if (args->op >= PYDL_UNARY_isnan) {
    return visit_number(context, name, is_bool ? PYDL_UINT8 : args->dtype, [&](auto zero) {
      return run_predicate<decltype(zero)>(context, args);
    });
  }
  if (args->dtype >= PYDL_FLOAT32 && args->dtype <= PYDL_BFLOAT16)
    return is_math(args->op) ? run_math(context, args) : run_activation(context, args);
  if (is_bool || !takes_integers(args->op)) {
    const char* expected = takes_integers(args->op) ? "a numeric dtype" : "a floating dtype";
    return fail_dtype(context, name, expected, args->dtype);
  }
  switch (args->dtype) {
    case PYDL_INT8: return run_integer<int8_t>(context, args);
    case PYDL_UINT8: return run_integer<uint8_t>(context, args);
    case PYDL_INT32: return run_integer<int32_t>(context, args);
    default: return run_integer<int64_t>(context, args);
  }
}

PydlStatus unary_backward(const PydlContext* context, const PydlUnaryBackwardArgs* args) {
  if (has_math_gradient(args->op)) return run_math_backward(context, args);
  if (is_math(args->op) || args->op >= PYDL_UNARY_isnan)
    return fail_dtype(context, op_name(args->op), "an op with a gradient", args->dtype);
  return run_activation_backward(context, args);
}

}  // namespace pydl::cuda
