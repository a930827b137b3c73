// A step's work on the CPU: kernel calls that are noted while they run, and repeated as often as wanted.
//
// Every call finds its operands where they were: the memory of the step is kept, and no part of it is
// used twice. So whatever the step makes of its inputs lies in the same tensors after each repetition.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/random_uses.h"
#include "core/tensor.h"
#include "dispatch/launch.h"

namespace pydl {

// What the steps of an optimizer differ in.
struct StepNumbers {
  int64_t step;  // from 1
  double learning_rate;
};

class Recording {
 public:
  // Steps whose tensors need more memory than `limit` are not recorded.
  explicit Recording(int64_t limit) : limit_(limit) {}
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // Between the two, this thread's kernel calls are noted. `watched` are tensors that the step may
  // write to and that outlive it: repetitions count as writes to those that it did write to. It may
  // read the values of `numbers`, from which the caller takes the StepNumbers of each repetition.
  void begin(const std::vector<Tensor>& watched, const std::vector<Tensor>& numbers);
  // Returns whether the step can be repeated; else `obstacle` says why not, unless it was only large.
  bool end();
  const std::string& obstacle() const { return obstacle_; }

  void repeat(const StepNumbers& numbers) const;

  // For the calls and tensors of the step.
  void add(const char* op, bool keep_denormals, Launchable function, const void* state,
           const void* args, size_t size);
  void keep(const Tensor& tensor);
  // The last call is the step of an optimizer: its arguments point into `owned`, and `renew` changes
  // them to those of another step.
  using Renew = void (*)(void* args, const StepNumbers& numbers);
  void depends_on_numbers(std::shared_ptr<const void> owned, Renew renew);
  bool may_read(const Tensor& tensor) const;
  // Gives up, because the step does what kernel calls alone cannot repeat.
  void refuse(const std::string& why);

 private:
  struct Call {
    const char* op;
    bool keep_denormals;
    Launchable function;
    const void* state;
    std::unique_ptr<std::max_align_t[]> args;
    std::shared_ptr<const void> owned;
    Renew renew;  // or NULL
  };
  void leave();

  int64_t limit_;
  bool active_ = false, refused_ = false;
  std::string obstacle_;
  std::vector<Call> calls_;
  std::vector<Ref<Storage>> kept_, used_;  // made by the step, or there before
  size_t counted_ = 0;                     // of kept_
  int64_t bytes_ = 0;
  std::vector<Tensor> watched_, numbers_;
  std::vector<uint32_t> versions_;
  std::vector<RandomUse> uses_;
};

// What notes this thread's calls; NULL as a rule.
Recording* current_recording();

// To be called by whatever reads the values of a tensor or cannot be repeated.
inline void refuse_recording(const char* why) {
  if (Recording* recording = current_recording()) recording->refuse(why);
}
inline void note_read(const Tensor& tensor) {
  Recording* recording = current_recording();
  if (recording && !recording->may_read(tensor)) recording->refuse("it reads values");
}

}  // namespace pydl
