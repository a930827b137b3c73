// Entry of the unary ops; integers and the predicates are done here.
#include "cpu/unary.h"

#include <math.h>

namespace pydl::cpu::PYDL_ISA {
namespace {

template <class T>
inline T clamp_to(double bound) {
  constexpr int bits = 8 * sizeof(T) - std::is_signed_v<T>;
  constexpr T top = static_cast<T>((uint64_t{1} << bits) - 1);
  constexpr T bottom = static_cast<T>(~top);
  if (!(bound > static_cast<double>(bottom))) return bottom;
  return bound >= static_cast<double>(top) ? top : static_cast<T>(bound);
}

// Integers wrap around, as NumPy's do.
template <class T>
struct Integer {
  using U = std::make_unsigned_t<T>;
  static T abs(T x, T, T) { return x < 0 ? static_cast<T>(-static_cast<U>(x)) : x; }
  static T neg(T x, T, T) { return static_cast<T>(-static_cast<U>(x)); }
  static T sign(T x, T, T) { return static_cast<T>((x > 0) - (x < 0)); }
  static T square(T x, T, T) { return static_cast<T>(uint64_t(x) * uint64_t(x)); }
  static T same(T x, T, T) { return x; }
  static T clip(T x, T low, T high) {
    const T raised = x < low ? low : x;
    return raised > high ? high : raised;
  }
  static T relu(T x, T, T) { return x < 0 ? 0 : x; }
};

template <class T, T (*function)(T, T, T)>
void integer_row(const void* const* in, void* out_, int64_t n, const Params& params) {
  const T* x = static_cast<const T*>(in[0]);
  T* out = static_cast<T*>(out_);
  const T low = clamp_to<T>(params.alpha), high = clamp_to<T>(params.beta);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) out[i] = function(x[i], low, high);
}

template <class T>
RowKernel integer_kernel(PydlUnaryOp op) {
  using I = Integer<T>;
  switch (op) {
    case PYDL_UNARY_abs: return integer_row<T, I::abs>;
    case PYDL_UNARY_neg: return integer_row<T, I::neg>;
    case PYDL_UNARY_sign: return integer_row<T, I::sign>;
    case PYDL_UNARY_square: return integer_row<T, I::square>;
    case PYDL_UNARY_floor: return integer_row<T, I::same>;
    case PYDL_UNARY_ceil: return integer_row<T, I::same>;
    case PYDL_UNARY_round: return integer_row<T, I::same>;
    case PYDL_UNARY_clip: return integer_row<T, I::clip>;
    case PYDL_UNARY_relu: return integer_row<T, I::relu>;
    default: return nullptr;
  }
}

template <class T>
struct Predicate {
  static bool isnan(T x) { return x != x; }
  static bool isinf(T x) { return std::is_floating_point_v<T> && fabs(double(x)) == INFINITY; }
  static bool isfinite(T x) { return !std::is_floating_point_v<T> || x - x == 0; }
  static bool logical_not(T x) { return x == 0; }
};

template <class T, bool (*predicate)(T)>
void predicate_row(const void* const* in, void* out_, int64_t n, const Params&) {
  const T* x = static_cast<const T*>(in[0]);
  uint8_t* out = static_cast<uint8_t*>(out_);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) out[i] = predicate(x[i]);
}

template <class T>
RowKernel predicate_kernel(PydlUnaryOp op) {
  using P = Predicate<T>;
  switch (op) {
    case PYDL_UNARY_isnan: return predicate_row<T, P::isnan>;
    case PYDL_UNARY_isinf: return predicate_row<T, P::isinf>;
    case PYDL_UNARY_isfinite: return predicate_row<T, P::isfinite>;
    case PYDL_UNARY_logical_not: return predicate_row<T, P::logical_not>;
    default: return nullptr;
  }
}

const char* op_name(PydlUnaryOp op) {
#define PYDL_NAME(name) #name,
  static const char* const names[] = {PYDL_UNARY_OPS(PYDL_NAME) PYDL_UNARY_PREDICATES(PYDL_NAME)};
#undef PYDL_NAME
  return op >= 0 && op < PYDL_UNARY_COUNT ? names[op] : "unary";
}

int64_t grain_of(PydlUnaryOp op) {
  switch (op) {
    case PYDL_UNARY_abs:
    case PYDL_UNARY_neg:
    case PYDL_UNARY_sign:
    case PYDL_UNARY_square:
    case PYDL_UNARY_floor:
    case PYDL_UNARY_ceil:
    case PYDL_UNARY_round:
    case PYDL_UNARY_clip:
    case PYDL_UNARY_relu:
    case PYDL_UNARY_relu6:
    case PYDL_UNARY_leaky_relu:
    case PYDL_UNARY_hard_sigmoid:
    case PYDL_UNARY_hard_silu:
      return kCheapGrain;
    default: return op > PYDL_UNARY_log_sigmoid ? kCheapGrain : kCostlyGrain;  // the predicates
  }
}

// T is a storage type, or uint8_t for bool.
template <class T>
PydlStatus run_unary(const PydlContext* context, const PydlUnaryArgs* args) {
  using C = Compute<T>;
  const Params params{args->alpha, args->beta};
  const Input x = input<T>(args->x, args->x_strides);
  if (const RowKernel kernel = predicate_kernel<C>(args->op)) {
    const Output out = output<uint8_t>(args->out, args->out_strides);
    Elementwise<1>{args->rank, args->shape, {x}, out, kernel, params}.run(context, kCheapGrain);
    return PYDL_OK;
  }
  RowKernel kernel = nullptr;
  if constexpr (std::is_floating_point_v<C>) {
    constexpr bool is_double = std::is_same_v<C, double>;
    kernel = math_row(args->op, is_double);
    if (!kernel) kernel = activation_row(args->op, is_double);
  } else if (args->dtype != PYDL_BOOL) {
    kernel = integer_kernel<C>(args->op);
  }
  if (!kernel) {
    const bool numeric = integer_kernel<int32_t>(args->op) != nullptr;
    return fail_dtype(context, op_name(args->op), numeric ? "a numeric dtype" : "a floating dtype",
                      args->dtype);
  }
  const Output out = output<T>(args->out, args->out_strides);
  const int64_t grain = grain_of(args->op);
  Elementwise<1>{args->rank, args->shape, {x}, out, kernel, params}.run(context, grain);
  return PYDL_OK;
}

}  // namespace

PydlStatus unary(const PydlContext* context, const PydlUnaryArgs* args) {
  if (args->dtype == PYDL_BOOL) return run_unary<uint8_t>(context, args);
  return visit_number(context, op_name(args->op), args->dtype, [&](auto zero) -> PydlStatus {
    return run_unary<decltype(zero)>(context, args);
  });
}

PydlStatus unary_backward(const PydlContext* context, const PydlUnaryBackwardArgs* args) {
  const char* name = op_name(args->op);
  return visit_floating(context, name, args->dtype, [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    constexpr bool is_double = std::is_same_v<T, double>;
    RowKernel kernel = math_backward_row(args->op, is_double);
    if (!kernel) kernel = activation_backward_row(args->op, is_double);
    if (!kernel) return fail_dtype(context, name, "an op with a gradient", args->dtype);
    Elementwise<2>{args->rank,
                   args->shape,
                   {input<T>(args->x, args->x_strides), input<T>(args->dy, args->dy_strides)},
                   output<T>(args->dx, args->dx_strides),
                   kernel,
                   {args->alpha, args->beta}}
        .run(context, grain_of(args->op));
    return PYDL_OK;
  });
}

}  // namespace pydl::cpu::PYDL_ISA
