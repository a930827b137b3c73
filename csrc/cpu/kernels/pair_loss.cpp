// Losses of pairs of numbers, a prediction x and a target t: squared error and its like.
#include <math.h>

#include "cpu/lanes.h"
#include "cpu/simd/math.h"
#include "pydl/kernels/loss.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int64_t kBlock = 4096;  // elements; also the unit in which sums are taken
constexpr int64_t kGrain = 4;     // blocks that make a thread worth waking

struct SquaredError {
  template <class V>
  static V value(V x, V t, V) { return (x - t) * (x - t); }
  template <class V>
  static V slope(V x, V t, V) { return (x - t) + (x - t); }
};

struct AbsoluteError {
  template <class V>
  static V value(V x, V t, V) { return abs(x - t); }
  template <class V>
  static V slope(V x, V t, V) {
    const V e = x - t;
    return select(e == V(0), e, copysign(V(1), e));  // 0 where they agree
  }
};

struct Huber {
  template <class V>
  static V value(V x, V t, V delta) {
    const V e = abs(x - t), half(0.5f);
    return select(e <= delta, half * e * e, delta * (e - half * delta));
  }
  template <class V>
  static V slope(V x, V t, V delta) { return min(max(x - t, -delta), delta); }
};

struct SigmoidBinaryCrossEntropy {
  template <class V>
  static V value(V x, V t, V) { return max(x, V(0)) - x * t + log1p(exp(-abs(x))); }
  template <class V>
  static V slope(V x, V t, V) { return sigmoid(x) - t; }
};

struct BinaryCrossEntropy {
  template <class V>
  static V clip(V x, V epsilon) { return min(max(x, epsilon), V(1) - epsilon); }
  template <class V>
  static V value(V x, V t, V epsilon) {
    const V p = clip(x, epsilon);
    return -(t * log(p) + (V(1) - t) * log(V(1) - p));
  }
  template <class V>
  static V slope(V x, V t, V epsilon) {
    const V p = clip(x, epsilon);
    return select(p == x, (p - t) / (p * (V(1) - p)), V(0));
  }
};

template <class Visitor>
PydlStatus visit_loss(const PydlContext* context, PydlPairLoss loss, Visitor&& visitor) {
  switch (loss) {
    case PYDL_SQUARED_ERROR: return visitor(SquaredError{});
    case PYDL_ABSOLUTE_ERROR: return visitor(AbsoluteError{});
    case PYDL_HUBER: return visitor(Huber{});
    case PYDL_SIGMOID_BINARY_CROSS_ENTROPY: return visitor(SigmoidBinaryCrossEntropy{});
    case PYDL_BINARY_CROSS_ENTROPY: return visitor(BinaryCrossEntropy{});
    default: return context->fail(context, PYDL_ERROR_VALUE, "[pair_loss] unknown loss");
  }
}

// The losses of one block, and their sum.
template <class T, class Loss>
Compute<T> loss_block(const PydlPairLossArgs* args, int64_t begin, int64_t end) {
  using C = Compute<T>;
  using V = Vec<C>;
  const V parameter(static_cast<C>(args->parameter));
  V sums(0);
  for (int64_t i = begin; i < end; i += V::size) {
    const Lanes<T> x(args->x, i, end), t(args->t, i, end);
    const V loss = Loss::value(x.get(), t.get(), parameter);
    if (args->losses) Lanes<T>(args->losses, i, end).set(loss);
    sums += x.whole() ? loss : select(first_lanes<C>(x.count), loss, 0);
  }
  return reduce_add(sums);
}

template <class T, class Loss>
void slope_block(const PydlPairLossBackwardArgs* args, int64_t begin, int64_t end) {
  using C = Compute<T>;
  using V = Vec<C>;
  const V parameter(static_cast<C>(args->parameter)), factor(static_cast<C>(args->factor));
  const V common(to_compute(*static_cast<const T*>(args->dlosses)));
  for (int64_t i = begin; i < end; i += V::size) {
    const V x = Lanes<T>(args->x, i, end).get(), t = Lanes<T>(args->t, i, end).get();
    const V dloss = args->dlosses_stride ? Lanes<T>(args->dlosses, i, end).get() : common;
    Lanes<T>(args->dx, i, end).set(Loss::slope(x, t, parameter) * (dloss * factor));
  }
}

template <class Body>
void for_each_block(const PydlContext* context, int64_t count, Body&& body) {
  parallel_for(context, (count + kBlock - 1) / kBlock, kGrain, [&](int64_t first, int64_t last) {
    for (int64_t block = first; block < last; ++block) {
      const int64_t begin = block * kBlock;
      body(block, begin, begin + kBlock < count ? begin + kBlock : count);
    }
  });
}

template <class T, class Loss>
PydlStatus forward(const PydlContext* context, const PydlPairLossArgs* args) {
  const int64_t blocks = (args->count + kBlock - 1) / kBlock;
  Scratch<Compute<T>> sums(context, blocks + 1);
  if (!sums) return context->fail(context, PYDL_ERROR_MEMORY, "[pair_loss] out of memory");
  for_each_block(context, args->count, [&](int64_t block, int64_t begin, int64_t end) {
    sums[block] = loss_block<T, Loss>(args, begin, end);
  });
  if (args->total) {
    double total = 0;
    for (int64_t block = 0; block < blocks; ++block) total += sums[block];
    *static_cast<T*>(args->total) =
        from_compute<T>(static_cast<Compute<T>>(total * args->factor));
  }
  return PYDL_OK;
}

}  // namespace

PydlStatus pair_loss(const PydlContext* context, const PydlPairLossArgs* args) {
  return visit_floating(context, "pair_loss", args->dtype, [&](auto zero) {
    return visit_loss(context, args->loss, [&](auto loss) {
      return forward<decltype(zero), decltype(loss)>(context, args);
    });
  });
}

PydlStatus pair_loss_backward(const PydlContext* context, const PydlPairLossBackwardArgs* args) {
  return visit_floating(context, "pair_loss", args->dtype, [&](auto zero) {
    return visit_loss(context, args->loss, [&](auto loss) -> PydlStatus {
      for_each_block(context, args->count, [&](int64_t, int64_t begin, int64_t end) {
        slope_block<decltype(zero), decltype(loss)>(args, begin, end);
      });
      return PYDL_OK;
    });
  });
}

}  // namespace pydl::cpu::PYDL_ISA
