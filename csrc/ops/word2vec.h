// Word vectors from text by predicting words from their neighbours (Mikolov et al., 2013).
#pragma once

#include <cstdint>
#include <vector>

namespace pydl {

struct Word2VecOptions {
  bool cbow = false;  // predict a word from the mean of its neighbours, not from each of them
  int64_t window = 5;
  int64_t negative = 5;  // random words that each true one is told apart from
  int64_t epochs = 5;
  double sample = 1e-3;  // words more frequent than this are left out at random; 0 keeps all
  double learning_rate = 0.025, last_learning_rate = 0.0001;
  uint64_t seed = 0;
};

// Sentence i is words[sentences[i]] to words[sentences[i + 1]]. `vectors` and `contexts` hold
// counts.size() rows of `size` numbers; both are trained in place, by all threads at once without
// locks (Recht et al., "Hogwild", 2011). With one thread the result is the same every time.
void train_word2vec(const std::vector<int32_t>& words, const std::vector<int64_t>& sentences,
                    const std::vector<int64_t>& counts, const Word2VecOptions& options,
                    int64_t size, float* vectors, float* contexts);

}  // namespace pydl
