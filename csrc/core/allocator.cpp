#include "core/allocator.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

#include "core/config.h"
#include "core/error.h"
#include "core/sanitizers.h"

namespace pydl {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kPage = size_t{4} << 10;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kChunk = size_t{32} << 20;
constexpr size_t kMediumBlock = size_t{4} << 10;
constexpr size_t kBigBlock = size_t{4} << 20;

// Lies before each block's data; as long as the alignment, so that the data stays aligned.
struct alignas(kAlignment) Header {
  size_t bytes;  // of the whole block, header included
};

// Eight classes per doubling: at most 12.5% of a block is unused.
size_t size_class(size_t bytes) {
  if (bytes <= 8 * kAlignment) return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  size_t step = (size_t{1} << (63 - __builtin_clzll(bytes))) / 8;
  if (bytes >= kBigBlock) step = std::max<size_t>(step, 65536);
  return (bytes + step - 1) / step * step;
}

class CachingAllocator {
 public:
  CachingAllocator() {
    stats_.limit_bytes = config().memory_limit;
    cache_limit_ = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE) / 4;
  }

  void* allocate(size_t bytes) {
    if (bytes > (size_t{1} << 62)) out_of_memory(bytes, "the system");
    size_t block = size_class(bytes + sizeof(Header));
    std::lock_guard<std::mutex> lock(mutex_);
    Header* header = take_cached(block);
    if (!header) {
      if (over_limit(block)) {
        drop_cache();
        if (over_limit(block)) out_of_memory(bytes, "the limit set by set_memory_limit");
      }
      header = map_block(block);
      if (!header) {
        drop_cache();
        header = map_block(block);
      }
      if (!header) out_of_memory(bytes, "the system");
      header->bytes = block;
      ++stats_.system_allocation_count;
    }
    ++stats_.allocation_count;
    stats_.allocated_bytes += header->bytes;  // a cached block may be larger than asked for
    stats_.peak_bytes = std::max(stats_.peak_bytes, stats_.allocated_bytes);
    forbid_access(header + 1, data_bytes(header));
    allow_access(header + 1, bytes);
    return header + 1;
  }

  void deallocate(void* memory) {
    Header* header = static_cast<Header*>(memory) - 1;
    std::lock_guard<std::mutex> lock(mutex_);
    stats_.allocated_bytes -= header->bytes;
    if (stats_.cached_bytes + static_cast<int64_t>(header->bytes) > cache_limit_) {
      unmap_block(header);
      return;
    }
    stats_.cached_bytes += header->bytes;
    forbid_access(header + 1, data_bytes(header));
    cached(header->bytes).push_back(header);
  }

  MemoryStats stats() {
    std::lock_guard<std::mutex> lock(mutex_);
    return stats_;
  }
  void reset_peak() {
    std::lock_guard<std::mutex> lock(mutex_);
    stats_.peak_bytes = stats_.allocated_bytes;
  }
  void empty_cache() {
    std::lock_guard<std::mutex> lock(mutex_);
    drop_cache();
  }
  void set_limit(int64_t bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    stats_.limit_bytes = bytes;
  }

  std::mutex& mutex() { return mutex_; }

 private:
  // The smallest blocks have a list each; finding the others' takes a search.
  std::vector<Header*>& cached(size_t block) {
    return block <= kDirect * kAlignment ? direct_[block / kAlignment - 1] : cache_[block];
  }

  Header* take_cached(size_t block) {
    std::vector<Header*>* blocks = nullptr;
    if (block < kBigBlock) {
      blocks = &cached(block);
    } else {  // one of up to 4/3 of the size will do
      auto it = cache_.lower_bound(block);
      while (it != cache_.end() && it->second.empty()) ++it;
      if (it != cache_.end() && it->first <= block + block / 3) blocks = &it->second;
    }
    if (!blocks || blocks->empty()) return nullptr;
    Header* header = blocks->back();
    blocks->pop_back();
    stats_.cached_bytes -= header->bytes;
    return header;
  }

  bool over_limit(size_t block) const {
    return stats_.limit_bytes > 0 && stats_.allocated_bytes + stats_.cached_bytes +
                                             static_cast<int64_t>(block) > stats_.limit_bytes;
  }

