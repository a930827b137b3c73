// Every element of the output gets one value.
#include "cpu/elementwise.h"

namespace pydl::cpu::PYDL_ISA {
PydlStatus fill(const PydlContext* context, const PydlFillArgs* args) {
  return visit_item_size(context, "fill", args->item_size, [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    T value;
    memcpy(&value, &args->value, sizeof value);
    const int64_t broadcast[PYDL_MAX_RANK] = {};
    Elementwise<1>{args->rank,
                   args->shape,
                   {input<T>(&value, broadcast)},
                   output<T>(args->out, args->out_strides),
                   move_row<T>,
                   {}}
        .run(context, kCheapGrain);
    return PYDL_OK;
  });
}

}  // namespace pydl::cpu::PYDL_ISA
