#include "extension/signature.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "core/error.h"

namespace pydl {
namespace {

constexpr const char* kTypes[] = {"int", "float", "bool", "str", "list[int]"};

class Parser {
 public:
  Parser(const std::string& op, const std::string& line) : op_(op), line_(line) {}

  Signature signature() {
    Signature signature;
    signature.text = line_;
    expect("(");
    if (!accept(")")) {
      do add(signature, parameter());
      while (accept(","));
      expect(")");
    }
    expect("->");
    do signature.results.push_back(name());
    while (accept(","));
    if (at_ != line_.size()) error("the end");
    return signature;
  }

 private:
  [[noreturn]] void error(const std::string& expected) const {
    fail<ValueError>("[", op_, "] expected ", expected, " at column ", at_, " of its signature '",
                     line_, "'. Hint: it has the form '(x: Tensor, axis: int = -1) -> y'");
  }

  void skip_spaces() {
    while (at_ < line_.size() && line_[at_] == ' ') ++at_;
  }
  bool accept(const std::string& token) {
    skip_spaces();
    if (line_.compare(at_, token.size(), token) != 0) return false;
    at_ += token.size();
    skip_spaces();
    return true;
  }
  void expect(const std::string& token) {
    if (!accept(token)) error("'" + token + "'");
  }

  std::string name() {
    size_t start = at_;
    while (at_ < line_.size() &&
           (std::isalnum(static_cast<unsigned char>(line_[at_])) || line_[at_] == '_'))
      ++at_;
    if (start == at_ || std::isdigit(static_cast<unsigned char>(line_[start]))) error("a name");
    std::string found = line_.substr(start, at_ - start);
    skip_spaces();
    return found;
  }

  void add(Signature& signature, Parameter parameter) const {
    for (const Parameter& other : signature.parameters)
      if (other.name == parameter.name)
        fail<ValueError>("[", op_, "] expected different parameter names, got '", parameter.name,
                         "' twice");
    bool defaulted = parameter.has_default || parameter.is_optional;
    if (!defaulted && !signature.parameters.empty()) {
      const Parameter& last = signature.parameters.back();
      if (last.has_default)
        fail<ValueError>("[", op_, "] expected a default for '", parameter.name,
                         "', as it comes after '", last.name, "', which has one");
    }
    signature.parameters.push_back(std::move(parameter));
  }

  Parameter parameter() {
    Parameter parameter;
    parameter.name = name();
    expect(":");
    if (accept("Tensor")) {
      parameter.is_tensor = true;
      if (accept("|")) {
        expect("None");
        parameter.is_optional = true;
      }
      if (accept("=")) {
        if (!parameter.is_optional) error("no default for a tensor that is not 'Tensor | None'");
        expect("None");
        parameter.has_default = true;
      }
      return parameter;
    }
    parameter.value.kind = type();
    if (accept("=")) {
      parameter.has_default = true;
      default_value(parameter.value);
    }
    return parameter;
  }

  int type() {
    for (int kind = 0; kind <= PYDL_ATTRIBUTE_INTS; ++kind)
      if (accept(kTypes[kind])) return kind;
    error("a type (Tensor, Tensor | None, int, float, bool, str or list[int])");
  }

  void default_value(Attribute& value) {
    switch (value.kind) {
      case PYDL_ATTRIBUTE_INT:
        value.integer = integer();
        break;
      case PYDL_ATTRIBUTE_FLOAT:
        value.real = real();
        break;
      case PYDL_ATTRIBUTE_BOOL:
        value.integer = accept("True");
        if (!value.integer) expect("False");
        break;
      case PYDL_ATTRIBUTE_STRING:
        value.string = quoted();
        break;
      default:
        expect("[");
        if (accept("]")) break;
        do value.integers.push_back(integer());
        while (accept(","));
        expect("]");
    }
  }

  // Reads a number with strtoll or strtod, whichever `read` is.
  template <class Number, class Read>
  Number number(Read read, const char* expected) {
    const char* start = line_.c_str() + at_;
    char* end = nullptr;
    Number value = read(start, &end);
    if (end == start) error(expected);
    at_ += static_cast<size_t>(end - start);
    skip_spaces();
    return value;
  }
  int64_t integer() {
    return number<int64_t>([](const char* s, char** end) { return std::strtoll(s, end, 10); },
                           "an integer");
  }
  double real() {
    return number<double>([](const char* s, char** end) { return std::strtod(s, end); },
                          "a number");
  }
  std::string quoted() {
    char quote = at_ < line_.size() ? line_[at_] : '\0';
    size_t end = quote == '\'' || quote == '"' ? line_.find(quote, at_ + 1) : std::string::npos;
    if (end == std::string::npos) error("a string in quotes");
    std::string value = line_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    skip_spaces();
    return value;
  }

  const std::string& op_;
  const std::string& line_;
  size_t at_ = 0;
};

}  // namespace

const char* attribute_type(int kind) { return kTypes[kind]; }

int Signature::tensor_count() const {
  return static_cast<int>(std::count_if(parameters.begin(), parameters.end(),
                                        [](const Parameter& p) { return p.is_tensor; }));
}

Signature parse_signature(const std::string& op, const std::string& line) {
  return Parser(op, line).signature();
}

}  // namespace pydl
