// Dropout, with the mask made on the fly. One word decides on two elements: its halves on element i
// and i + 64 of a group of 128.
#include "cpu/elementwise.h"
#include "cpu/philox.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int kElements = 2 * PYDL_RANDOM_WORDS;  // in a group

// All bits set where an element is kept.
template <class I>
inline void keep_masks(const uint32_t* words, uint32_t threshold, I* masks) {
  for (int i = 0; i < PYDL_RANDOM_WORDS; ++i) {
    masks[i] = -static_cast<I>((words[i] & 0xffff) >= threshold);
    masks[i + PYDL_RANDOM_WORDS] = -static_cast<I>((words[i] >> 16) >= threshold);
  }
}

template <class T>
inline void drop_group(const uint32_t* words, uint32_t threshold, Compute<T> scale, const T* x,
                       T* out) {
  using C = Compute<T>;
  using I = IntLike<C>;
  alignas(64) I masks[kElements];
  keep_masks(words, threshold, masks);
  for (int i = 0; i < kElements; i += Vec<C>::size) {
    const Vec<I> scaled = bit_cast<I>(load(x + i) * Vec<C>(scale));
    store(bit_cast<C>(scaled & Vec<I>::load(masks + i)), out + i);
  }
}

template <class T>
void drop(const PydlContext* context, const PydlDropoutArgs* args) {
  const T* x = static_cast<const T*>(args->x);
  T* out = static_cast<T*>(args->out);
  const uint32_t threshold = static_cast<uint32_t>(args->rate * 65536 + 0.5);
  // By the share that the rounded threshold keeps, so that the mean stays what it was.
  const auto scale = static_cast<Compute<T>>(threshold < 65536 ? 65536.0 / (65536 - threshold) : 0);
  const bool streams = args->count * static_cast<int64_t>(sizeof(T)) >= kStreamBytes;
  auto body = [&](const Philox& philox, int64_t group) {
    alignas(64) uint32_t words[PYDL_RANDOM_WORDS];
    philox.group(group, words);
    const int64_t begin = group * kElements, rest = args->count - begin;
    if (rest >= kElements && !streams) {
      drop_group<T>(words, threshold, scale, x + begin, out + begin);
      return;
    }
    alignas(64) T block[kElements];
    if (rest >= kElements) {
      drop_group<T>(words, threshold, scale, x + begin, block);
      stream_bytes(reinterpret_cast<const char*>(block), reinterpret_cast<char*>(out + begin),
                   sizeof block);
    } else {
      memcpy(block, x + begin, rest * sizeof(T));
      drop_group<T>(words, threshold, scale, block, block);
      memcpy(out + begin, block, rest * sizeof(T));
    }
  };
  for_each_group(context, args->state, args->count, kElements, body);
}

}  // namespace

PydlStatus dropout(const PydlContext* context, const PydlDropoutArgs* args) {
  return visit_floating(context, "dropout", args->dtype, [&](auto zero) -> PydlStatus {
    drop<decltype(zero)>(context, args);
    return PYDL_OK;
  });
}

}  // namespace pydl::cpu::PYDL_ISA
