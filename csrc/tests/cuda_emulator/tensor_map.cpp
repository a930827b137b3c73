// TMA: boxes of a tensor to and from shared memory, swizzled.
#include <string.h>

#include "cuda_emulator/sanitizers.h"
#include "cuda_emulator/worker.h"
#include "emulator/async.h"

namespace pydl::emulator {
namespace {

constexpr uint32_t kChunk = 16;  // bytes that a swizzle keeps together

struct Box {
  TensorMap map;
  int32_t at[5];
  uint32_t shared;  // address
  uint32_t bytes;
};

Box checked(const TensorMap* map, const void* shared, const int32_t* at, const char* what) {
  Box box = {*map, {}, shared_address(shared), map->element_bytes};
  for (uint32_t d = 0; d < map->rank; ++d) {
    box.at[d] = at[d];
    box.bytes *= map->box[d];
    if (map->box[d] < 1 || map->box[d] > 256)
      fail_thread("%s: expected a box of 1 to 256 in dimension %u, got %u", what, d, map->box[d]);
    if (d > 0 && map->stride[d] % 16)
      fail_thread("%s: expected strides in multiples of 16 bytes, got %lu", what, map->stride[d]);
  }
  const uint32_t row = map->box[0] * map->element_bytes;
  if (reinterpret_cast<uintptr_t>(map->base) % 16 || row % kChunk)
    fail_thread("%s: expected a base and rows of 16-byte multiples, got %p and %u", what, map->base, row);
  if (map->swizzle && row > map->swizzle)
    fail_thread("%s: expected rows of at most the swizzle's %u bytes, got %u", what, map->swizzle, row);
  if (box.shared % 128)
    fail_thread("%s: expected shared memory at a multiple of 128, got %u", what, box.shared);
  shared_pointer(box.shared + box.bytes);
  return box;
}

// Calls visit(shared element, global element, whether that lies in the tensor).
template <class Visit>
void for_each_element(const Box& box, char* shared, Visit visit) {
  const TensorMap& map = box.map;
  const uint32_t xor_mask = map.swizzle ? map.swizzle / kChunk - 1 : 0;
  const uint32_t elements = box.bytes / map.element_bytes;
  for (uint32_t i = 0; i < elements; ++i) {
    uint32_t rest = i;
    int64_t offset = 0;
    bool inside = true;
    for (uint32_t d = 0; d < map.rank; ++d) {
      const int64_t index = box.at[d] + static_cast<int64_t>(rest % map.box[d]);
      rest /= map.box[d];
      inside &= index >= 0 && index < static_cast<int64_t>(map.size[d]);
      offset += index * static_cast<int64_t>(d ? map.stride[d] : map.element_bytes);
    }
    uint32_t address = box.shared + i * map.element_bytes;
    address ^= (address >> 7 & xor_mask) * kChunk;
    visit(shared + address, static_cast<char*>(map.base) + offset, inside);
  }
}

}  // namespace

void tensor_load(void* shared, const TensorMap* map, uint64_t* barrier, const int32_t* at) {
  Uninstrumented scope;
  const Box box = checked(map, shared, at, "TMA load");
  start_load([box, barrier, memory = this_block->shared] {
    const uint32_t bytes = box.map.element_bytes;
    for_each_element(box, memory, [=](char* element, const char* global, bool inside) {
      if (inside) {
        memcpy(element, global, bytes);
      } else {
        memset(element, 0, bytes);
      }
    });
    mbarrier_complete(barrier, box.bytes);
  });
}

void tensor_store(const TensorMap* map, const void* shared, const int32_t* at) {
  Uninstrumented scope;
  const Box box = checked(map, shared, at, "TMA store");
  start_store([box, memory = this_block->shared] {
    const uint32_t bytes = box.map.element_bytes;
    for_each_element(box, memory, [=](const char* element, char* global, bool inside) {
      if (inside) memcpy(global, element, bytes);
    });
  });
}

}  // namespace pydl::emulator
