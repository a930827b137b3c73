#include "ops/text.h"

#include <algorithm>
#include <exception>
#include <mutex>

#include "core/error.h"
#include "core/thread_pool.h"

namespace pydl {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}
bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

// Cuts documents up; its buffers serve one document after the other.
class Tokenizer {
 public:
  explicit Tokenizer(const TextRules& rules) : rules_(rules) {}

  // emit(token) returns whether it wants another one.
  template <class Emit>
  void run(std::string_view document, Emit&& emit) {
    split(standardize(document));
    if (rules_.ngrams.empty()) {
      for (std::string_view word : words_)
        if (!emit(word)) return;
      return;
    }
    for (int width : rules_.ngrams)
      for (size_t i = 0; i + width <= words_.size(); ++i)
        if (!emit(ngram(i, width))) return;
  }

 private:
  std::string_view standardize(std::string_view document) {
    if (!rules_.lower && !rules_.strip_punctuation) return document;
    standardized_.clear();
    for (char c : document) {
      if (rules_.strip_punctuation && is_punctuation(c)) continue;
      standardized_.push_back(rules_.lower && c >= 'A' && c <= 'Z' ? char(c + 32) : c);
    }
    return standardized_;
  }

  void split(std::string_view text) {
    words_.clear();
    if (rules_.split == TextRules::Split::none) {
      words_.push_back(text);
      return;
    }
    const bool characters = rules_.split == TextRules::Split::character;
    for (size_t i = 0; i < text.size();) {
      const size_t start = i++;
      if (characters) {
        while (i < text.size() && !starts_character(text[i])) ++i;
      } else {
        if (is_space(text[start])) continue;
        while (i < text.size() && !is_space(text[i])) ++i;
      }
      words_.push_back(text.substr(start, i - start));
    }
  }

  std::string_view ngram(size_t first, int width) {
    if (width == 1) return words_[first];
    joined_.assign(words_[first]);
    for (int i = 1; i < width; ++i) joined_.append(" ").append(words_[first + i]);
    return joined_;
  }

  const TextRules& rules_;
  std::string standardized_, joined_;
  Strings words_;
};

