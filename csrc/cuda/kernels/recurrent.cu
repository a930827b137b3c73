#include "cuda/recurrent/gru.cuh"
#include "cuda/recurrent/lstm.cuh"
#include "cuda/recurrent/simple_rnn.cuh"
#include "pydl/cuda/visit.h"

namespace pydl::cuda {
namespace {

template <class Run>
PydlStatus with_dtype(const PydlContext* context, const char* op, const PydlSequence& s, Run&& run) {
  if (s.dtype == PYDL_FLOAT32) return run(float{});
  if (s.dtype == PYDL_FLOAT64) return run(double{});
  return fail_dtype(context, op, "float32 or float64", s.dtype);
}

}  // namespace

#define PYDL_RECURRENT_ENTRY(op, kernel, Args)                                            \
  PydlStatus kernel(const PydlContext* context, const Args* args) {                       \
    return with_dtype(context, op, args->sequence,                                        \
                      [&](auto zero) { return kernel<decltype(zero)>(context, *args); }); \
  }
PYDL_RECURRENT_ENTRY("lstm", lstm_forward, PydlLstmArgs)
PYDL_RECURRENT_ENTRY("lstm", lstm_backward, PydlLstmBackwardArgs)
PYDL_RECURRENT_ENTRY("gru", gru_forward, PydlGruArgs)
PYDL_RECURRENT_ENTRY("gru", gru_backward, PydlGruBackwardArgs)
PYDL_RECURRENT_ENTRY("simple_rnn", simple_rnn_forward, PydlSimpleRnnArgs)
PYDL_RECURRENT_ENTRY("simple_rnn", simple_rnn_backward, PydlSimpleRnnBackwardArgs)
#undef PYDL_RECURRENT_ENTRY

}  // namespace pydl::cuda
