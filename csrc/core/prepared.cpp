#include "core/prepared.h"

#include <algorithm>
#include <cstring>

#include "core/allocator.h"
#include "core/error.h"

namespace pydl {
namespace {

constexpr size_t kMostEntries = 4;            // of one storage
constexpr int64_t kMostBytes = int64_t{1} << 30;  // of all that is kept

std::atomic<int64_t> kept_bytes{0};

bool same(const PydlPreparedKey& a, const PydlPreparedKey& b) {
  return a.data == b.data && a.bytes == b.bytes &&
         std::equal(std::begin(a.layout), std::end(a.layout), std::begin(b.layout));
}

// NULL beyond the limit, or when memory is short.
void* reserve(int64_t bytes) {
  if (kept_bytes.fetch_add(bytes) + bytes <= kMostBytes) {
    try {
      return allocate(static_cast<size_t>(bytes));
    } catch (const OutOfMemoryError&) {  // the caller does without
    }
  }
  kept_bytes.fetch_sub(bytes);
  return nullptr;
}

}  // namespace

PreparedOperand::PreparedOperand(const Storage& storage) : storage_(storage) {
  get = [](const PydlPrepared* self, const PydlPreparedKey* key, void (*make)(void*, void*),
           void* arg) {
    return const_cast<PreparedOperand*>(static_cast<const PreparedOperand*>(self))
        ->find(*key, make, arg);
  };
}

PreparedOperand::~PreparedOperand() {
  for (const Entry& entry : entries_) {
    if (!entry.memory) continue;
    deallocate(entry.memory);
    kept_bytes.fetch_sub(entry.key.bytes);
  }
}

const void* PreparedOperand::find(const PydlPreparedKey& key, void (*make)(void*, void*), void* arg) {
  const uint32_t loans = storage_.loans();
  if (loans != loans_.load(std::memory_order_relaxed)) return nullptr;
  const uint64_t contents = uint64_t{storage_.version()} << 32 | loans;
  std::lock_guard<std::mutex> lock(mutex_);
  auto at = std::find_if(entries_.begin(), entries_.end(),
                         [&](const Entry& entry) { return same(entry.key, key); });
  if (at == entries_.end()) {
    if (entries_.size() < kMostEntries) entries_.push_back({key, contents, 0, nullptr});
    return nullptr;
  }
  if (at->memory && at->made == contents) return at->memory;
  const bool stays = at->seen == contents;
  at->seen = contents;
  if (stays && !at->memory) at->memory = reserve(key.bytes);
  if (!stays || !at->memory) return nullptr;
  make(arg, at->memory);
  at->made = contents;
  return at->memory;
}

const PydlPrepared* prepared_operand(const Tensor& x) {
  Storage& storage = *x.impl()->storage;
  if (x.device().type != DeviceType::cpu || storage.borrowed()) return nullptr;
  const uint32_t loans = storage.loans();
  if (loans != 0 && storage.use_count() > 1) return nullptr;
  PreparedOperand& prepared = storage.prepared();
  prepared.loans_.store(loans, std::memory_order_relaxed);
  return &prepared;
}

}  // namespace pydl
