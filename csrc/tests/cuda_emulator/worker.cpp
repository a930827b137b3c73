#include "cuda_emulator/worker.h"

#include <fenv.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <numeric>

#include "cuda_emulator/sanitizers.h"

namespace pydl::emulator {

constinit thread_local Block* this_block = nullptr;
constinit thread_local Thread* this_thread = nullptr;
constinit thread_local Worker* this_worker = nullptr;

extern thread_local char first_shared_byte, last_shared_byte;

namespace {

constexpr size_t kPage = 4096, kSharedBytes = 256 << 10, kSharedAlignment = 1024;
constexpr int kUnwritten = 0xff;  // as bytes of floats: NaN, so that reads of it show up

struct Failure {
  std::string text;
};

constexpr size_t kSignalStackBytes = 64 << 10;

// Stacks that lie whole pages apart would all compete for the same lines of the cache.
constexpr size_t kStackSpacing = kPage + 320;

void* map(size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

__attribute__((noinline)) Worker* this_worker_now() { return this_worker; }

// The linker lays out the __shared__ variables of all kernels between these two.
void fill_static_shared_memory() {
  char *const begin = &first_shared_byte, *const end = &last_shared_byte;
  if (begin < end) memset(begin, kUnwritten, end - begin);
}

}  // namespace

void Launch::fail(cudaError_t code, const std::string& text) {
  std::lock_guard<std::mutex> lock(mutex);
  if (failed) return;
  error = code;
  message = text;
  failed = true;
}

Worker::Worker() : signal_stack_(kSignalStackBytes) {
  char* memory = static_cast<char*>(map(kSharedBytes + kPage));
  shared_end_ = memory + kSharedBytes;
  mprotect(shared_end_, kPage, PROT_NONE);
}

Worker::~Worker() {
  for (Fiber& fiber : fibers_) {
    release_fiber(fiber);
    munmap(fiber.stack, fiber.stack_bytes + kStackSpacing);
  }
  munmap(shared_end_ - kSharedBytes, kSharedBytes + kPage);
}

void Worker::run(Launch& launch) {
  launch_ = &launch;
  this_worker = this;
  this_block = &block_;
  scheduler_ = Fiber();
  adopt_os_thread(scheduler_);
  fenv_t callers;  // which may flush denormals; a GPU does not
  fegetenv(&callers);
  fesetenv(FE_DFL_ENV);
  stack_t callers_stack, own_stack = {signal_stack_.data(), 0, signal_stack_.size()};
  sigaltstack(&own_stack, &callers_stack);
  fill_static_shared_memory();
  for (uint64_t i; !launch.failed && (i = launch.next_block++) < launch.blocks;) {
    if (launch.order == Order::reverse) i = launch.blocks - 1 - i;
    if (launch.order == Order::shuffled) i = i * (launch.blocks % 7919 ? 7919 : 7927) % launch.blocks;
    begin_block(i);
    run_block();
  }
  sigaltstack(&callers_stack, nullptr);
  fesetenv(&callers);
  this_block = nullptr;
  this_worker = nullptr;
}

void Worker::begin_block(uint64_t index) {
  const dim3 grid = launch_->kernel->grid, dim = launch_->kernel->block;
  const unsigned threads = dim.x * dim.y * dim.z;
  block_.grid = grid;
  block_.dim = dim;
  block_.index = {static_cast<unsigned>(index % grid.x),
                  static_cast<unsigned>(index / grid.x % grid.y),
                  static_cast<unsigned>(index / grid.x / grid.y)};
  block_.alive = threads;
  block_.shared_bytes = launch_->kernel->shared_bytes;
  const size_t room = (block_.shared_bytes + kSharedAlignment - 1) / kSharedAlignment;
  block_.shared = shared_end_ - room * kSharedAlignment;
  unpoison(block_.shared, room * kSharedAlignment);
  memset(block_.shared, kUnwritten, room * kSharedAlignment);
  poison(block_.shared + block_.shared_bytes, room * kSharedAlignment - block_.shared_bytes);
  memset(block_.barriers, 0, sizeof block_.barriers);
  async_.clear();

  block_.threads.resize(threads);
  block_.warps.resize((threads + 31) / 32);
  for (unsigned i = 0; i < threads; ++i) {
    Thread& thread = block_.threads[i];
    thread = Thread();
    thread.index = {i % dim.x, i / dim.x % dim.y, i / dim.x / dim.y};
    thread.linear = i;
    thread.lane = i % 32;
    thread.warp = i / 32;
    thread.group = &block_.warps[i / 32];
  }
  for (unsigned w = 0; w < block_.warps.size(); ++w) {
    const unsigned lanes = std::min(32u, threads - 32 * w);
    const uint32_t all = lanes == 32 ? ~0u : (1u << lanes) - 1;
    block_.warps[w] = {this, &block_.threads[32 * w], all, all, 0, 0};
  }
  warp_order_.resize(block_.warps.size());
  std::iota(warp_order_.begin(), warp_order_.end(), 0);
  if (launch_->order == Order::reverse) std::reverse(warp_order_.begin(), warp_order_.end());
  random_state_ = 0x9e3779b97f4a7c15 * (index + 1);
}

void Worker::run_block() {
  release(&block_);
  while (block_.alive && !launch_->failed) {
    if (shuffled())
      for (size_t i = warp_order_.size(); i > 1; --i)
        std::swap(warp_order_[i - 1], warp_order_[random() % i]);
    bool progress = false;
    for (unsigned w : warp_order_) progress |= run_warp(block_.warps[w]);
    if (!progress && !land_a_load()) report_deadlock();
  }
  acquire(&block_);
  for (Thread& thread : block_.threads)  // of a launch that failed: abandoned where they are
    if (Fiber* fiber = thread.fiber) {
      prepare_fiber(*fiber, live);
      give_back(*fiber);
      thread.fiber = nullptr;
    }
  check_shared_memory();
}

// Runs a warp until all its lanes wait for other warps, or, in shuffled order, once round its lanes.
bool Worker::run_warp(Warp& warp) {
  if (!warp.ready) return false;
  do {
    round_ = {&warp, 0, shuffled() ? random() : 0, shuffled() ? random() | 1 : 1};
    if (Thread* first = next_thread()) resume(*first);
  } while (warp.ready && !shuffled() && !launch_->failed);
  return true;
}

// The next lane of the round that can go on; none at the end of the round.
Thread* Worker::next_thread() {
  while (round_.visited < 32 && !launch_->failed) {
    const unsigned k = round_.visited++;
    const unsigned lane =
        launch_->order == Order::reverse ? 31 - k : (k * round_.step + round_.start) % 32;
    if (round_.warp->ready >> lane & 1) return &round_.warp->threads[lane];
  }
  return nullptr;
}

void Worker::resume(Thread& thread) {
  if (!thread.fiber) thread.fiber = take_fiber();
  this_thread = &thread;
  switch_fiber(scheduler_, *thread.fiber);
  this_thread = nullptr;
}

// Straight from one thread to the next: half the switches of a way through the scheduler, and returns go
// where the processor expects them.
void Worker::leave(Fiber& here) {
  Thread* next = this_thread = next_thread();
  if (next && !next->fiber) next->fiber = take_fiber();
  Fiber& there = next ? *next->fiber : scheduler_;
  if (&there != &here) switch_fiber(here, there);  // the same after the thread's end: serves the next
}

Fiber* Worker::take_fiber() {
  Uninstrumented scope;
  if (free_fibers_.empty()) {
    Fiber& fiber = fibers_.emplace_back();
    fiber.stack_bytes = fiber_stack_bytes();
    fiber.stack = map(fiber.stack_bytes + kStackSpacing);
    mprotect(fiber.stack, kPage, PROT_NONE);  // for kernels that need more
    prepare_fiber(fiber, live);
    return &fiber;
  }
  Fiber* fiber = free_fibers_.back();
  free_fibers_.pop_back();
  return fiber;
}

void Worker::run_thread() {
  acquire(&block_);
  launch_->kernel->thread_body();
  release(&block_);
  finish_thread(*this_thread);
  Fiber& here = *this_thread->fiber;
  this_thread->fiber = nullptr;
  give_back(here);
  leave(here);
}

void Worker::give_back(Fiber& fiber) {
  Uninstrumented scope;
  free_fibers_.push_back(&fiber);
}

// The same stack serves one thread after the other, maybe on another OS thread, whose thread_local
// variables a function that was inlined here would not find.
void Worker::live() {
  enter_fiber();
  for (;;) this_worker_now()->run_thread();
}

void Worker::fail(cudaError_t code, const std::string& text) {
  if (!this_thread) throw Failure{text};  // in work that lands between the threads' steps
  const uint3 b = block_.index, t = this_thread->index;
  char where[160];
  snprintf(where, sizeof where, "block (%u, %u, %u), thread (%u, %u, %u): ", b.x, b.y, b.z, t.x, t.y,
           t.z);
  launch_->fail(code, where + text);
  for (;;) switch_fiber(*this_thread->fiber, scheduler_);
}

void fail_thread(const char* format, ...) {
  char text[400];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  this_worker->fail(cudaErrorLaunchFailure, text);
}

bool Worker::land_a_load() {
  Uninstrumented scope;
  try {
    return async_.land_a_load(shuffled() ? random() : 0);
  } catch (const Failure& failure) {
    launch_->fail(cudaErrorLaunchFailure, "an asynchronous load: " + failure.text);
    return true;
  }
}

void Worker::report_deadlock() {
  std::string text = "no thread can go on:";
  int shown = 0;
  for (const Thread& thread : block_.threads) {
    if (thread.state == State::done) continue;
    const Thread* before = thread.linear ? &thread - 1 : nullptr;
    if (before && before->state == thread.state && before->site == thread.site) continue;
    if (++shown > 6) break;
    char line[200];
    snprintf(line, sizeof line, " thread %u and on wait in %s at %s:%d;", thread.linear,
             thread.operation, thread.site.file, thread.site.line);
    text += line;
  }
  const uint3 b = block_.index;
  char where[80];
  snprintf(where, sizeof where, "block (%u, %u, %u): ", b.x, b.y, b.z);
  launch_->fail(cudaErrorLaunchFailure, where + text);
}

void Worker::check_shared_memory() {
  unpoison(block_.shared, shared_end_ - block_.shared);
  for (const char* p = block_.shared + block_.shared_bytes; p < shared_end_; ++p)
    if (*p != static_cast<char>(kUnwritten))
      return launch_->fail(cudaErrorIllegalAddress,
                           "a thread wrote past the end of dynamic shared memory");
}

bool Worker::lands_at_once() {
  return launch_->order == Order::reverse || (shuffled() && random() % 2);
}

unsigned Worker::random() {
  random_state_ ^= random_state_ << 13;
  random_state_ ^= random_state_ >> 7;
  random_state_ ^= random_state_ << 17;
  return static_cast<unsigned>(random_state_ >> 32);
}

}  // namespace pydl::emulator
