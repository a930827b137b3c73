#include "dispatch/recording.h"

#include <algorithm>

#include "core/kept_storages.h"

namespace pydl {
namespace {

thread_local Recording* active = nullptr;

}  // namespace

Recording* current_recording() { return active; }

Recording::~Recording() {
  if (active_) leave();
}

void Recording::begin(const std::vector<Tensor>& watched, const std::vector<Tensor>& numbers) {
  if (active) fail<Error>("[record] expected one recording at a time, got one inside another");
  watched_ = watched;
  numbers_ = numbers;
  for (const Tensor& tensor : watched_) versions_.push_back(tensor.version());
  active = this;
  active_ = true;
  kept_storages() = &kept_;
  random_uses() = &uses_;
}

void Recording::leave() {
  active = nullptr;
  active_ = false;
  kept_storages() = nullptr;
  random_uses() = nullptr;
}

bool Recording::end() {
  if (!active_) return false;  // refused meanwhile
  if (!uses_.empty()) refuse("it draws random numbers");
  if (refused_) return false;
  leave();
  std::vector<Tensor> written;
  for (size_t i = 0; i < watched_.size(); ++i)
    if (watched_[i].version() != versions_[i]) written.push_back(watched_[i]);
  watched_ = std::move(written);
  return true;
}

void Recording::refuse(const std::string& why) {
  if (refused_) return;
  refused_ = true;
  obstacle_ = why;
  leave();
  calls_.clear();
  kept_.clear();
  used_.clear();
  watched_.clear();
}

void Recording::add(const char* op, bool keep_denormals, Launchable function, const void* state,
                    const void* args, size_t size) {
  for (; counted_ < kept_.size(); ++counted_)
    bytes_ += static_cast<int64_t>(kept_[counted_]->bytes());
  if (bytes_ > limit_) return refuse("");
  const size_t words = (size + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t);
  std::unique_ptr<std::max_align_t[]> copy(new std::max_align_t[words]);
  std::copy_n(static_cast<const char*>(args), size, reinterpret_cast<char*>(copy.get()));
  calls_.push_back({op, keep_denormals, function, state, std::move(copy), nullptr, nullptr});
}

void Recording::depends_on_numbers(std::shared_ptr<const void> owned, Renew renew) {
  if (refused_) return;  // just now, by the call itself
  if (numbers_.empty()) return refuse("it holds the step of an optimizer");
  calls_.back().owned = std::move(owned);
  calls_.back().renew = renew;
}

bool Recording::may_read(const Tensor& tensor) const {
  return std::any_of(numbers_.begin(), numbers_.end(), [&](const Tensor& number) {
    return number.impl()->storage == tensor.impl()->storage;
  });
}

void Recording::keep(const Tensor& tensor) { used_.push_back(tensor.impl()->storage); }

void Recording::repeat(const StepNumbers& numbers) const {
  for (const Tensor& tensor : watched_) tensor.impl()->storage->bump_version();
  for (const Call& call : calls_) {
    if (call.renew) call.renew(call.args.get(), numbers);
    run_function(call.op, Device{}, call.keep_denormals, call.function, call.state, call.args.get());
  }
}

}  // namespace pydl
