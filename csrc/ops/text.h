// Text to tokens, tokens to numbers: what layers of text and categories do with strings. Strings
// are UTF-8; case and punctuation are those of ASCII, as in Keras.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ops/string_hash.h"

namespace pydl {

using Strings = std::vector<std::string_view>;

// How a document becomes tokens.
struct TextRules {
  enum class Split { none, whitespace, character };

  bool lower = false;
  bool strip_punctuation = false;
  Split split = Split::none;
  std::vector<int> ngrams;  // widths, in the order wanted; empty for single tokens
};

TextRules::Split split_by_name(const std::string& name);

// A hash table from token to a number; the tokens are kept in one piece of memory.
class TokenTable {
 public:
  TokenTable() = default;
  explicit TokenTable(const Strings& tokens);

  int64_t size() const { return static_cast<int64_t>(ends_.size()); }
  std::string_view token(int64_t i) const;
  int64_t find(std::string_view token) const;  // -1 where absent
  int64_t find_or_add(std::string_view token);

 private:
  int64_t slot(std::string_view token, uint64_t hash) const;
  void grow();

  std::string text_;
  std::vector<size_t> ends_;
  std::vector<uint64_t> hashes_;
  std::vector<int32_t> slots_;  // number + 1, 0 where free
};

// The numbers of the tokens of many documents, one after the other.
struct EncodedText {
  std::vector<int64_t> numbers;  // -1 for tokens that the table lacks
  std::vector<int64_t> lengths;  // tokens of each document
};

// At most `limit` tokens of each document, all for -1; documents are shared out to the threads.
EncodedText encode_text(const TokenTable& table, const TextRules& rules, const Strings& documents,
                        int64_t limit);

// How often each token comes, and in how many documents.
class TokenCounter {
 public:
  struct Count {
    std::string_view token;
    int64_t total, documents;
  };

  explicit TokenCounter(TextRules rules) : rules_(std::move(rules)) {}

  // Strings rows[i] to rows[i + 1] make up document i.
  void update(const Strings& strings, const std::vector<int64_t>& rows);
  // The most frequent first; of equals, the token that sorts last, as in Keras.
  std::vector<Count> sorted() const;
  int64_t documents() const { return documents_; }

 private:
  struct Counts {
    TokenTable table;
    std::vector<int64_t> total, documents, last_document;
  };
  void add(Counts& counts, std::string_view token, int64_t document) const;

  TextRules rules_;
  Counts counts_;
  int64_t documents_ = 0;
};

}  // namespace pydl
