// What an op of an extension takes and gives, read from a line such as
// "(x: Tensor, bias: Tensor | None = None, axis: int = -1) -> y, mean".
#pragma once

#include <string>
#include <vector>

#include "pydl/extension_abi.h"

namespace pydl {

// A value that is no tensor.
struct Attribute {
  int kind = PYDL_ATTRIBUTE_INT;
  int64_t integer = 0;  // also of bool
  double real = 0;
  std::string string;
  std::vector<int64_t> integers;

  PydlAttribute view() const {
    return {sizeof(PydlAttribute),
            kind,
            integer,
            real,
            string.c_str(),
            integers.data(),
            static_cast<int64_t>(integers.size())};
  }
};

const char* attribute_type(int kind);  // "int", "list[int]"

struct Parameter {
  std::string name;
  bool is_tensor = false;
  bool is_optional = false;  // a tensor that may be None
  bool has_default = false;  // an attribute's is in `value`; its kind is always set
  Attribute value;
};

struct Signature {
  std::string text;
  std::vector<Parameter> parameters;
  std::vector<std::string> results;

  int tensor_count() const;
  int attribute_count() const { return static_cast<int>(parameters.size()) - tensor_count(); }
};

// Raises ValueError, with the op's name and the place, when the line does not follow the form.
Signature parse_signature(const std::string& op, const std::string& line);

}  // namespace pydl
