#include "cuda/runtime/memory.h"

#include <cuda_runtime.h>
#include <string.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "cuda/runtime/devices.h"
#include "cuda/runtime/errors.h"

namespace pydl::cuda {
namespace {

constexpr int64_t kAlignment = 256;
constexpr int64_t kChunk = int64_t{2} << 20;
constexpr int64_t kBigBlock = int64_t{1} << 20;  // has a cudaMalloc of its own

// Eight classes per doubling: at most 12.5% of a block is unused.
int64_t size_class(int64_t bytes) {
  if (bytes <= 8 * kAlignment) return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  int64_t step = (int64_t{1} << (63 - __builtin_clzll(bytes))) / 8;
  if (bytes >= kBigBlock) step = std::max<int64_t>(step, 512 << 10);
  return (bytes + step - 1) / step * step;
}

#ifdef PYDL_CUDA_EMULATED
// The emulator checks that kernels stay within what was asked for, and leaves none of it as it was.
constexpr int64_t kGap = 64;
void mark(void* memory, int64_t used, int64_t bytes) { pydlEmulatorSetUsed(memory, used, bytes); }
#else
constexpr int64_t kGap = 0;
void mark(void*, int64_t, int64_t) {}
#endif

struct Chunk {
  char* begin;
  int64_t used = 0;
  int64_t blocks_in_use = 0;
};

struct Block {
  void* memory;
  int64_t bytes;
  Chunk* chunk;  // NULL for a big block
};

struct Pool {
  std::map<int64_t, std::vector<Block>> free;
  Chunk* open = nullptr;  // that small blocks are cut from
  bool kept = false;      // for a graph
};

struct Live {
  Block block;
  void* stream;  // whose pool it returns to
};

class Allocator {
 public:
  explicit Allocator(int device) : device_(device) { stats_.struct_size = sizeof(stats_); }

  PydlStatus allocate(void* stream, int64_t bytes, void** memory) {
    *memory = nullptr;
    std::lock_guard<std::mutex> lock(mutex_);
    if (bytes > int64_t{1} << 60) return out_of_memory(bytes, "the device");
    int64_t size = size_class(bytes + kGap);
    Block block;
    if (!take_cached(pools_[stream], size, &block)) {
      PydlStatus status = make_block(pools_[stream], bytes, size, &block);
      if (status != PYDL_OK) return status;
    }
    if (block.chunk) ++block.chunk->blocks_in_use;
    live_[block.memory] = {block, stream};
    // A graph writes to its blocks again when they are free or another size.
    mark(block.memory, pools_[stream].kept ? block.bytes : bytes, block.bytes);
    ++stats_.allocation_count;
    stats_.allocated_bytes += block.bytes;
    stats_.peak_bytes = std::max(stats_.peak_bytes, stats_.allocated_bytes);
    *memory = block.memory;
    return PYDL_OK;
  }

  void release(void* stream, void* memory) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = live_.find(memory);
    if (found == live_.end()) return;
    Live live = found->second;
    live_.erase(found);
    if (live.stream != stream) live.stream = home_of(live.stream, stream);
    if (live.block.chunk) --live.block.chunk->blocks_in_use;
    stats_.allocated_bytes -= live.block.bytes;
    stats_.cached_bytes += live.block.bytes;
    if (!pools_[live.stream].kept) mark(memory, 0, live.block.bytes);
    pools_[live.stream].free[live.block.bytes].push_back(live.block);
  }

