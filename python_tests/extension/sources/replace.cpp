// Kernels that replace pydl's own: a plain float32 matrix product, and two that never run.
#include <pydl/extension.h>

PYDL_EXTENSION("replace")

namespace {

// Marks its results, so that a test sees that it ran: what should be 0 is 0.25.
PydlStatus plain_gemm(const PydlContext*, const PydlGemmArgs* g) {
  auto* a = static_cast<const float*>(g->a);
  auto* b = static_cast<const float*>(g->b);
  auto* c = static_cast<float*>(g->c);
  auto* bias = static_cast<const float*>(g->bias);
  for (int64_t i = 0; i < g->m; ++i)
    for (int64_t j = 0; j < g->n; ++j) {
      float sum = bias ? bias[j] : 0;
      for (int64_t k = 0; k < g->k; ++k)
        sum += a[i * g->a_row_stride + k * g->a_col_stride] *
               b[k * g->b_row_stride + j * g->b_col_stride];
      c[i * g->c_row_stride + j] = sum == 0 ? 0.25f : sum;
    }
  return PYDL_OK;
}
bool is_plain(const PydlGemmArgs& g) {
  return g.batch_rank == 0 && !g.accumulate && g.activation == PYDL_ACTIVATION_NONE &&
         !g.pre_activation;
}

PydlStatus failing_gemm(const PydlContext* context, const PydlGemmArgs*) {
  return context->fail(context, PYDL_ERROR_VALUE, "the replacement failed");
}
bool is_seven(const PydlGemmArgs& g) { return g.m == 7; }
PydlStatus foreign_gemm(const PydlContext*, const PydlGemmArgs*) { return PYDL_OK; }

}  // namespace

PYDL_OVERRIDE_KERNEL(gemm, plain_gemm).dtype(PYDL_FLOAT32).priority(1).when<is_plain>();
PYDL_OVERRIDE_KERNEL(gemm, failing_gemm).dtype(PYDL_FLOAT32).priority(2).when<is_seven>();
PYDL_OVERRIDE_KERNEL(gemm, foreign_gemm).device(PYDL_GPU).priority(3);
