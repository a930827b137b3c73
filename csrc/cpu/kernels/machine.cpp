#include "cpu/simd/dtype.h"
#include "cpu/simd/vec.h"
#include "pydl/kernels/machine.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// Enough independent chains to hide four cycles of latency on two ports, few enough for 16 registers.
constexpr int kChains = 12;
constexpr int64_t kBlock = 64;  // floats: whole cache lines, which keeps streaming stores aligned

template <class T>
T fma_chains(int64_t rounds) {
  Vec<T> sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = Vec<T>(static_cast<T>(i));
  Vec<T> factor(static_cast<T>(0.999)), term(static_cast<T>(0.001));
  // Hides the constants from the compiler, which would else be free to simplify the loop.
  asm volatile("" : "+m"(factor), "+m"(term));
  for (int64_t round = 0; round < rounds; ++round)
    for (int i = 0; i < kChains; ++i) sums[i] = fma(sums[i], factor, term);
  Vec<T> total = sums[0];
  for (int i = 1; i < kChains; ++i) total += sums[i];
  return reduce_add(total);
}

float sum(const float* a, int64_t count) {
  constexpr int width = Vec<float>::size;
  Vec<float> sums[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  for (int64_t i = 0; i < count; i += 4 * width)
    for (int k = 0; k < 4; ++k) sums[k] += Vec<float>::load(a + i + k * width);
  return reduce_add((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

template <bool past_cache, class Value>
void write(float* out, int64_t count, Value&& value) {
  for (int64_t i = 0; i < count; i += Vec<float>::size) {
    if constexpr (past_cache) {
      value(i).stream(out + i);
    } else {
      value(i).store(out + i);
    }
  }
  if constexpr (past_cache) isa::stream_fence();
}

template <bool past_cache>
void write_kind(PydlStreamKind kind, const float* a, const float* b, float* out, int64_t count) {
  auto load = [](const float* p, int64_t i) { return Vec<float>::load(p + i); };
  switch (kind) {
    case PYDL_STREAM_WRITE:
      return write<past_cache>(out, count, [](int64_t) { return Vec<float>(1.0f); });
    case PYDL_STREAM_COPY:
      return write<past_cache>(out, count, [&](int64_t i) { return load(a, i); });
    default:
      return write<past_cache>(out, count, [&](int64_t i) { return load(a, i) + load(b, i); });
  }
}

}  // namespace

PydlStatus fma_loop(const PydlContext* context, const PydlFmaLoopArgs* args) {
  const int threads = context->num_threads;
  auto run = [&](auto zero) {
    using T = decltype(zero);
    parallel_for(context, threads, 1, [&](int64_t begin, int64_t end) {
      volatile T sink = fma_chains<T>((end - begin) * args->rounds);
      (void)sink;
    });
    *args->operations = 2.0 * kChains * Vec<T>::size * static_cast<double>(args->rounds) * threads;
    return PYDL_OK;
  };
  if (args->dtype == PYDL_FLOAT64) return run(double{});
  if (args->dtype == PYDL_FLOAT32) return run(float{});
  return fail_dtype(context, "fma_loop", "float32 or float64", args->dtype);
}

PydlStatus stream_loop(const PydlContext* context, const PydlStreamLoopArgs* args) {
  parallel_for(context, args->count / kBlock, 1, [&](int64_t first, int64_t last) {
    const int64_t begin = first * kBlock, count = (last - first) * kBlock;
    for (int64_t round = 0; round < args->rounds; ++round) {
      if (args->kind == PYDL_STREAM_READ) {
        volatile float sink = sum(args->a + begin, count);
        (void)sink;
      } else {
        auto* run = args->past_cache ? write_kind<true> : write_kind<false>;
        run(args->kind, args->a + begin, args->b + begin, args->out + begin, count);
      }
      asm volatile("" ::: "memory");  // else one round would do for all
    }
  });
  return PYDL_OK;
}

}  // namespace pydl::cpu::PYDL_ISA
