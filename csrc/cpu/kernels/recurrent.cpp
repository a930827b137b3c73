#include "cpu/recurrent/gru.h"
#include "cpu/recurrent/lstm.h"
#include "cpu/recurrent/simple_rnn.h"
#include "cpu/simd/dtype.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

template <class Run>
PydlStatus with_dtype(const PydlContext* context, const char* op, PydlDType dtype, Run&& run) {
  if (dtype == PYDL_FLOAT32) return run(float{});
  if (dtype == PYDL_FLOAT64) return run(double{});
  return fail_dtype(context, op, "float32 or float64", dtype);
}

}  // namespace

PydlStatus lstm_forward(const PydlContext* context, const PydlLstmArgs* args) {
  return with_dtype(context, "lstm", args->sequence.dtype,
                    [&](auto zero) { return lstm_forward<decltype(zero)>(context, *args); });
}
PydlStatus lstm_backward(const PydlContext* context, const PydlLstmBackwardArgs* args) {
  return with_dtype(context, "lstm", args->sequence.dtype,
                    [&](auto zero) { return lstm_backward<decltype(zero)>(context, *args); });
}

PydlStatus gru_forward(const PydlContext* context, const PydlGruArgs* args) {
  return with_dtype(context, "gru", args->sequence.dtype,
                    [&](auto zero) { return gru_forward<decltype(zero)>(context, *args); });
}
PydlStatus gru_backward(const PydlContext* context, const PydlGruBackwardArgs* args) {
  return with_dtype(context, "gru", args->sequence.dtype,
                    [&](auto zero) { return gru_backward<decltype(zero)>(context, *args); });
}

PydlStatus simple_rnn_forward(const PydlContext* context, const PydlSimpleRnnArgs* args) {
  return with_dtype(context, "simple_rnn", args->sequence.dtype,
                    [&](auto zero) { return simple_rnn_forward<decltype(zero)>(context, *args); });
}
PydlStatus simple_rnn_backward(const PydlContext* context, const PydlSimpleRnnBackwardArgs* args) {
  return with_dtype(context, "simple_rnn", args->sequence.dtype,
                    [&](auto zero) { return simple_rnn_backward<decltype(zero)>(context, *args); });
}

}  // namespace pydl::cpu::PYDL_ISA