template <class Body>
void over_documents(int64_t count, Body&& body) {
  constexpr int64_t kGrain = 64;  // documents: about 10 us
  std::mutex mutex;
  std::exception_ptr failure;
  auto guarded = [&](int64_t begin, int64_t end) {
    try {
      body(begin, end);
    } catch (...) {  // waits until all ranges are done
      std::lock_guard<std::mutex> lock(mutex);
      failure = std::current_exception();
    }
  };
  parallel_for(
      count, kGrain,
      [](void* arg, int64_t begin, int64_t end) {
        (*static_cast<decltype(guarded)*>(arg))(begin, end);
      },
      &guarded);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

TextRules::Split split_by_name(const std::string& name) {
  if (name == "whitespace") return TextRules::Split::whitespace;
  if (name == "character") return TextRules::Split::character;
  if (name != "none")
    fail<ValueError>("[text] expected split whitespace, character or none, got ", name);
  return TextRules::Split::none;
}

TokenTable::TokenTable(const Strings& tokens) {
  for (std::string_view token : tokens) find_or_add(token);
}

std::string_view TokenTable::token(int64_t i) const {
  const size_t begin = i ? ends_[i - 1] : 0;
  return {text_.data() + begin, ends_[i] - begin};
}

int64_t TokenTable::find(std::string_view token) const {
  return slots_.empty() ? -1 : slots_[slot(token, fingerprint(token))] - 1;
}

int64_t TokenTable::find_or_add(std::string_view token) {
  if (2 * ends_.size() >= slots_.size()) grow();
  const uint64_t hash = fingerprint(token);
  int32_t& number = slots_[slot(token, hash)];
  if (number == 0) {
    text_.append(token);
    ends_.push_back(text_.size());
    hashes_.push_back(hash);
    number = static_cast<int32_t>(ends_.size());
  }
  return number - 1;
}

// Where the token is, or where it would go.
int64_t TokenTable::slot(std::string_view text, uint64_t hash) const {
  const uint64_t mask = slots_.size() - 1;
  for (uint64_t i = hash & mask;; i = (i + 1) & mask) {
    const int32_t number = slots_[i];
    if (number == 0 || (hashes_[number - 1] == hash && token(number - 1) == text)) return i;
  }
}

void TokenTable::grow() {
  slots_.assign(std::max<size_t>(64, slots_.size() * 2), 0);
  const uint64_t mask = slots_.size() - 1;
  for (size_t n = 0; n < hashes_.size(); ++n) {
    uint64_t i = hashes_[n] & mask;
    while (slots_[i] != 0) i = (i + 1) & mask;
    slots_[i] = static_cast<int32_t>(n + 1);
  }
}

EncodedText encode_text(const TokenTable& table, const TextRules& rules, const Strings& documents,
                        int64_t limit) {
  const int64_t count = static_cast<int64_t>(documents.size());
  EncodedText encoded;
  encoded.lengths.resize(count);
  std::mutex mutex;
  std::vector<std::pair<int64_t, std::vector<int64_t>>> parts;  // by first document
  over_documents(count, [&](int64_t begin, int64_t end) {
    Tokenizer tokenizer(rules);
    std::vector<int64_t> numbers;
    for (int64_t i = begin; i < end; ++i) {
      const size_t start = numbers.size();
      if (limit != 0)
        tokenizer.run(documents[i], [&](std::string_view token) {
          numbers.push_back(table.find(token));
          return static_cast<int64_t>(numbers.size() - start) != limit;
        });
      encoded.lengths[i] = static_cast<int64_t>(numbers.size() - start);
    }
    std::lock_guard<std::mutex> lock(mutex);
    parts.emplace_back(begin, std::move(numbers));
  });
  std::sort(parts.begin(), parts.end());
  for (auto& [first, numbers] : parts)
    encoded.numbers.insert(encoded.numbers.end(), numbers.begin(), numbers.end());
  return encoded;
}

void TokenCounter::add(Counts& counts, std::string_view token, int64_t document) const {
  const size_t i = static_cast<size_t>(counts.table.find_or_add(token));
  if (i == counts.total.size()) {
    counts.total.push_back(0);
    counts.documents.push_back(0);
    counts.last_document.push_back(-1);
  }
  ++counts.total[i];
  if (counts.last_document[i] != document) ++counts.documents[i];
  counts.last_document[i] = document;
}

void TokenCounter::update(const Strings& strings, const std::vector<int64_t>& rows) {
  const int64_t count = static_cast<int64_t>(rows.size()) - 1;
  std::mutex mutex;
  over_documents(count, [&](int64_t begin, int64_t end) {
    Tokenizer tokenizer(rules_);
    Counts counts;
    for (int64_t i = begin; i < end; ++i)
      for (int64_t j = rows[i]; j < rows[i + 1]; ++j)
        tokenizer.run(strings[j], [&](std::string_view token) {
          add(counts, token, i);
          return true;
        });
    std::lock_guard<std::mutex> lock(mutex);
    for (int64_t n = 0; n < counts.table.size(); ++n) {
      const size_t to = static_cast<size_t>(counts_.table.find_or_add(counts.table.token(n)));
      counts_.total.resize(counts_.table.size());
      counts_.documents.resize(counts_.table.size());
      counts_.total[to] += counts.total[n];
      counts_.documents[to] += counts.documents[n];
    }
  });
  documents_ += std::max<int64_t>(count, 0);
}

std::vector<TokenCounter::Count> TokenCounter::sorted() const {
  std::vector<Count> counts;
  for (int64_t i = 0; i < counts_.table.size(); ++i)
    counts.push_back({counts_.table.token(i), counts_.total[i], counts_.documents[i]});
  std::sort(counts.begin(), counts.end(), [](const Count& a, const Count& b) {
    return a.total != b.total ? a.total > b.total : a.token > b.token;
  });
  return counts;
}

}  // namespace pydl