  void forget_stream(void* stream) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto& [memory, live] : live_)
      if (live.stream == stream) live.stream = nullptr;
    auto pool = pools_.find(stream);
    if (pool == pools_.end() || !stream) return;
    for (auto& [bytes, blocks] : pool->second.free) {
      auto& theirs = pools_[nullptr].free[bytes];
      theirs.insert(theirs.end(), blocks.begin(), blocks.end());
    }
    pools_.erase(stream);
  }

  void keep(void* stream) {
    std::lock_guard<std::mutex> lock(mutex_);
    pools_[stream].kept = true;
  }
  PydlMemoryStats stats() {
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

 private:
  // The stream to give a block back to that `last` used last.
  void* home_of(void* home, void* last) {
    if (pools_[last].kept) return last;  // a captured graph goes on using it
    cudaEvent_t event;
    if (cudaEventCreateWithFlags(&event, cudaEventDisableTiming) == cudaSuccess) {
      cudaEventRecord(event, static_cast<cudaStream_t>(last));
      cudaStreamWaitEvent(static_cast<cudaStream_t>(home), event, 0);
      cudaEventDestroy(event);
    }
    return home;
  }

  bool take_cached(Pool& pool, int64_t size, Block* block) {
    auto it = pool.free.lower_bound(size);
    while (it != pool.free.end() && it->second.empty()) ++it;
    // A big block of up to 4/3 of the size will do.
    int64_t most = size < kBigBlock ? size : size + size / 3;
    if (it == pool.free.end() || it->first > most) return false;
    *block = it->second.back();
    it->second.pop_back();
    stats_.cached_bytes -= block->bytes;
    return true;
  }

  PydlStatus make_block(Pool& pool, int64_t asked, int64_t size, Block* block) {
    if (size >= kBigBlock) {
      void* memory = nullptr;
      PydlStatus status = from_device(asked, size, &memory);
      *block = {memory, size, nullptr};
      return status;
    }
    if (!pool.open || pool.open->used + size > kChunk) {
      void* memory = nullptr;
      PydlStatus status = from_device(asked, kChunk, &memory);
      if (status != PYDL_OK) return status;
      pool.open = new Chunk{static_cast<char*>(memory)};
      stats_.cached_bytes += kChunk;
      chunks_.push_back(pool.open);
    }
    *block = {pool.open->begin + pool.open->used, size, pool.open};
    pool.open->used += size;
    stats_.cached_bytes -= size;
    return PYDL_OK;
  }

  // After emptying the cache, once more.
  PydlStatus from_device(int64_t asked, int64_t bytes, void** memory) {
    if (over_limit(bytes)) drop_cache();
    if (over_limit(bytes)) return out_of_memory(asked, "the limit set by set_memory_limit");
    ++stats_.system_allocation_count;
    if (cudaMalloc(memory, bytes) == cudaSuccess) return PYDL_OK;
    cudaGetLastError();
    drop_cache();
    cudaError_t error = cudaMalloc(memory, bytes);
    if (error == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      return out_of_memory(asked, "the device");
    }
    return check(error, "cudaMalloc");
  }

  bool over_limit(int64_t bytes) const {
    return stats_.limit_bytes > 0 &&
           stats_.allocated_bytes + stats_.cached_bytes + bytes > stats_.limit_bytes;
  }

  // Big blocks, and chunks of which every block is free.
  void drop_cache() {
    cudaDeviceSynchronize();  // earlier work may use them still
    for (auto& [stream, pool] : pools_) {
      if (pool.kept) continue;
      for (auto& [bytes, blocks] : pool.free) {
        auto goes = [&](const Block& block) {
          if (block.chunk) return block.chunk->blocks_in_use == 0 && !is_kept(block.chunk);
          cudaFree(block.memory);
          stats_.cached_bytes -= block.bytes;
          return true;
        };
        blocks.erase(std::remove_if(blocks.begin(), blocks.end(), goes), blocks.end());
      }
      if (pool.open && pool.open->blocks_in_use == 0) pool.open = nullptr;
    }
    auto unused = [&](Chunk* chunk) {
      if (chunk->blocks_in_use > 0 || is_kept(chunk)) return false;
      cudaFree(chunk->begin);
      stats_.cached_bytes -= kChunk;
      delete chunk;
      return true;
    };
    chunks_.erase(std::remove_if(chunks_.begin(), chunks_.end(), unused), chunks_.end());
  }

  // Whether a graph's pool holds or cuts blocks of a chunk.
  bool is_kept(const Chunk* chunk) const {
    for (const auto& [stream, pool] : pools_) {
      if (!pool.kept) continue;
      if (pool.open == chunk) return true;
      for (const auto& [bytes, blocks] : pool.free)
        for (const Block& block : blocks)
          if (block.chunk == chunk) return true;
    }
    return false;
  }

  PydlStatus out_of_memory(int64_t bytes, const char* who) const {
    return fail(PYDL_ERROR_MEMORY,
                "[allocate] expected %lld bytes to be available on gpu:%d, but %s refused them; %lld "
                "bytes are in use, %lld cached, limit %lld. Hint: use smaller batches",
                static_cast<long long>(bytes), device_, who,
                static_cast<long long>(stats_.allocated_bytes),
                static_cast<long long>(stats_.cached_bytes),
                static_cast<long long>(stats_.limit_bytes));
  }

  int device_;
  std::mutex mutex_;
  std::unordered_map<void*, Pool> pools_;  // of each stream
  std::unordered_map<void*, Live> live_;
  std::vector<Chunk*> chunks_;
  PydlMemoryStats stats_ = {};
};

// Never destroyed: tensors may outlive every static object.
Allocator& allocator(int device) {
  static std::mutex mutex;
  static Allocator* instances[kMaxDevices];
  std::lock_guard<std::mutex> lock(mutex);
  if (!instances[device]) instances[device] = new Allocator(device);
  return *instances[device];
}

}  // namespace

PydlStatus allocate(int32_t device, void* stream, int64_t bytes, void** memory) {
  return allocator(device).allocate(stream, bytes, memory);
}
void release(int32_t device, void* stream, void* memory) {
  allocator(device).release(stream, memory);
}
PydlStatus memory_stats(int32_t device, PydlMemoryStats* stats) {
  PydlMemoryStats found = allocator(device).stats();
  found.struct_size = stats->struct_size;
  memcpy(stats, &found, std::min<size_t>(stats->struct_size, sizeof(found)));
  return PYDL_OK;
}
PydlStatus reset_peak_memory(int32_t device) {
  allocator(device).reset_peak();
  return PYDL_OK;
}
PydlStatus empty_cache(int32_t device) {
  allocator(device).empty_cache();
  return PYDL_OK;
}
PydlStatus set_memory_limit(int32_t device, int64_t bytes) {
  if (bytes < 0)
    return fail(PYDL_ERROR_VALUE, "[set_memory_limit] expected at least 0 bytes, got %lld",
                static_cast<long long>(bytes));
  allocator(device).set_limit(bytes);
  return PYDL_OK;
}
void keep_memory_of(int32_t device, void* stream) { allocator(device).keep(stream); }
void forget_stream(int32_t device, void* stream) { allocator(device).forget_stream(stream); }

}  // namespace pydl::cuda
