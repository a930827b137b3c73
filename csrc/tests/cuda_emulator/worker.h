// Runs the blocks of a grid, one at a time on each OS thread.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "cuda_emulator/async.h"
#include "cuda_emulator/fiber.h"
#include "emulator/launch.h"

namespace pydl::emulator {

// In which order threads (and blocks) run where the program leaves it open: PYDL_EMULATED_ORDER.
enum class Order { forward, reverse, shuffled };

struct Launch {
  const Kernel* kernel;
  Order order;
  uint64_t blocks;

  std::atomic<uint64_t> next_block{0};
  std::atomic<bool> failed{false};
  std::mutex mutex = {};  // guards what follows
  cudaError_t error = cudaSuccess;
  std::string message = {};

  void fail(cudaError_t code, const std::string& text);  // the first failure is kept
};

class Worker {
 public:
  Worker();
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Takes blocks of the launch until there are none.
  void run(Launch& launch);

  // For threads of the current block.
  [[noreturn]] void fail(cudaError_t code, const std::string& text);
  void leave(Fiber& here);  // for the next thread that can go on
  AsyncWork& async() { return async_; }
  bool lands_at_once();  // asynchronous work that is started now

 private:
  static void live();  // of a fiber
  __attribute__((noinline)) void run_thread();
  void begin_block(uint64_t index);
  void run_block();
  bool run_warp(Warp& warp);
  Thread* next_thread();
  void resume(Thread& thread);
  void finish_thread(Thread& thread);
  bool land_a_load();
  void report_deadlock();
  void check_shared_memory();
  Fiber* take_fiber();
  void give_back(Fiber& fiber);
  bool shuffled() const { return launch_->order == Order::shuffled; }
  unsigned random();

  struct Round {  // of a warp: its lanes in the order (i * step + start) % 32
    Warp* warp;
    unsigned visited, start, step;
  };

  Launch* launch_ = nullptr;
  Round round_;
  Block block_;
  AsyncWork async_;
  Fiber scheduler_;
  std::vector<char> signal_stack_;
  std::deque<Fiber> fibers_;
  std::vector<Fiber*> free_fibers_;
  std::vector<unsigned> warp_order_;
  char* shared_end_;
  uint64_t random_state_ = 0;
};

extern constinit thread_local Worker* this_worker;

// For threads: waiting.cpp and async.cpp.
void wait(Thread& self, State state, const char* operation, Site site);
void wake(Thread& thread);
void start_load(std::function<void()> load);
void start_store(std::function<void()> store);
void check_all_waited_for(const Thread& thread);

}  // namespace pydl::emulator
