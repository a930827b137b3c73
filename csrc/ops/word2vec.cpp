#include "ops/word2vec.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "core/thread_pool.h"

namespace pydl {
namespace {

constexpr int kBlock = 16;  // the compiler makes vector instructions of loops of a fixed length

float dot(const float* __restrict a, const float* __restrict b, int64_t n) {
  float sums[kBlock] = {}, total = 0;
  int64_t i = 0;
  for (; i + kBlock <= n; i += kBlock)
    for (int j = 0; j < kBlock; ++j) sums[j] += a[i + j] * b[i + j];
  for (; i < n; ++i) total += a[i] * b[i];
  for (float sum : sums) total += sum;
  return total;
}

void add_scaled(float* __restrict to, const float* __restrict from, float scale, int64_t n) {
  int64_t i = 0;
  for (; i + kBlock <= n; i += kBlock)
    for (int j = 0; j < kBlock; ++j) to[i + j] += scale * from[i + j];
  for (; i < n; ++i) to[i] += scale * from[i];
}

class Random {  // splitmix64
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  uint64_t below(uint64_t n) { return static_cast<uint64_t>((__uint128_t{next()} * n) >> 64); }
  double share() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  uint64_t state_;
};

// The logistic function, from a table: its exact value does not matter here.
class Logistic {
 public:
  Logistic() {
    for (int i = 0; i < kSize; ++i)
      values_[i] = 1 / (1 + std::exp(-((i + 0.5f) / kSize * 2 - 1) * kLargest));
  }
  float operator()(float x) const {
    if (!(x > -kLargest)) return 0;
    return x >= kLargest ? 1 : values_[static_cast<int>((x / kLargest + 1) * (kSize / 2))];
  }

 private:
  static constexpr int kSize = 2048;
  static constexpr float kLargest = 8;
  float values_[kSize];
};

class Trainer {
 public:
  Trainer(const std::vector<int32_t>& words, const std::vector<int64_t>& sentences,
          const std::vector<int64_t>& counts, const Word2VecOptions& options, int64_t size,
          float* vectors, float* contexts)
      : words_(words),
        sentences_(sentences),
        options_(options),
        size_(size),
        vectors_(vectors),
        contexts_(contexts) {
    double total = 0, weights = 0;
    for (int64_t count : counts) {
      total += static_cast<double>(count);
      weights += std::pow(count, 0.75);
    }
    double reached = 0;
    for (size_t word = 0; word < counts.size(); ++word) {
      reached += std::pow(counts[word], 0.75) / weights;
      const size_t upto = static_cast<size_t>(reached * kDraws);
      negatives_.resize(std::clamp<size_t>(upto, negatives_.size(), kDraws),
                        static_cast<int32_t>(word));
      const double share = static_cast<double>(counts[word]) / total, limit = options.sample;
      keep_.push_back(limit > 0 ? std::sqrt(limit / share) + limit / share : 1.0);
    }
    negatives_.resize(kDraws, static_cast<int32_t>(counts.size()) - 1);
  }

  void run() {
    const int64_t count = static_cast<int64_t>(sentences_.size()) - 1;
    for (epoch_ = 0; epoch_ < options_.epochs; ++epoch_)
      parallel_for(
          count, 1,
          [](void* self, int64_t begin, int64_t end) {
            static_cast<Trainer*>(self)->train(begin, end);
          },
          this);
  }

 private:
  static constexpr size_t kDraws = 1 << 20;

  void train(int64_t begin, int64_t end) {
    const int64_t place = epoch_ * static_cast<int64_t>(sentences_.size()) + begin;
    Random random(options_.seed + 0x632be59bd9b4e019 * static_cast<uint64_t>(place));
    std::vector<int32_t> kept;
    std::vector<float> mean(size_), change(size_);
    for (int64_t s = begin; s < end; ++s) {
      kept.clear();
      for (int64_t i = sentences_[s]; i < sentences_[s + 1]; ++i)
        if (keep_[words_[i]] >= 1 || random.share() < keep_[words_[i]]) kept.push_back(words_[i]);
      const int64_t length = sentences_[s + 1] - sentences_[s];
      rate_ = rate_after(done_.fetch_add(length, std::memory_order_relaxed));
      for (int64_t i = 0; i < static_cast<int64_t>(kept.size()); ++i)
        train_word(kept, i, random, mean.data(), change.data());
    }
  }

  float rate_after(int64_t done) const {
    const double all = static_cast<double>(words_.size()) * static_cast<double>(options_.epochs);
    const double share = static_cast<double>(done) / all;
    return static_cast<float>(options_.learning_rate +
                              share * (options_.last_learning_rate - options_.learning_rate));
  }

  // Nearer neighbours count for more, because the window is cut at random.
  void train_word(const std::vector<int32_t>& sentence, int64_t i, Random& random, float* mean,
                  float* change) {
    const int64_t reach = 1 + static_cast<int64_t>(random.below(options_.window));
    const int64_t first = std::max<int64_t>(0, i - reach);
    const int64_t last = std::min<int64_t>(sentence.size() - 1, i + reach);
    if (!options_.cbow) {
      for (int64_t j = first; j <= last; ++j) {
        if (j == i) continue;
        float* vector = vectors_ + sentence[j] * size_;
        predict(vector, sentence[i], random, change);
        add_scaled(vector, change, 1, size_);
      }
      return;
    }
    if (first == last) return;
    std::fill(mean, mean + size_, 0.0f);
    const float share = 1.0f / static_cast<float>(last - first);
    for (int64_t j = first; j <= last; ++j)
      if (j != i) add_scaled(mean, vectors_ + sentence[j] * size_, share, size_);
    predict(mean, sentence[i], random, change);
    for (int64_t j = first; j <= last; ++j)
      if (j != i) add_scaled(vectors_ + sentence[j] * size_, change, share, size_);
  }

  // Trains the contexts to tell the word from random ones; leaves what helps the input in `change`.
  void predict(const float* input, int32_t word, Random& random, float* change) {
    std::fill(change, change + size_, 0.0f);
    for (int64_t k = 0; k <= options_.negative; ++k) {
      const int32_t target = k == 0 ? word : negatives_[random.below(kDraws)];
      if (k > 0 && target == word) continue;
      float* context = contexts_ + target * size_;
      const float step = rate_ * ((k == 0) - logistic_(dot(input, context, size_)));
      add_scaled(change, context, step, size_);
      add_scaled(context, input, step, size_);
    }
  }

  const std::vector<int32_t>& words_;
  const std::vector<int64_t>& sentences_;
  const Word2VecOptions options_;
  const int64_t size_;
  float *vectors_, *contexts_;
  std::vector<int32_t> negatives_;  // each word as often as it should be drawn
  std::vector<double> keep_;        // the probability that a word stays
  const Logistic logistic_;
  std::atomic<int64_t> done_{0};
  int64_t epoch_ = 0;
  std::atomic<float> rate_{0};
};

}  // namespace

void train_word2vec(const std::vector<int32_t>& words, const std::vector<int64_t>& sentences,
                    const std::vector<int64_t>& counts, const Word2VecOptions& options,
                    int64_t size, float* vectors, float* contexts) {
  Trainer(words, sentences, counts, options, size, vectors, contexts).run();
}

}  // namespace pydl
