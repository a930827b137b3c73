#include "cuda_emulator/fault.h"

#include <signal.h>

#include <mutex>

#include "cuda_emulator/runtime.h"
#include "cuda_emulator/sanitizers.h"
#include "cuda_emulator/worker.h"

namespace pydl::emulator {
namespace {

std::mutex mutex;  // guards what follows
int launches = 0;
struct sigaction previous;

// Switching away from the handler is safe: the fault came from the kernel's own instruction.
void on_fault(int, siginfo_t* info, void*) {
  if (this_worker && this_thread)
    this_worker->fail(cudaErrorIllegalAddress, "touched " + describe_address(info->si_addr));
  sigaction(SIGSEGV, &previous, nullptr);  // not a kernel's: happens again, for the previous handler
}

}  // namespace

FaultScope::FaultScope() {
  if (kSanitized) return;
  std::lock_guard<std::mutex> lock(mutex);
  if (launches++) return;
  struct sigaction action = {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigaction(SIGSEGV, &action, &previous);
}

FaultScope::~FaultScope() {
  if (kSanitized) return;
  std::lock_guard<std::mutex> lock(mutex);
  if (--launches == 0) sigaction(SIGSEGV, &previous, nullptr);
}

}  // namespace pydl::emulator
