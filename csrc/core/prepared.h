// What kernels make once of a tensor's values and find again while these stay: see pydl/prepared.h.
//
// It hangs on the tensor's storage and goes with it. The first call that asks gets nothing, as many
// operands are seen once only; the second has it made; a write to the storage starts this anew.
#pragma once

#include <mutex>
#include <vector>

#include "core/tensor.h"
#include "pydl/prepared.h"

namespace pydl {

class PreparedOperand final : public PydlPrepared {
 public:
  explicit PreparedOperand(const Storage& storage);
  ~PreparedOperand();
  PreparedOperand(const PreparedOperand&) = delete;
  PreparedOperand& operator=(const PreparedOperand&) = delete;

 private:
  friend const PydlPrepared* prepared_operand(const Tensor& x);

  struct Entry {
    PydlPreparedKey key;
    uint64_t seen, made;  // contents of the storage at the last call, and that `memory` is of
    void* memory;         // or NULL
  };
  const void* find(const PydlPreparedKey& key, void (*make)(void*, void*), void* arg);

  const Storage& storage_;
  std::atomic<uint32_t> loans_{0};  // of the storage when nobody else had its memory
  std::mutex mutex_;
  std::vector<Entry> entries_;
};

// For an operand that no gradient is recorded for. NULL while somebody else may write to it unseen; to
// be asked before an op makes views of its own.
const PydlPrepared* prepared_operand(const Tensor& x);

}  // namespace pydl