  // Memory that huge pages can back: mapped with room to spare, then trimmed to their boundary.
  static char* map_pages(size_t bytes) {
    size_t mapped = bytes + kHugePage;
    void* memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    uintptr_t begin = reinterpret_cast<uintptr_t>(memory);
    uintptr_t aligned = (begin + kHugePage - 1) / kHugePage * kHugePage;
    if (aligned > begin) munmap(memory, aligned - begin);
    munmap(reinterpret_cast<void*>(aligned + bytes), begin + mapped - aligned - bytes);
    madvise(reinterpret_cast<void*>(aligned), bytes, MADV_HUGEPAGE);
    return reinterpret_cast<char*>(aligned);
  }

  Header* map_block(size_t bytes) {
    if (bytes < kMediumBlock)
      return static_cast<Header*>(std::aligned_alloc(kAlignment, bytes));
    return reinterpret_cast<Header*>(bytes < kBigBlock ? cut_block(bytes) : map_pages(bytes));
  }

  // Medium blocks share huge pages: next to each other in chunks, which stay reserved.
  char* cut_block(size_t bytes) {
    std::vector<Header*>& unused = unused_[bytes];
    if (!unused.empty()) {
      char* block = reinterpret_cast<char*>(unused.back());
      unused.pop_back();
      return block;
    }
    if (bytes > chunk_left_) {
      char* chunk = map_pages(kChunk);
      if (!chunk) return nullptr;
      chunk_ = chunk;
      chunk_left_ = kChunk;
    }
    char* block = chunk_;
    chunk_ += bytes;
    chunk_left_ -= bytes;
    return block;
  }

  static size_t data_bytes(const Header* header) { return header->bytes - sizeof(Header); }

  void unmap_block(Header* header) {
    allow_access(header + 1, data_bytes(header));
    if (header->bytes < kMediumBlock) {
      std::free(header);
    } else if (header->bytes >= kBigBlock) {
      munmap(header, header->bytes);
    } else {  // only its whole pages go back to the system
      uintptr_t begin = reinterpret_cast<uintptr_t>(header), end = begin + header->bytes;
      begin = (begin + kPage - 1) / kPage * kPage;
      end = end / kPage * kPage;
      unused_[header->bytes].push_back(header);
      if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
    }
  }

  void drop_cache() {
    for (auto& [bytes, blocks] : cache_)
      for (Header* header : blocks) unmap_block(header);
    cache_.clear();
    for (std::vector<Header*>& blocks : direct_) {
      for (Header* header : blocks) unmap_block(header);
      blocks.clear();
    }
    stats_.cached_bytes = 0;
  }

  [[noreturn]] void out_of_memory(size_t bytes, const char* who) const {
    fail<OutOfMemoryError>("[allocate] expected ", bytes, " bytes to be available, but ", who,
                           " refused them; ", stats_.allocated_bytes, " bytes are in use, limit ",
                           stats_.limit_bytes, ". Hint: use smaller batches");
  }

  std::mutex mutex_;
  static constexpr size_t kDirect = 64;
  std::vector<Header*> direct_[kDirect];
  std::map<size_t, std::vector<Header*>> cache_;
  std::map<size_t, std::vector<Header*>> unused_;  // medium blocks without memory
  char* chunk_ = nullptr;                          // what is left of the newest chunk
  size_t chunk_left_ = 0;
  MemoryStats stats_ = {};
  int64_t cache_limit_;
};

// Never destroyed: tensors may outlive every static object.
CachingAllocator& allocator() {
  static CachingAllocator* instance = [] {
    auto* created = new CachingAllocator;
    // A child forked while another thread allocates must not inherit a locked mutex.
    pthread_atfork([] { allocator().mutex().lock(); }, [] { allocator().mutex().unlock(); },
                   [] { allocator().mutex().unlock(); });
    return created;
  }();
  return *instance;
}

}  // namespace

DeviceAllocator device_allocator = {};

void* allocate(size_t bytes) { return allocator().allocate(bytes); }
void deallocate(void* memory) { allocator().deallocate(memory); }
MemoryStats memory_stats() { return allocator().stats(); }
void reset_peak_memory() { allocator().reset_peak(); }
void empty_cache() { allocator().empty_cache(); }
void set_memory_limit(int64_t bytes) {
  if (bytes < 0) fail<ValueError>("[set_memory_limit] expected at least 0 bytes, got ", bytes);
  allocator().set_limit(bytes);
}

}  // namespace pydl
