#include "cuda_emulator/async.h"

#include <string.h>

#include <utility>

#include "cuda_emulator/sanitizers.h"
#include "cuda_emulator/worker.h"
#include "emulator/async.h"

namespace pydl::emulator {

void GroupQueue::land_until(size_t pending_groups) {
  if (group_ends_.size() <= pending_groups) return;
  const size_t groups = group_ends_.size() - pending_groups, count = group_ends_[groups - 1];
  for (size_t i = 0; i < count; ++i) work_[i]();
  work_.erase(work_.begin(), work_.begin() + count);
  group_ends_.erase(group_ends_.begin(), group_ends_.begin() + groups);
  for (size_t& end : group_ends_) end -= count;
}

std::vector<GroupQueue::Work> GroupQueue::take() {
  group_ends_.clear();
  return std::exchange(work_, {});
}

void AsyncWork::clear() {
  copies.clear();
  stores.clear();
  products.clear();
  loads.clear();
}

bool AsyncWork::land_a_load(uint32_t random) {
  if (loads.empty()) return false;
  const size_t chosen = random % loads.size();
  const auto load = std::move(loads[chosen]);
  loads.erase(loads.begin() + chosen);
  load();
  return true;
}

namespace {

AsyncWork& async() { return this_worker->async(); }

GroupQueue& queue_of(std::vector<GroupQueue>& queues, size_t index, size_t count) {
  if (queues.empty()) queues.resize(count);
  return queues[index];
}

GroupQueue& own_copies() {
  return queue_of(async().copies, this_thread->linear, this_block->threads.size());
}
GroupQueue& own_stores() {
  return queue_of(async().stores, this_thread->linear, this_block->threads.size());
}
GroupQueue& own_products() {
  return queue_of(async().products, this_thread->warp, this_block->warps.size());
}

// Work of one queue is done in the order in which it was started.
template <class Work>
void start(GroupQueue& queue, Work work) {
  if (queue.empty() && this_worker->lands_at_once()) {
    work();
  } else {
    queue.add(work);
  }
}

}  // namespace

uint32_t shared_address(const void* pointer) {
  const ptrdiff_t address = static_cast<const char*>(pointer) - this_block->shared;
  if (address < 0 || static_cast<size_t>(address) > this_block->shared_bytes)
    fail_thread("expected an address in dynamic shared memory, got one %td bytes from its start",
                address);
  return static_cast<uint32_t>(address);
}

char* shared_pointer(uint32_t address) {
  if (address > this_block->shared_bytes)
    fail_thread("expected an address in the %zu bytes of dynamic shared memory, got %u",
                this_block->shared_bytes, address);
  return this_block->shared + address;
}

void copy_async(void* shared, const void* global, uint32_t bytes, uint32_t valid) {
  Uninstrumented scope;
  const uintptr_t both = reinterpret_cast<uintptr_t>(shared) | reinterpret_cast<uintptr_t>(global);
  if ((bytes != 4 && bytes != 8 && bytes != 16) || both % bytes || valid > bytes)
    fail_thread("cp.async: expected 4, 8 or 16 bytes at multiples of them, got %u of %u from %p to %p",
                valid, bytes, global, shared);
  start(own_copies(), [=] {
    memcpy(shared, global, valid);
    memset(static_cast<char*>(shared) + valid, 0, bytes - valid);
  });
}

void copy_commit() {
  Uninstrumented scope;
  own_copies().commit();
}
void copy_wait(uint32_t pending) {
  Uninstrumented scope;
  own_copies().land_until(pending);
}

void start_store(std::function<void()> store) { start(own_stores(), std::move(store)); }
void tensor_store_commit() { own_stores().commit(); }
void tensor_store_wait(uint32_t pending) { own_stores().land_until(pending); }

void start_load(std::function<void()> load) {
  if (this_worker->lands_at_once()) {
    load();
  } else {
    async().loads.push_back(std::move(load));
  }
}

// From here on the copies are nobody's to wait for but the barrier's.
void copy_arrive(uint64_t* barrier) {
  Uninstrumented scope;
  start_load([copies = own_copies().take(), barrier] {
    for (const auto& copy : copies) copy();
    mbarrier_arrive(barrier);
  });
}

constexpr int kFirstWarpgroupBarrier = kNamedBarriers;  // no kernel can name these

void warpgroup_sync(Site site) {
  barrier_wait("warpgroup_sync", kFirstWarpgroupBarrier + warp() / 4, 128, false, site);
}

void warp_enqueue(std::function<void()> work) { start(own_products(), std::move(work)); }

void warp_commit(Site site) {
  warp_collective("wgmma.commit_group", ~0u, nullptr, [](void**) { own_products().commit(); }, site);
}

void warp_wait(uint32_t pending, Site site) {
  warpgroup_sync(site);
  warp_collective("wgmma.wait_group", ~0u, nullptr,
                  [=](void**) { own_products().land_until(pending); }, site);
}

// A thread that leaves while its work is under way would let it land in another block's memory.
void check_all_waited_for(const Thread& thread) {
  AsyncWork& work = async();
  if (!work.copies.empty() && !work.copies[thread.linear].empty())
    fail_thread("left the kernel with cp.async copies that it never waited for");
  if (!work.stores.empty() && !work.stores[thread.linear].empty())
    fail_thread("left the kernel with TMA stores that it never waited for");
  if (!work.products.empty() && !work.products[thread.warp].empty())
    fail_thread("left the kernel with wgmma products that it never waited for");
  if (this_block->alive == 1 && !work.loads.empty())
    fail_thread("the block ends with %zu loads under way", work.loads.size());
}

}  // namespace pydl::emulator
