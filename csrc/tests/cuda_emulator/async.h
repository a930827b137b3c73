// Queues of asynchronous work, and when it lands.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <functional>
#include <vector>

namespace pydl::emulator {

// Work in groups that are waited for in the order of their making.
class GroupQueue {
 public:
  using Work = std::function<void()>;
  void add(Work work) { work_.push_back(std::move(work)); }
  void commit() { group_ends_.push_back(work_.size()); }
  void land_until(size_t pending_groups);
  std::vector<Work> take();  // all that is left
  bool empty() const { return work_.empty(); }

 private:
  std::vector<Work> work_;
  std::vector<size_t> group_ends_;  // of the groups that were committed
};

// Of one block.
struct AsyncWork {
  std::vector<GroupQueue> copies, stores;  // a thread's
  std::vector<GroupQueue> products;        // a warp's
  std::vector<std::function<void()>> loads;

  void clear();
  bool land_a_load(uint32_t random);  // when no thread can go on; false if there is none
};

}  // namespace pydl::emulator
