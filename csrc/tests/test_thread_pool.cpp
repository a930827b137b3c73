// Stresses the thread pool and the allocator from several threads at once; meant to be built with
// PYDL_SANITIZE=thread, which reports races by itself.
#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

#include "core/allocator.h"
#include "core/thread_pool.h"

namespace {

int passed = 0, failed = 0;

void expect(bool condition, const char* what) {
  ++(condition ? passed : failed);
  if (!condition) std::printf("failed: %s\n", what);
}

// Adds 1 to each of `count` cells through the pool; true when each was visited once.
bool visits_each_once(int64_t count, int64_t grain) {
  std::vector<int> cells(count);
  pydl::parallel_for(
      count, grain,
      [](void* arg, int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) ++static_cast<int*>(arg)[i];
      },
      cells.data());
  for (int cell : cells)
    if (cell != 1) return false;
  return true;
}

void ranges_cover_once() {
  for (int threads : {1, 2, 3, 8}) {
    pydl::set_num_threads(threads);
    for (int64_t count : {0, 1, 2, 7, 8, 1000})
      for (int64_t grain : {1, 3, 1000}) expect(visits_each_once(count, grain), "each index once");
  }
}

void nested_calls_run_inline() {
  pydl::set_num_threads(4);
  std::atomic<int64_t> sum{0};
  pydl::parallel_for(
      8, 1,
      [](void* arg, int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
          if (visits_each_once(100, 1)) static_cast<std::atomic<int64_t>*>(arg)->fetch_add(1);
      },
      &sum);
  expect(sum == 8, "nested calls");
}

void many_callers_at_once() {
  pydl::set_num_threads(3);
  std::atomic<int> good{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&] {
      for (int i = 0; i < 300; ++i) good += visits_each_once(1000, 10);
    });
  for (std::thread& caller : callers) caller.join();
  expect(good == 1200, "callers at once");
}

void sleeping_workers_wake_up() {
  pydl::set_num_threads(2);
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    expect(visits_each_once(1000, 1), "after a sleep");
  }
}

// The CPU on which a job of two ranges ran the one that is not the caller's; -1 where the caller ran
// both.
int worker_cpu(int also_bind_to) {
  struct Look {
    std::thread::id caller = std::this_thread::get_id();
    std::atomic<int> begun{0};
    int bind_to, cpu = -1;
  } look;
  look.bind_to = also_bind_to;
  pydl::parallel_for(
      2, 1,
      [](void* arg, int64_t, int64_t) {
        Look& look = *static_cast<Look*>(arg);
        ++look.begun;
        if (std::this_thread::get_id() == look.caller) {
          auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
          while (look.begun < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
          return;
        }
        look.cpu = sched_getcpu();
        if (look.bind_to < 0) return;
        cpu_set_t all, one;
        sched_getaffinity(0, sizeof all, &all);
        CPU_ZERO(&one);
        CPU_SET(look.bind_to, &one);
        sched_setaffinity(0, sizeof one, &one);
        sched_setaffinity(0, sizeof all, &all);
      },
      &look);
  return look.cpu;
}

void workers_leave_the_callers_cpu() {
  cpu_set_t all, one;
  sched_getaffinity(0, sizeof all, &all);
  if (CPU_COUNT(&all) < 2) return;
  pydl::set_num_threads(2);
  visits_each_once(1000, 1);  // starts the worker, which may run everywhere
  int mine = sched_getcpu(), shared = 0;
  CPU_ZERO(&one);
  CPU_SET(mine, &one);
  sched_setaffinity(0, sizeof one, &one);
  for (int i = 0; i < 20; ++i) {
    worker_cpu(mine);
    shared += worker_cpu(-1) == mine;
  }
  sched_setaffinity(0, sizeof all, &all);
  expect(shared < 5, "workers leave the caller's CPU");
}

void allocations_at_once() {
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([c] {
      for (int i = 1; i < 500; ++i) {
        void* memory = pydl::allocate(static_cast<size_t>(i) * 97 * (c + 1));
        *static_cast<int*>(memory) = i;
        pydl::deallocate(memory);
        if (i % 100 == 0) pydl::empty_cache();
      }
    });
  for (std::thread& caller : callers) caller.join();
  expect(pydl::memory_stats().allocated_bytes == 0, "everything given back");
}

}  // namespace

int main() {
  ranges_cover_once();
  nested_calls_run_inline();
  many_callers_at_once();
  sleeping_workers_wake_up();
  workers_leave_the_callers_cpu();
  allocations_at_once();
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed > 0;
}
