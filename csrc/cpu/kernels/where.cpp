// out = condition ? a : b
#include "cpu/elementwise.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

template <class T>
void where_row(const void* const* in, void* out_, int64_t n, const Params&) {
  const uint8_t* condition = static_cast<const uint8_t*>(in[0]);
  const T* a = static_cast<const T*>(in[1]);
  const T* b = static_cast<const T*>(in[2]);
  T* out = static_cast<T*>(out_);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) {
    const T left = a[i], right = b[i];
    out[i] = condition[i] ? left : right;
  }
}

}  // namespace

PydlStatus where(const PydlContext* context, const PydlWhereArgs* args) {
  return visit_item_size(context, "where", args->item_size, [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    Elementwise<3>{args->rank,
                   args->shape,
                   {input<uint8_t>(args->condition, args->condition_strides),
                    input<T>(args->a, args->a_strides), input<T>(args->b, args->b_strides)},
                   output<T>(args->out, args->out_strides),
                   where_row<T>,
                   {}}
        .run(context, kCheapGrain);
    return PYDL_OK;
  });
}

}  // namespace pydl::cpu::PYDL_ISA
