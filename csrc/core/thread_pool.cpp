#include "core/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "core/config.h"
#include "core/error.h"
#include "core/float_mode.h"

namespace pydl {
namespace {

// Waking a thread that sleeps takes tens of microseconds, so it stays awake as long as Python may take
// between two ops. Reading the clock takes as long as a few pauses.
using Clock = std::chrono::steady_clock;
constexpr std::chrono::microseconds kAwake(500);
constexpr int kPauses = 32;   // between two looks at the clock
constexpr int kSpins = 4000;  // before the caller lets others have its core

void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Moves the calling thread from the CPU to another, where each of `threads` can have one of its own.
// Where few CPUs share a cache, Linux leaves a thread that wakes up on the CPU of the one that woke it,
// sometimes for seconds, while another CPU idles.
void leave_cpu(int cpu, size_t threads) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;  // more CPUs than the set holds
  if (static_cast<size_t>(CPU_COUNT(&allowed)) < threads) return;
  cpu_set_t others = allowed;
  CPU_CLR(cpu, &others);
  if (sched_setaffinity(0, sizeof others, &others) == 0)
    sched_setaffinity(0, sizeof allowed, &allowed);
}

struct Job {
  RangeBody body;
  void* arg;
  int64_t count;
  int64_t ranges;
  FloatMode mode;  // the caller's

  void run(int64_t range) const {
    // count * range can overflow, so cut by quotient and remainder.
    int64_t size = count / ranges, extra = count % ranges;
    int64_t begin = range * size + std::min(range, extra);
    mode.set();
    body(arg, begin, begin + size + (range < extra));
  }
};

thread_local bool inside_range = false;

class ThreadPool {
 public:
  explicit ThreadPool(int threads) : open_(threads) {
    try {
      for (int i = 1; i < threads; ++i) workers_.emplace_back([this, i] { work(i); });
    } catch (const std::system_error&) {
      // The system allows no more threads. run() does the ranges that have no worker itself.
    }
  }

  ~ThreadPool() {
    {
      std::lock_guard<std::mutex> lock(sleep_mutex_);
      stop_ = true;
      generation_.fetch_add(1);
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  void run(const Job& job) {
    job_ = job;
    caller_cpu_.store(sched_getcpu(), std::memory_order_relaxed);
    pending_.store(static_cast<int>(job.ranges) - 1, std::memory_order_relaxed);
    for (int64_t i = 1; i < job.ranges; ++i) open_[i].store(true, std::memory_order_release);
    {
      // The lock orders the new generation against a worker that is about to sleep.
      std::lock_guard<std::mutex> lock(sleep_mutex_);
      generation_.fetch_add(1, std::memory_order_release);
    }
    if (sleepers_.load() > 0) wake_.notify_all();
    inside_range = true;
    job.run(0);
    // A worker that sleeps, or whose core another process has, would be waited for: do its range.
    for (int64_t i = 1; i < job.ranges; ++i) run_if_open(i);
    inside_range = false;
    for (int spins = 0; pending_.load(std::memory_order_acquire) > 0; ++spins) {
      pause_cpu();
      if (spins > kSpins) std::this_thread::yield();
    }
  }

 private:
  void work(int index) {
    inside_range = true;
    uint64_t seen = 0;
    for (;;) {
      seen = wait_for_work(seen);
      if (stop_) return;
      int cpu = sched_getcpu();
      if (cpu >= 0 && cpu == caller_cpu_.load(std::memory_order_relaxed))
        leave_cpu(cpu, open_.size());
      run_if_open(index);
    }
  }

  // Whoever closes a range runs it. An open range keeps run() from returning, so job_ is its job.
  void run_if_open(int64_t range) {
    if (!open_[range].exchange(false, std::memory_order_acquire)) return;
    job_.run(range);
    pending_.fetch_sub(1, std::memory_order_release);
  }

  uint64_t wait_for_work(uint64_t seen) {
    const Clock::time_point end = Clock::now() + kAwake;
    do {
      for (int pauses = 0; pauses < kPauses; ++pauses) {
        uint64_t now = generation_.load(std::memory_order_acquire);
        if (now != seen) return now;
        pause_cpu();
      }
    } while (Clock::now() < end);
    std::unique_lock<std::mutex> lock(sleep_mutex_);
    sleepers_.fetch_add(1);
    wake_.wait(lock, [&] { return generation_.load(std::memory_order_acquire) != seen; });
    sleepers_.fetch_sub(1);
    return generation_.load(std::memory_order_acquire);
  }

  Job job_ = {};
  std::vector<std::atomic<bool>> open_;  // for each range: nobody has begun it
  std::atomic<uint64_t> generation_{0};
  std::atomic<int> pending_{0};
  std::atomic<int> caller_cpu_{-1};  // which no worker may share
  std::atomic<int> sleepers_{0};
  std::atomic<bool> stop_{false};
  std::mutex sleep_mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> workers_;
};

// Guards the pool: its holder runs on it, everybody else runs inline meanwhile.
std::mutex& pool_mutex() {
  static std::mutex* mutex = new std::mutex;
  return *mutex;
}
ThreadPool* pool = nullptr;

// Changed by the holder of the mutex only.
std::atomic<int>& thread_count() {
  static std::atomic<int> count{config().num_threads};
  return count;
}

void register_fork_handlers() {
  static bool registered = [] {
    pthread_atfork([] { pool_mutex().lock(); }, [] { pool_mutex().unlock(); },
                   [] {
                     pool = nullptr;  // its threads did not survive; a new pool starts on demand
                     pool_mutex().unlock();
                   });
    return true;
  }();
  (void)registered;
}

}  // namespace

void parallel_for(int64_t count, int64_t grain, RangeBody body, void* arg) {
  if (count <= 0) return;
  int64_t most = count / std::max<int64_t>(grain, 1);
  if (most <= 1 || inside_range || num_threads() == 1) return body(arg, 0, count);
  std::unique_lock<std::mutex> lock(pool_mutex(), std::try_to_lock);
  if (!lock.owns_lock()) return body(arg, 0, count);
  int threads = num_threads();  // which another thread may have changed before the lock
  if (!pool) {
    register_fork_handlers();
    pool = new ThreadPool(threads);
  }
  int64_t ranges = std::min<int64_t>(threads, most);
  pool->run(Job{body, arg, count, ranges, FloatMode::current()});
}

int num_threads() { return thread_count().load(std::memory_order_relaxed); }

void set_num_threads(int count) {
  if (count < 1 || count > 1024)
    fail<ValueError>("[set_num_threads] expected 1 to 1024 threads, got ", count);
  if (inside_range) fail<ValueError>("[set_num_threads] cannot be called from inside a kernel");
  std::lock_guard<std::mutex> lock(pool_mutex());
  delete pool;
  pool = nullptr;
  thread_count() = count;
}

}  // namespace pydl
